/** How far all photos are, for those who look and for those who listen. */

import { PENDING } from "./card.js";
import { counted, fill, spoken } from "./words.js";

const TOGETHER = 900; // milliseconds: answers that come so close are told in one go
const FEW = 3; // more than these at once are told as numbers
const OF_TROUBLE = "trouble";

const said = document.getElementById("said");
const summary = document.getElementById("summary");
let news = [];
let timer;
let drawing;

/** Count again; and tell about this card, together with others that come about now. */
export function report(card) {
  drawing ??= requestAnimationFrame(() => { drawing = undefined; count(); });
  if (!card) return;
  news.push(card);
  timer ??= setTimeout(tell, cards().length === 1 ? 0 : TOGETHER);
}

/** Say that many photos have been taken. */
export function announce(total) {
  if (total > 1) say(fill(said.dataset.started, { total }));
}

/** Say something, even if it was said just before. */
export function say(text) {
  said.textContent = "";
  said.textContent = text;
}

const cards = () => [...document.querySelectorAll("#answer > .card:not(.gone)")];

function tell() {
  timer = undefined;
  const told = [...new Set(news)].filter((card) => card.element.isConnected);
  news = [];
  count();
  if (told.length > FEW) return say(inNumbers());
  const isAlone = cards().length === 1;
  say(told.map((card) => {
    const answer = spoken(card.element);
    return isAlone ? answer : fill(said.dataset.named, { name: card.name, answer });
  }).join("\n"));
}

/** What the summary shows, as one text. */
const inNumbers = () =>
  [...summary.querySelectorAll("p, li:not([hidden])")].map((part) => part.textContent).join(", ");

function count() {
  const tally = {};
  let pending = 0;
  for (const { dataset } of cards()) {
    if (PENDING.has(dataset.state)) pending += 1;
    else tally[dataset.answer ?? OF_TROUBLE] = (tally[dataset.answer ?? OF_TROUBLE] ?? 0) + 1;
  }
  const total = cards().length;
  summary.hidden = total < 2;
  const done = summary.querySelector(".done");
  done.textContent = fill(done.dataset.text, { done: total - pending - (tally[OF_TROUBLE] ?? 0), total });
  for (const part of summary.querySelectorAll("[data-of]")) {
    const number = tally[part.dataset.of] ?? 0;
    part.hidden = !number;
    part.textContent = counted(part, number);
  }
  summary.querySelector("button").hidden = !pending;
}
