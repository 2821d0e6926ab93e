/**
 * One key per button, on the page where photos are reviewed.
 *
 * The page works without this script: its buttons are plain forms. htmx swaps the next photo in; what is added here
 * are the keys, which can be turned off, and saying what happened to those who listen to the page.
 */

const TURNED_OFF = "review-keys-off";
const keys = document.getElementById("keys");
const trouble = document.getElementById("trouble");

const place = () => document.getElementById("review");

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

function remember() {
  localStorage.setItem(TURNED_OFF, keys.checked ? "" : "yes");
  document.documentElement.classList.toggle("keyless", !keys.checked);
}

document.documentElement.classList.add("js");
keys.checked = localStorage.getItem(TURNED_OFF) !== "yes";
document.documentElement.classList.toggle("keyless", !keys.checked);
keys.addEventListener("change", remember);
document.addEventListener("keydown", press);
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  // A proxy, or Django itself, may answer with a whole page: that must not land inside this one.
  if (!detail.shouldSwap || detail.serverResponse.includes('id="review"')) return;
  detail.shouldSwap = false;
  complain(trouble.dataset.lost);
});
document.addEventListener("htmx:afterSettle", ({ detail }) => { if (detail.target.id === "review") sayWhatHappened(); });
document.addEventListener("htmx:sendError", () => complain(trouble.dataset.lost));
document.addEventListener("htmx:timeout", () => complain(trouble.dataset.lost));
document.addEventListener("htmx:responseError", ({ detail }) => {
  complain(detail.xhr.status === 403 ? trouble.dataset.old : trouble.dataset.lost);
});
