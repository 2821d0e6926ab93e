/**
 * The frame that all pages share. A link brings the next page into it: fetched like any page, its `main` swapped in by
 * htmx, title, focus and history as if it had been loaded. Without this script, and where something is amiss, links
 * are links.
 */

import { Lost, fetchPage } from "./fetching.js";
import { addStyles, keepStyles, scriptsOf, stylesOf } from "./head.js";
import { follow, goToFragment, push, remember, restore, startPlaces } from "./places.js";
import { Visit, addressOf, keptAt } from "./visit.js";

const SWAP = { swapStyle: "outerHTML", swapDelay: 0, settleDelay: 0 };
const PARTS = { select: "#main", selectOOB: "#top,#foot" };

let shown;
/** What stops the navigation that is under way. */
let going = null;

/** How a page is come to: by a link, by the browser's buttons, or by asking for it again. */
const BY_LINK = "link", BY_BUTTONS = "buttons", AGAIN = "again";

async function go(url, how) {
  going?.abort();
  const mine = going = new AbortController();
  document.documentElement.classList.add("going");
  try {
    const page = keptAt(url) ?? await fetchPage(url, mine.signal);
    await addStyles(page.styles);
    if (!mine.signal.aborted) show(page, page.url ?? url, how);
  } catch (error) {
    if (!mine.signal.aborted) giveUp(error, url, how);
  } finally {
    if (going === mine) {
      going = null;
      document.documentElement.classList.remove("going");
    }
  }
}

function show(page, url, how) {
  if (how === BY_LINK) push(url);
  else history.replaceState(history.state, "", url); // a redirection may have led elsewhere
  shown.leave();
  astray().hidden = true;
  if (page instanceof Visit) page.comeBack();
  else htmx.swap("#main", page.html, SWAP, PARTS);
  keepStyles(page.styles);
  shown = page instanceof Visit ? page : new Visit(url, page, refresh);
  if (page.hasFrame === false) for (const link of currentLinks()) link.removeAttribute("aria-current");
  settle(how, url.hash);
}

/** Who listens hears the page's heading; who looks sees its beginning, or where they were. */
function settle(how, hash = "") {
  const heading = shown.main.querySelector("h1") ?? shown.main;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  if (how !== BY_LINK) return restore();
  scrollTo({ top: 0, behavior: "instant" });
  if (hash) goToFragment(hash);
}

/** Where nobody answers, what is here stays, with a word about it. All else the browser loads as ever. */
function giveUp(error, url, how) {
  if (!(error instanceof Lost)) return how === BY_BUTTONS ? location.reload() : location.assign(url);
  const words = astray();
  words.querySelector("a").href = url;
  words.hidden = false;
}

function refresh() {
  remember();
  return go(new URL(location), AGAIN);
}

const astray = () => document.getElementById("astray");
const currentLinks = () => document.querySelectorAll("#top [aria-current]");

/** Whether a click on a link is for us: an ordinary click on a page of ours. */
function isOurs(event, link) {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return false;
  if (link.origin !== location.origin || link.hasAttribute("download") || !["", "_self"].includes(link.target)) return false;
  const { admin, api } = document.body.dataset;
  return ![admin, api].some((beginning) => link.pathname.startsWith(beginning));
}

function followLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || !isOurs(event, link)) return;
    const url = new URL(link.href);
    const isHere = addressOf(url) === shown.address;
    if (isHere && url.hash) return remember(); // the browser goes there by itself
    event.preventDefault();
    // The browser's buttons may have led to an address whose page was lost on the way.
    if (!isHere) return go(url, addressOf(url) === addressOf(location) ? AGAIN : BY_LINK);
    // Photos on their way here must not be lost to a click on the page's own name.
    if (shown.isWorthKeeping) settle(BY_LINK);
    else go(url, AGAIN);
  });
}

/** A form that only asks is a link with values. */
function followQuestions() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "get" || form.target) return;
    event.preventDefault();
    const url = new URL(form.action);
    url.search = new URLSearchParams(new FormData(form, event.submitter));
    go(url, addressOf(url) === shown.address ? AGAIN : BY_LINK);
  });
}

function followButtons() {
  addEventListener("popstate", () => {
    if (!follow()) return; // a fragment that the browser went to
    const url = new URL(location);
    if (addressOf(url) !== shown.address) return go(url, BY_BUTTONS);
    going?.abort();
    restore();
  });
}

/** A photo that is dropped where none is asked for would take the page's place. */
function refuseDrops() {
  for (const name of ["dragover", "drop"]) {
    addEventListener(name, (event) => {
      if (event.defaultPrevented || !event.dataTransfer?.types.includes("Files")) return;
      if (event.target.closest?.("input[type=file]")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "none";
    });
  }
}

// Older browsers load each page, as all do without script.
if (window.htmx && AbortSignal.any) {
  startPlaces();
  followLinks();
  followQuestions();
  followButtons();
  refuseDrops();
}
if (window.htmx) document.documentElement.classList.add("js");
shown = new Visit(new URL(location), { styles: stylesOf(document), scripts: scriptsOf(document) }, refresh);
