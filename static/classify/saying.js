/** How far a page's photos are, for those who look and for those who listen. */

import { PENDING } from "./card.js";
import { counted, fill, spoken } from "./words.js";

const TOGETHER = 900; // milliseconds: answers that come so close are told in one go
const FEW = 3; // more than these that came together are told as numbers
const OF_TROUBLE = "trouble";

const said = document.getElementById("said");

/** Say something, even if it was said just before; whichever page is shown. */
export function say(text) {
  said.textContent = "";
  said.textContent = text;
}

/** The place of the cards on one page, and the line that counts them. */
export class Board {
  #summary;
  #sayings;
  #news = [];
  /** What was told since no photo was on its way. */
  #wave = new Set();
  #pending = 0;
  #timer;
  #drawing;

  constructor(main) {
    this.main = main;
    this.place = main.querySelector("#answer");
    this.#summary = main.querySelector("#summary");
    this.#sayings = main.querySelector("#sayings").dataset;
  }

  /** Count again; and tell about this card, together with others that come about now. */
  report(card) {
    this.#drawing ??= requestAnimationFrame(() => { this.#drawing = undefined; this.#count(); });
    if (!card) return;
    this.#news.push(card);
    this.#timer ??= setTimeout(() => this.#tell(), this.#cards.length === 1 ? 0 : TOGETHER);
  }

  /** Say that many photos have been taken. */
  announce(total) {
    if (total > 1) say(fill(this.#sayings.started, { total }));
  }

  get #cards() {
    return [...this.place.querySelectorAll(":scope > .card:not(.gone)")];
  }

  #tell() {
    this.#timer = undefined;
    const told = [...new Set(this.#news)].filter((card) => this.place.contains(card.element));
    this.#news = [];
    this.#count();
    for (const card of told) this.#wave.add(card);
    const areMany = this.#wave.size > FEW;
    if (!this.#pending) this.#wave.clear();
    if (areMany) return say(this.#inNumbers);
    const isAlone = this.#cards.length === 1;
    say(told.map((card) => {
      const answer = spoken(card.element);
      return isAlone ? answer : fill(this.#sayings.named, { name: card.name, answer });
    }).join("\n"));
  }

  /** What the summary shows, as one text. */
  get #inNumbers() {
    return [...this.#summary.querySelectorAll("p, li:not([hidden])")].map((part) => part.textContent).join(", ");
  }

  #count() {
    const tally = {};
    const cards = this.#cards;
    let pending = 0;
    for (const { dataset } of cards) {
      if (PENDING.has(dataset.state)) pending += 1;
      else tally[dataset.answer ?? OF_TROUBLE] = (tally[dataset.answer ?? OF_TROUBLE] ?? 0) + 1;
    }
    this.#pending = pending;
    const total = cards.length;
    this.#summary.hidden = total < 2;
    const done = this.#summary.querySelector(".done");
    done.textContent = fill(done.dataset.text, { done: total - pending - (tally[OF_TROUBLE] ?? 0), total });
    for (const part of this.#summary.querySelectorAll("[data-of]")) {
      const number = tally[part.dataset.of] ?? 0;
      part.hidden = !number;
      part.textContent = counted(part, number);
    }
    this.#summary.querySelector("button").hidden = !pending;
  }
}
