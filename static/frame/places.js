/**
 * Where each entry of the browser's history was scrolled to when it was left.
 *
 * The browser's own memory would scroll before the page has come.
 */

const NAME = "scrolled";

const places = read();
let here = history.state?.place;

/** Take over, and go to where this entry was left if it has been seen before: it was loaded again. */
export function startPlaces() {
  history.scrollRestoration = "manual";
  if (here) restore();
  else name();
  addEventListener("hashchange", () => { if (!history.state) name(); });
  addEventListener("pagehide", () => { remember(); write(); });
}

/** Note how far this entry is scrolled; before another one takes its place. */
export function remember() {
  places[here] = Math.round(scrollY);
}

/** A new entry for this address. */
export function push(address) {
  remember();
  here = unheardOf();
  history.pushState({ place: here }, "", address);
}

/** The browser went to another entry; whether that is one we know. */
export function follow() {
  if (!history.state?.place) return false;
  remember();
  here = history.state.place;
  return true;
}

/** Go to where this entry was left: at once, whatever the style says. */
export function restore() {
  scrollTo({ top: places[here] ?? 0, behavior: "instant" });
}

/** Let the browser go to the address's fragment, so that `:target` and the keyboard's place follow. */
export function goToFragment(hash) {
  location.replace(hash);
  history.replaceState({ place: here }, "");
}

/** Give the entry that the browser made a name. */
function name() {
  here = unheardOf();
  history.replaceState({ place: here }, "");
}

const unheardOf = () => String(performance.timeOrigin + performance.now());

// A browser may forbid it: then places are known until the page is loaded anew.
function read() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME)) ?? {};
  } catch {
    return {};
  }
}

function write() {
  try {
    sessionStorage.setItem(NAME, JSON.stringify(places));
  } catch { /* as above */ }
}
