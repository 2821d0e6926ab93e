/** One photo's card: a state in the page's words, a preview, a progress bar; in the end its answer. */

import { fill, fresh, held, percent } from "./words.js";

/** The states of a photo that may still be answered by itself. */
export const PENDING = new Set(["waiting", "preparing", "sending", "looking", "busy", "busy-there", "away", "offline"]);

export class Card {
  #preview = "";

  /** A card at the top of the page, or before another one. `actions` has again(), stop() and remove(). */
  constructor(name, actions) {
    this.name = name;
    this.element = fresh("pending");
    this.element.setAttribute("aria-label", name);
    this.#find(".name").textContent = name;
    this.element.addEventListener("click", ({ target }) => {
      const action = target.closest("[data-do]")?.dataset.do;
      if (action in actions) actions[action]();
    });
  }

  get state() {
    return this.element.dataset.state;
  }

  /** Say where the photo is; what fills the words stays text. */
  show(state, values = {}) {
    const { element, name } = this;
    const words = held("states").querySelector(`[data-state="${state}"]`);
    const offers = words.dataset.offers.split(" ");
    const isNew = element.dataset.state !== state;
    element.dataset.state = state;
    this.#find("h2").textContent = fill(words.children[0].textContent, { name, ...values });
    this.#find(".sure").textContent = fill(words.children[1].textContent, { name, ...values });
    if (!isNew) return;
    const focused = document.activeElement;
    for (const button of element.querySelectorAll("button")) button.hidden = !offers.includes(button.dataset.do);
    if (element.contains(focused) && focused.hidden) this.#find("button:not([hidden])").focus();
  }

  progress(share) {
    const bar = this.#find("progress");
    if (share < 1) {
      bar.value = share;
      this.show("sending", { percent: percent(share) });
    } else {
      bar.removeAttribute("value"); // all sent: how long the answer takes is not known
      this.show("looking");
    }
  }

  /** Show the photo; one that this browser cannot show leaves the two animals alone. */
  see(photo) {
    this.#forgetPreview();
    this.#preview = URL.createObjectURL(photo);
    const image = this.#find("img");
    image.addEventListener("error", () => { image.hidden = true; this.#forgetPreview(); });
    image.addEventListener("load", () => { image.hidden = false; });
    image.src = this.#preview;
  }

  /** Put the answer in this card's place. The preview stays: nothing flickers, nothing is fetched. */
  answer(answered) {
    const image = answered.querySelector("figure img, figure .erased");
    const preview = this.#find("img");
    if (image && this.#preview && !preview.hidden) {
      preview.width = image.width || preview.naturalWidth;
      preview.height = image.height || preview.naturalHeight;
      image.replaceWith(preview);
    }
    answered.setAttribute("aria-label", this.name);
    this.#replace(answered);
  }

  remove() {
    const next = this.element.nextElementSibling ?? this.element.previousElementSibling;
    const main = this.element.closest("main");
    const hadFocus = this.element.contains(document.activeElement);
    this.#forgetPreview();
    this.element.remove();
    if (hadFocus) (next?.querySelector("h2") ?? main.querySelector("#photo")).focus();
  }

  #replace(element) {
    const hadFocus = this.element.contains(document.activeElement);
    this.element.replaceWith(element);
    this.element = element;
    htmx.process(element);
    if (hadFocus) element.querySelector("h2").focus({ preventScroll: true });
  }

  #forgetPreview() {
    URL.revokeObjectURL(this.#preview);
    this.#preview = "";
  }

  #find(selector) {
    return this.element.querySelector(selector);
  }
}
