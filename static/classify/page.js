/**
 * Photos that are dropped, pasted, picked, taken or drawn get a card each and are sent at once.
 *
 * The page works without this: it is a form with a file field and a button. Every word a person reads comes from the
 * page (templates and data attributes), none from here.
 */

import { Photo, followTheNetwork } from "./asking.js";
import { listenToOpinions } from "./opinions.js";
import { announce, report } from "./saying.js";

const form = document.getElementById("ask");
const place = document.getElementById("answer");
const photos = new Set();

/** Give each file a card on top of the page, in their order, and let them stand in line. */
function add(files) {
  const isOriginal = document.getElementById("originals").checked;
  const added = [...files].map((file) => new Photo(file, isOriginal));
  place.prepend(...added.map((photo) => photo.card.element));
  for (const photo of added) {
    photos.add(photo);
    photo.start();
  }
  announce(added.length);
}

/** Something was dropped that holds no file: a picture of another page, often. */
function addNothing() {
  const nothing = new Photo(new File([], ""), true);
  place.prepend(nothing.card.element);
  nothing.end("no-file");
}

/** A drawing of ours, as the JPEG that its owner would send. */
async function addDrawing({ dataset: { sample, name } }) {
  const drawing = new Image();
  drawing.src = sample;
  await drawing.decode();
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 640;
  canvas.getContext("2d").drawImage(drawing, 0, 0, 640, 640);
  canvas.toBlob((blob) => add([new File([blob], name, { type: blob.type })]), "image/jpeg", 0.9);
}

function listenToFields() {
  const field = document.getElementById("photo");
  field.multiple = true;
  for (const each of [field, document.getElementById("camera")]) {
    each.addEventListener("change", () => {
      if (each.files.length) add(each.files);
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
    button.addEventListener("click", () => addDrawing(button));
  }
}

function listenToDrops() {
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const highlight = (on) => document.documentElement.classList.toggle("dropping", on);

  document.addEventListener("dragenter", (event) => highlight(hasFiles(event)));
  document.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) highlight(false); });
  document.addEventListener("drop", (event) => {
    highlight(false);
    if (!hasFiles(event)) return;
    event.preventDefault();
    const { files } = event.dataTransfer;
    files.length ? add(files) : addNothing();
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) add(event.clipboardData.files);
  });
}

function listenToCards() {
  document.getElementById("summary").addEventListener("click", ({ target }) => {
    if (target.dataset.do !== "stop-all") return;
    for (const photo of photos) if (photo.isPending) photo.stop();
  });
  place.addEventListener("click", ({ target }) => {
    if (!target.matches(".gone [data-do=remove]")) return;
    target.closest(".card").remove();
    report();
    document.getElementById("photo").focus();
  });
  addEventListener("beforeunload", (event) => {
    if ([...photos].some((photo) => photo.isPending)) event.preventDefault();
  });
}

if (window.htmx) {
  document.documentElement.classList.add("js");
  listenToFields();
  listenToDrops();
  listenToCards();
  listenToOpinions();
  followTheNetwork();
}
