// The page refreshes itself: not while nobody looks, and it says so when that fails.

const refreshes = (event) => event.detail.elt?.matches?.("#live > [hx-get]");

/** Called by the frame, once for each time the page comes. */
export function start(main) {
  function failed(event) {
    const when = main.querySelector("#when");
    if (refreshes(event) && when && !when.dataset.failed) {
      when.dataset.failed = "yes";
      when.append(` – ${when.dataset.failedWords}`);
    }
  }

  main.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && refreshes(event)) event.preventDefault();
  });
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    main.addEventListener(name, failed);
  }
  // A refusal that htmx would swap, such as 503, is no refresh either.
  main.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful) failed(event);
  });
}
