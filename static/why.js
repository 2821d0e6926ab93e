/**
 * The slider makes the heat over a photo stronger or weaker, and a heat map that does not come says so.
 *
 * htmx fetches the map when its "Why?" is opened for the first time. Cards come and go, so the document listens.
 */

const placeOf = (element) => element?.closest?.(".why-place");

document.addEventListener("input", ({ target }) => {
  if (!target.matches(".why-strength input")) return;
  placeOf(target).querySelector(".heat").style.opacity = target.value / 100;
  target.setAttribute("aria-valuetext", `${target.value} %`);
});

/** Offer the link that was there before, with a word about it. */
function failed(event) {
  const place = placeOf(event.detail.elt);
  if (!place) return;
  event.stopPropagation(); // the page has its own words for photos that got no answer
  const words = place.querySelector(".why-wait") ?? place.querySelector(".why-words");
  words.textContent = words.dataset.failed ?? place.dataset.failed ?? words.textContent;
  place.classList.add("failed");
}

// Before anyone else hears of it.
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, failed, true);
}
document.addEventListener("htmx:beforeRequest", (event) => placeOf(event.detail.elt)?.classList.remove("failed"));
