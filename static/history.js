/**
 * What a person hears and where they are when an entry goes away or older ones come; times in their own zone.
 *
 * Every word comes from the page.
 */

import { counted } from "./classify/words.js";

const told = document.getElementById("told");
const trouble = document.getElementById("trouble");

/** Times as this browser's clock has them; the server knows only its own zone. */
function localise(root) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  for (const time of root.querySelectorAll("time:not([data-local])")) {
    time.textContent = format.format(new Date(time.dateTime));
    time.dataset.local = "yes";
  }
}

localise(document);

/** Take an erased entry away. The button that was pressed goes with it, so the focus moves to a neighbour. */
function remove(entry) {
  const neighbour = entry.nextElementSibling ?? entry.previousElementSibling;
  entry.remove();
  trouble.hidden = true;
  told.textContent = told.dataset.erased;
  if (document.querySelector(".entry")) neighbour?.querySelector("a")?.focus();
  else location.reload(); // the page has words for when nothing is left
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const entry = event.detail.target.closest(".entry");
  if (!entry || !event.detail.shouldSwap) return;
  event.detail.shouldSwap = false;
  remove(entry);
});

// Once for each element that came: the first time says it for all.
document.addEventListener("htmx:afterSwap", () => {
  const fresh = document.querySelectorAll("time:not([data-local])").length;
  if (!fresh) return;
  localise(document);
  trouble.hidden = true;
  told.textContent = counted(told, fresh);
});

for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => {
    trouble.textContent = trouble.dataset.failed;
    trouble.hidden = false;
  });
}
