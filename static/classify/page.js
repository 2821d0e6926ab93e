/**
 * Photos that are dropped, pasted, picked, taken or drawn get a card each and are sent at once.
 *
 * The page works without this: it is a form with a file field and a button. Every word a person reads comes from the
 * page (templates and data attributes), none from here.
 */

import { Photo, followTheNetwork, sendAsIn } from "./asking.js";
import { listenToOpinions } from "./opinions.js";
import { useWorker } from "./preparing.js";
import { Board } from "./saying.js";
import { contentsOf, photosIn } from "./taking.js";
import { learn } from "./words.js";

/** Photos of one page, which lives on while another one is looked at: see static/frame/visit.js. */
class Page {
  #photos = new Set();
  #opening = 0; // folders

  constructor(main, signal) {
    this.main = main;
    this.signal = signal;
    this.form = main.querySelector("#ask");
    this.field = main.querySelector("#photo");
    this.board = new Board(main);
  }

  get hasCards() {
    return this.#opening > 0 || (this.#photos.size > 0 && this.board.place.querySelector(".card") !== null);
  }

  get pending() {
    return [...this.#photos].filter((photo) => photo.isPending);
  }

  /** Give each file a card on top of the page, in their order, and let them stand in line. */
  add(files) {
    const isOriginal = this.main.querySelector("#originals").checked;
    const added = [...files].map((file) => new Photo(file, isOriginal, this.board));
    this.board.place.prepend(...added.map((photo) => photo.card.element));
    for (const photo of added) {
      this.#photos.add(photo);
      photo.start();
    }
    this.board.announce(added.length);
  }

  /** Take what was dropped: photos, and those in folders. */
  async take(drop) {
    const { files, folders } = contentsOf(drop);
    // A picture of another page, often.
    if (!files.length && !folders.length) return this.#tell("no-file");
    if (files.length) this.add(files);
    for (const folder of folders) {
      this.#opening += 1;
      const photos = await photosIn(folder);
      this.#opening -= 1;
      if (photos.length) this.add(photos);
      else this.#tell("no-photos", folder.name);
    }
  }

  /** A drawing of ours, as the JPEG that its owner would send. */
  async addDrawing({ dataset: { sample, name } }) {
    const drawing = new Image();
    drawing.src = sample;
    try {
      await drawing.decode();
    } catch {
      return this.#tell("no-drawing", name);
    }
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 640;
    canvas.getContext("2d").drawImage(drawing, 0, 0, 640, 640);
    canvas.toBlob((blob) => this.add([new File([blob], name, { type: blob.type })]), "image/jpeg", 0.9);
  }

  /** An answer was erased on another page: its card goes, too. */
  dropErased(id) {
    const card = this.main.querySelector(`#feedback-${CSS.escape(id)}`)?.closest(".card");
    if (!card) return;
    URL.revokeObjectURL(card.querySelector("figure img")?.src);
    card.remove();
    this.board.report();
  }

  /** A card that says why there is nothing to send. */
  #tell(state, name = "") {
    const nothing = new Photo(new File([], name), true, this.board);
    this.board.place.prepend(nothing.card.element);
    nothing.end(state);
  }
}

function listenToFields(page) {
  const { form, field, main } = page;
  field.multiple = true;
  for (const each of [field, main.querySelector("#camera")]) {
    each.addEventListener("change", () => {
      if (each.files.length) page.add(each.files);
      each.value = ""; // so that the same photo can be chosen again
    });
  }
  // Browsers open the picker on Space alone: Enter would send the form without a photo.
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    field.click();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const button of form.querySelectorAll("[data-sample]")) {
    button.addEventListener("click", () => page.addDrawing(button));
  }
}

/** Anywhere in the window, as long as this page is the one that is shown. */
function listenToDrops(page) {
  const { main, signal } = page;
  const on = (name, listener) => {
    document.addEventListener(name, (event) => { if (main.isConnected) listener(event); }, { signal });
  };
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const highlight = (on) => document.documentElement.classList.toggle("dropping", on);

  on("dragenter", (event) => highlight(hasFiles(event)));
  on("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  on("dragleave", (event) => { if (!event.relatedTarget) highlight(false); });
  on("drop", (event) => {
    highlight(false);
    if (!hasFiles(event)) return;
    event.preventDefault();
    page.take(event.dataTransfer);
  });
  on("paste", (event) => {
    if (event.clipboardData.files.length) page.add(event.clipboardData.files);
  });
}

function listenToCards(page) {
  const { board, field, main, signal } = page;
  main.querySelector("#summary").addEventListener("click", ({ target }) => {
    if (target.dataset.do === "stop-all") for (const photo of page.pending) photo.stop();
  });
  board.place.addEventListener("click", ({ target }) => {
    if (!target.matches(".gone [data-do=remove]")) return;
    target.closest(".card").remove();
    board.report();
    field.focus();
  });
  document.addEventListener("erased", ({ detail }) => page.dropErased(detail), { signal });
  addEventListener("beforeunload", (event) => { if (page.pending.length) event.preventDefault(); }, { signal });
}

/** Called by the frame, once for each time the page comes. */
export function start(main, visit) {
  if (!window.htmx) return;
  learn(main);
  const page = new Page(main, visit.signal);
  sendAsIn(page.form);
  useWorker(page.form.dataset.preparer);
  listenToFields(page);
  listenToDrops(page);
  listenToCards(page);
  listenToOpinions(page.board, visit.signal);
  followTheNetwork();
  visit.keepWhile(() => page.hasCards);
}
