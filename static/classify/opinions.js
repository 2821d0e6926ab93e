/**
 * What people say of an answer, and erasing it: htmx sends and swaps, this says what went wrong, beside the buttons.
 *
 * A click that did not arrive can be made again, and keeps its choice; where the server asked for patience, it is made
 * again by itself. What was said can be undone for ten seconds.
 */

import { say } from "./saying.js";
import { fill, fresh, held, spoken } from "./words.js";
import { renew } from "./visitor.js";

const PARTS = ".feedback";
const PATIENCE = 5; // seconds, where the server asks for patience and names no time
/** Forms whose token was renewed for the click that is on its way: a second refusal is final. */
const renewed = new WeakSet();

export function listenToOpinions(board, signal) {
  const { main } = board;
  const on = (name, listener) => main.addEventListener(name, listener);
  on("htmx:beforeRequest", ({ detail }) => part(detail.elt)?.querySelector(".trouble:not(.trying)")?.remove());
  on("htmx:beforeSwap", judge);
  on("htmx:sendError", ({ detail }) => fail(detail, "lost"));
  on("htmx:timeout", ({ detail }) => fail(detail, "slow"));
  on("htmx:load", ({ detail }) => welcome(detail.elt, board));
  addEventListener("online", () => {
    for (const button of main.querySelectorAll("[data-trouble=lost] button")) button.click();
  }, { signal });
}

const part = (element) => element.closest?.(PARTS);

/** Let in what belongs here; a proxy's page, Django's, or a card that says "not now" must not replace anything. */
function judge({ detail }) {
  const { requestConfig, xhr } = detail;
  if (!part(requestConfig.elt)) return;
  if (xhr.status !== 403) renewed.delete(requestConfig.elt);
  const isOurs = detail.target.id ? detail.serverResponse.includes(`id="${detail.target.id}"`) : xhr.status < 300;
  if (isOurs && (xhr.status < 300 || xhr.status === 422)) return forgetPreview(detail.target);
  detail.shouldSwap = detail.isError = false;
  if (xhr.status === 403) renewAndRepeat(detail);
  else fail(detail, { 404: "gone", 429: "busy", 503: "busy" }[xhr.status] ?? "broken");
}

async function renewAndRepeat(detail) {
  const { elt } = detail.requestConfig;
  if (renewed.has(elt) || !(await renew())) return fail(detail, "old");
  renewed.add(elt);
  press(detail.requestConfig);
}

/** Make the same click again: htmx sends the value of the button that was clicked last, and of no other. */
function press({ elt, triggeringEvent }) {
  (triggeringEvent?.submitter ?? elt.querySelector("button")).click();
}

/** Say what went wrong where the click was made, with a way to make it again. */
function fail({ requestConfig, xhr }, kind) {
  const { elt } = requestConfig;
  if (!part(elt)) return;
  const box = fresh("trouble");
  const [title, text] = held("troubles").querySelector(`[data-trouble="${kind}"]`).children;
  box.dataset.trouble = kind;
  box.querySelector("h3").textContent = title.textContent;
  box.querySelector("p").textContent = fill(text.textContent, { status: xhr.status, reason: reasonIn(xhr) });
  box.querySelector("button").addEventListener("click", () => {
    box.remove();
    press(requestConfig);
  });
  const before = part(elt).querySelector(".trouble");
  before?.remove();
  part(elt).append(box);
  if (before?.dataset.trouble !== kind) say(spoken(box)); // not each time that it tries again
  if (kind === "busy") keepTrying(box, requestConfig, xhr);
}

/** Make the click again every few seconds, until something else is said here. Meanwhile nothing moves. */
function keepTrying(box, requestConfig, xhr) {
  const seconds = Number.parseInt(xhr.getResponseHeader("Retry-After"), 10) || PATIENCE;
  const timer = setInterval(() => {
    if (!box.parentElement) return clearInterval(timer);
    if (!box.isConnected) return; // another page is being looked at
    box.classList.add("trying");
    press(requestConfig);
    box.classList.remove("trying");
  }, seconds * 1000);
}

/** A card that gives way needs its preview no longer. */
function forgetPreview(target) {
  if (target.matches(".card")) URL.revokeObjectURL(target.querySelector("figure img")?.src);
}

/** The server's own words for being busy, where it had any. */
function reasonIn(xhr) {
  const holder = document.createElement("template");
  holder.innerHTML = xhr.responseText;
  return holder.content.querySelector(".card p")?.textContent ?? "";
}

/** New content has arrived: a thank-you, a question again, or that a photo is gone. */
function welcome(element, board) {
  const undo = element.querySelector?.("[data-seconds]");
  if (undo) setTimeout(() => takeAway(undo), Number(undo.dataset.seconds) * 1000);
  // Asked once: while one card asks for consent, another one does not.
  const [, ...further] = board.main.querySelectorAll(".asks-consent");
  for (const question of further) question.remove();
  if (element.matches?.(".gone")) {
    board.report();
    say(spoken(element));
  }
}

function takeAway(undo) {
  if (undo.contains(document.activeElement)) part(undo).querySelector(".thanks").focus();
  undo.remove();
}
