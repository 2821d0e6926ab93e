/**
 * What a person hears and where they are when an entry goes away or older ones come; times in their own zone.
 *
 * Every word comes from the page.
 */

document.documentElement.classList.add("js");

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

let neighbour = null;

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const entry = detail.target.closest(".entry");
  if (entry && detail.shouldSwap) neighbour = entry.nextElementSibling ?? entry.previousElementSibling;
});

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  trouble.hidden = true;
  if (detail.requestConfig.verb === "post") {
    told.textContent = told.dataset.erased;
    // The button that was pressed is gone with its entry.
    neighbour?.querySelector("a")?.focus();
    if (!document.querySelector(".entry")) location.reload();
    return;
  }
  const fresh = document.querySelectorAll("time:not([data-local])").length;
  localise(document);
  told.textContent = told.dataset.more.replace("{n}", fresh);
});

for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => {
    trouble.textContent = trouble.dataset.failed;
    trouble.hidden = false;
  });
}
