/**
 * One key per button, on the page where photos are reviewed.
 *
 * The page works without this script: its buttons are plain forms. htmx swaps the next photo in; what is added here
 * are the keys, which can be turned off, and saying what happened to those who listen to the page.
 */

const TURNED_OFF = "review-keys-off";

/** Called by the frame, once for each time the page comes. */
export function start(main, { signal }) {
  const keys = main.querySelector("#keys");
  const trouble = main.querySelector("#trouble");
  const place = () => main.querySelector("#review");
  const showKeys = (areShown) => document.documentElement.classList.toggle("keyless", !areShown);

  /** Press the button that has this key, unless the person is writing or means a command of the browser. */
  function press(event) {
    if (!keys.checked || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select")) return;
    const button = place().querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!button) return;
    event.preventDefault();
    button.click();
  }

  function sayWhatHappened() {
    trouble.hidden = true;
    const parts = [...place().querySelectorAll("[data-say]")].map((part) => part.textContent.trim());
    document.getElementById("said").textContent = parts.join(" ");
    document.title = document.title.replace(/^[^·]+/, `${place().dataset.title} `);
  }

  function complain(text) {
    trouble.textContent = text;
    trouble.hidden = false;
  }

  keys.checked = localStorage.getItem(TURNED_OFF) !== "yes";
  showKeys(keys.checked);
  signal.addEventListener("abort", () => showKeys(true));
  keys.addEventListener("change", () => {
    localStorage.setItem(TURNED_OFF, keys.checked ? "" : "yes");
    showKeys(keys.checked);
  });
  document.addEventListener("keydown", press, { signal });
  keys.disabled = false; // not before, for until here no key was listened to

  const on = (name, listener) => main.addEventListener(name, listener);
  on("htmx:beforeSwap", ({ detail }) => {
    // A proxy, or Django itself, may answer with a whole page: that must not land inside this one.
    if (!detail.shouldSwap || detail.serverResponse.includes('id="review"')) return;
    detail.shouldSwap = false;
    complain(trouble.dataset.lost);
  });
  on("htmx:afterSettle", ({ detail }) => { if (detail.target.id === "review") sayWhatHappened(); });
  on("htmx:sendError", () => complain(trouble.dataset.lost));
  on("htmx:timeout", () => complain(trouble.dataset.lost));
  on("htmx:responseError", ({ detail }) => {
    complain(detail.xhr.status === 403 ? trouble.dataset.old : trouble.dataset.lost);
  });
}
