/**
 * Who this browser is to the server: its CSRF token, and one name for all photos that leave together.
 *
 * Were the first four photos sent at once without a session, each would make one, and three answers would belong to
 * nobody. So the name is fetched first, once; and again when the cookies have gone.
 */

const PATIENCE = 15_000; // milliseconds

let isKnown = false;
let renewing = null;

/** Wait until the server knows us. It is not there, or does not answer: the photo will find out. */
export const introduce = async () => isKnown || renew();

/** A fresh token for this page and for every form in it, one for all who ask at once; whether there is one. */
export function renew() {
  renewing ??= useFreshToken().finally(() => { renewing = null; });
  return renewing;
}

async function useFreshToken() {
  const token = await fetchToken().catch(() => "");
  isKnown = token !== "";
  if (!isKnown) return false;
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
  for (const field of document.getElementsByName("csrfmiddlewaretoken")) field.value = token;
  return true;
}

/** The token that goes with each request. */
export const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

async function fetchToken() {
  const response = await fetch(document.body.dataset.visitor, {
    headers: { "HX-Request": "true" },
    signal: AbortSignal.timeout(PATIENCE),
  });
  return response.ok ? (await response.json()).token : "";
}
