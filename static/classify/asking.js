/** From a file to an answer: one photo's states, what each trouble means for it, and when it tries again. */

import { Card, PENDING } from "./card.js";
import { forget, hurry, look, shrunk } from "./preparing.js";
import { Queue } from "./queue.js";
import { send } from "./sending.js";
import { introduce, renew } from "./visitor.js";
import { megabytes } from "./words.js";

const AT_A_TIME = 4;
const TRIES = 4; // by itself, when nobody answers
/** Where photos go, and how large they may be: as the page that was opened last has it. */
let sending;
export const sendAsIn = (form) => {
  sending = { address: form.action, limit: Number(form.dataset.maxMegabytes) * 1_000_000 };
};

/** Photos that ended without an answer and would like to try again once the network is back. */
const lost = new Set();
export const queue = new Queue(AT_A_TIME);

export class Photo {
  #stop = new AbortController();
  #tries = 0;
  #pause;
  #seen;

  /** `board` is where its card lies. */
  constructor(file, isOriginal, board) {
    this.file = file;
    this.board = board;
    this.isOriginal = isOriginal;
    this.card = new Card(file.name, {
      again: () => this.again(),
      stop: () => this.stop(),
      remove: () => this.remove(),
    });
    this.standInLine();
  }

  /** Say what it waits for: its turn, or the network. */
  standInLine() {
    this.#show(navigator.onLine ? "waiting" : "offline");
  }

  /** Stand in line, or say at once why the photo need not be sent. */
  start() {
    const { file } = this;
    // No type means that the browser does not know the format (HEIC, often): the server does.
    if (file.type && !file.type.startsWith("image/")) return this.end("not-a-photo");
    if (file.size === 0) return this.end("empty");
    this.#seen = look(file).then((seen) => {
      if (this.card.state && this.board.place.contains(this.card.element)) this.card.see(seen.preview ?? file);
      return seen;
    });
    queue.add(this);
  }

  get isPending() {
    return PENDING.has(this.card.state);
  }

  again() {
    clearInterval(this.#pause);
    this.#stop = new AbortController();
    this.#tries = 0;
    lost.delete(this);
    this.standInLine();
    queue.release();
    queue.remove(this);
    queue.addFirst(this);
  }

  stop() {
    this.#quit();
    this.end("stopped");
  }

  remove() {
    this.#quit();
    forget(this.file);
    this.card.remove();
    this.board.report();
  }

  /** What the queue calls when it is this photo's turn. */
  async run() {
    const { signal } = this.#stop;
    this.#show("preparing");
    hurry(this.file);
    const photo = this.isOriginal ? this.file : await shrunk(this.file, await this.#seen);
    if (signal.aborted) return;
    if (photo.size > sending.limit) return this.end("too-large", { size: megabytes(photo.size) });
    await introduce();
    let outcome = await this.#send(photo, signal);
    if (outcome.kind === "old" && await renew()) outcome = await this.#send(photo, signal);
    if (!signal.aborted) this.#settle(outcome);
  }

  #send(photo, signal) {
    this.card.progress(0);
    // A photo that was drawn smaller is a JPEG, whatever its name says: the server looks inside.
    return send(photo, this.file.name, sending.address, (share) => {
      if (!signal.aborted) this.card.progress(share);
    }, signal);
  }

  #settle({ kind, status, card, seconds }) {
    switch (kind) {
      case "answered":
        this.card.answer(card);
        return this.board.report(this.card);
      case "refused": return this.end("refused", { reason: words(card) });
      case "too-large": return this.end("too-large", { size: megabytes(this.file.size) });
      case "busy":
        queue.hold(seconds);
        return this.#wait(card ? "busy" : "busy-there", seconds, { reason: words(card) });
      case "away": return this.#findNobody();
      default: return this.end(kind, { status });
    }
  }

  #findNobody() {
    this.#tries += 1;
    if (!navigator.onLine) {
      this.standInLine();
      return queue.addFirst(this);
    }
    if (this.#tries < TRIES) return this.#wait("away", 2 ** this.#tries);
    lost.add(this);
    this.end("lost");
  }

  /** Count down, then stand in line again, ahead of the others. */
  #wait(state, seconds, values = {}) {
    let left = seconds;
    this.#show(state, { seconds: left, ...values });
    this.board.report(this.card);
    this.#pause = setInterval(() => {
      left -= 1;
      if (left > 0) return this.#show(state, { seconds: left, ...values });
      clearInterval(this.#pause);
      this.standInLine();
      queue.addFirst(this);
    }, 1000);
  }

  /** Say why there is no answer. */
  end(state, values) {
    this.#show(state, values);
    this.board.report(this.card);
  }

  #show(state, values) {
    this.card.show(state, values);
    this.board.report();
  }

  /** Take it out of every line that it may be standing in. */
  #quit() {
    clearInterval(this.#pause);
    this.#stop.abort();
    queue.remove(this);
    lost.delete(this);
  }
}

/** What the server's own card says, without its heading. */
const words = (card) => [...(card?.querySelectorAll("p") ?? [])].map((part) => part.textContent.trim()).join(" ");

let isFollowing = false;

/** Wait while the browser says that there is no network, and go on by itself. */
export function followTheNetwork() {
  if (isFollowing) return;
  isFollowing = true;
  addEventListener("offline", () => {
    queue.close();
    for (const photo of queue.waiting) photo.standInLine();
  });
  addEventListener("online", () => {
    for (const photo of queue.waiting) photo.standInLine();
    queue.open();
    for (const photo of [...lost]) photo.again();
  });
  if (!navigator.onLine) queue.close();
}
