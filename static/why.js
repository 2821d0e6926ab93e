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
function fail(place) {
  const words = place.querySelector(".why-wait, .why-words, .problem");
  words.textContent = words.dataset.failed ?? place.dataset.failed ?? words.textContent;
  place.classList.add("failed");
}

function failed(event) {
  const place = placeOf(event.detail.elt);
  if (!place) return;
  event.stopPropagation(); // the page has words of its own for photos that got no answer
  fail(place);
}

// Before anyone else hears of it.
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, failed, true);
}

// "Not just now" comes as a card, and a proxy's answer as a page: neither is a heat map.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const place = placeOf(detail.target);
  if (!place || !detail.shouldSwap || detail.serverResponse.includes(`id="${place.id}"`)) return;
  detail.shouldSwap = false;
  fail(place);
});

document.addEventListener("htmx:beforeRequest", ({ detail }) => placeOf(detail.elt)?.classList.remove("failed"));
