/** The next page, as the server gives it to anybody. */

import { hasThisFrame, scriptsOf, stylesOf } from "./head.js";

const PATIENCE = 60_000; // milliseconds

/** What came is no page for this frame: a file, a form to log in, a page of another release. */
export class Elsewhere extends Error {}

/** Nothing came. */
export class Lost extends Error {}

/**
 * Fetch a page.
 *
 * @param {URL} url
 * @param {AbortSignal} signal Stops it.
 * @returns {Promise<{url: URL, html: string, hasFrame: boolean, styles: string[], scripts: string[]}>} `url` is where
 *   redirections led.
 * @throws {Elsewhere} The browser itself has to load it.
 * @throws {Lost}
 */
export async function fetchPage(url, signal) {
  const { html, ledTo, isOk } = await getHtml(url, AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]));
  const page = new DOMParser().parseFromString(html, "text/html");
  const hasFrame = hasThisFrame(page);
  // Our error pages have no frame, so that they need nothing that could be broken; here there is one.
  if (!hasFrame && (isOk || !page.querySelector("main.lost"))) throw new Elsewhere();
  ledTo.hash = url.hash;
  const styles = hasFrame ? stylesOf(page) : stylesOf(document).slice(0, 1);
  return { url: ledTo, html, hasFrame, styles, scripts: scriptsOf(page) };
}

async function getHtml(url, signal) {
  try {
    const response = await fetch(url, { headers: { Accept: "text/html" }, signal });
    if (response.headers.get("Content-Type")?.startsWith("text/html")) {
      return { html: await response.text(), ledTo: new URL(response.url), isOk: response.ok };
    }
  } catch (error) {
    throw new Lost("", { cause: error });
  }
  throw new Elsewhere();
}
