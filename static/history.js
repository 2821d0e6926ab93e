/**
 * What a person hears and where they are when an entry goes away or older ones come; times in their own zone.
 *
 * Every word comes from the page.
 */

import { counted } from "./classify/words.js";

/** Times as this browser's clock has them; the server knows only its own zone. */
function localise(root) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  for (const time of root.querySelectorAll("time:not([data-local])")) {
    time.textContent = format.format(new Date(time.dateTime));
    time.dataset.local = "yes";
  }
}

/** Called by the frame, once for each time the page comes. */
export function start(main, visit) {
  const told = main.querySelector("#told");
  const trouble = main.querySelector("#trouble");

  /** Take an erased entry away. The button that was pressed goes with it, so the focus moves to a neighbour. */
  function remove(entry) {
    const neighbour = entry.nextElementSibling ?? entry.previousElementSibling;
    entry.remove();
    document.dispatchEvent(new CustomEvent("erased", { detail: entry.id.replace("entry-", "") }));
    trouble.hidden = true;
    told.textContent = told.dataset.erased;
    if (main.querySelector(".entry")) neighbour?.querySelector("a")?.focus();
    else visit.refresh(); // the page has words for when nothing is left
  }

  localise(main);
  main.addEventListener("htmx:beforeSwap", (event) => {
    const entry = event.detail.target.closest(".entry");
    if (!entry || !event.detail.shouldSwap) return;
    event.detail.shouldSwap = false;
    remove(entry);
  });

  // Once for each element that came: the first time says it for all.
  main.addEventListener("htmx:afterSwap", () => {
    const fresh = main.querySelectorAll("time:not([data-local])").length;
    if (!fresh) return;
    localise(main);
    trouble.hidden = true;
    told.textContent = counted(told, fresh);
  });

  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    main.addEventListener(name, () => {
      trouble.textContent = trouble.dataset.failed;
      trouble.hidden = false;
    });
  }
}
