/**
 * The heat lies over the card's own photo, a slider makes it stronger or weaker, and a heat map that does not come says
 * so.
 *
 * htmx fetches the map when its "Why?" is opened for the first time. Cards come and go, so their page listens.
 */

const placeOf = (element) => element?.closest?.(".why-place");

/** A card has the photo already: the heat moves there, and the second copy of the photo is never fetched. */
function layOver(place) {
  const figure = place.closest(".card[data-answer]")?.querySelector(":scope > figure");
  const picture = place.querySelector(".why-picture");
  if (!figure?.querySelector("img") || !picture) return;
  figure.querySelector(".heat")?.remove();
  figure.append(picture.querySelector(".heat"));
  picture.remove();
}

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

/** Called by the frame, once for each time a page with answers comes. */
export function start(main) {
  main.addEventListener("input", ({ target }) => {
    if (!target.matches(".why-strength input")) return;
    target.closest(".card").querySelector(".heat").style.opacity = target.value / 100;
    target.setAttribute("aria-valuetext", `${target.value} %`);
  });

  // Before anyone else hears of it.
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    main.addEventListener(name, failed, true);
  }

  main.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const place = placeOf(detail.target);
    if (!place || !detail.shouldSwap || detail.serverResponse.includes(`id="${place.id}"`)) return;
    // "Not just now" comes as a card, and a proxy's answer as a page: neither is a heat map.
    detail.shouldSwap = false;
    fail(place);
  });
  // At once, before the browser fetches what is lazy.
  main.addEventListener("htmx:afterSwap", ({ target }) => { if (target.matches(".why-place")) layOver(target); });
  main.addEventListener("htmx:beforeRequest", ({ detail }) => placeOf(detail.elt)?.classList.remove("failed"));
}
