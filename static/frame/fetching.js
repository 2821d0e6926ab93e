/** The next page, as the server gives it to anybody. */

import { hasThisFrame, scriptsOf, stylesOf } from "./head.js";

const PATIENCE = 60_000; // milliseconds

/** What came is no page for this frame: a file, a form to log in, a page of another release. */
export class Elsewhere extends Error {}

/**
 * Fetch a page.
 *
 * @param {URL} url
 * @param {AbortSignal} signal Stops it.
 * @returns {Promise<{url: URL, html: string, hasFrame: boolean, styles: string[], scripts: string[]}>} `url` is where
 *   redirections led.
 * @throws {Elsewhere} The browser itself has to load it. Anything else: nobody answered.
 */
export async function fetchPage(url, signal) {
  const response = await fetch(url, {
    headers: { Accept: "text/html" },
    signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
  });
  if (!response.headers.get("Content-Type")?.startsWith("text/html")) throw new Elsewhere();

  const html = await response.text();
  const page = new DOMParser().parseFromString(html, "text/html");
  const hasFrame = hasThisFrame(page);
  // Our error pages have no frame, so that they need nothing that could be broken; here there is one.
  if (!hasFrame && (response.ok || !page.querySelector("main.lost"))) throw new Elsewhere();
  const led = new URL(response.url);
  led.hash = url.hash;
  const styles = hasFrame ? stylesOf(page) : stylesOf(document).slice(0, 1);
  return { url: led, html, hasFrame, styles, scripts: scriptsOf(page) };
}
