// The page refreshes itself: not while nobody looks, and it says so when that fails.

document.documentElement.classList.add("js");

const refreshes = (event) => event.detail.elt?.matches?.("#live > [hx-get]");

document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && refreshes(event)) event.preventDefault();
});

function failed(event) {
  const when = document.getElementById("when");
  if (refreshes(event) && when && !when.dataset.failed) {
    when.dataset.failed = "yes";
    when.append(` – ${when.dataset.failedWords}`);
  }
}

for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, failed);
}

// A refusal that htmx would swap, such as 503, is no refresh either.
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful) failed(event);
});
