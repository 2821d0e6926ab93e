/** One photo's way to the server and back, and what came of it. */

import { token } from "./visitor.js";

// Milliseconds without a byte in either direction: longer than any answer takes, shorter than patience.
const SILENCE = 90_000;
const PATIENCE = 5; // seconds, where the server asks for patience and names no time

/**
 * Send a photo.
 *
 * @param {Blob} photo
 * @param {string} name Its file's name.
 * @param {string} address Where to.
 * @param {(share: number) => void} progress Told how much is sent, from 0 to 1.
 * @param {AbortSignal} signal Stops it.
 * @returns {Promise<{kind: string, status: number, card: Element|null, seconds: number}>} `kind` is answered, refused,
 *   busy (try again after `seconds`), away (nobody answered), slow, old (the token), broken or stopped.
 */
export function send(photo, name, address, progress, signal) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const finish = (kind) => {
      clearTimeout(silence);
      resolve({ kind, status: request.status, card: cardIn(request), seconds: secondsToWait(request) });
    };
    let silence;
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(() => { finish("slow"); request.abort(); }, SILENCE);
    };
    request.upload.addEventListener("progress", ({ loaded, total }) => { listen(); progress(loaded / total); });
    request.upload.addEventListener("load", () => { listen(); progress(1); });
    request.addEventListener("progress", listen);
    request.addEventListener("load", () => finish(kindOf(request)));
    request.addEventListener("error", () => finish("away"));
    request.addEventListener("abort", () => finish("stopped"));
    signal.addEventListener("abort", () => request.abort());

    const body = new FormData();
    body.append("photo", photo, name);
    request.open("POST", address);
    request.setRequestHeader("HX-Request", "true");
    request.setRequestHeader("X-CSRFToken", token());
    request.send(body);
    listen();
    if (signal.aborted) request.abort();
  });
}

/** What an answer's status means for the photo, with the page's own card in it or without. */
function kindOf(request) {
  const card = cardIn(request);
  switch (request.status) {
    case 403: return "old";
    case 429: case 503: return "busy";
    case 502: case 504: return "away"; // a proxy in front of a server that is starting again
    case 413: case 415: return card ? "refused" : request.status === 413 ? "too-large" : "not-a-photo";
  }
  if (card?.matches("[data-answer]")) return "answered";
  return card && request.status < 500 ? "refused" : "broken";
}

/** Our own card in the answer. A proxy's page, or Django's, must never land in this one. */
function cardIn(request) {
  const holder = document.createElement("template");
  holder.innerHTML = request.responseText;
  return holder.content.querySelector(".card");
}

function secondsToWait(request) {
  const seconds = request.readyState === 4 ? Number.parseInt(request.getResponseHeader("Retry-After"), 10) : NaN;
  return seconds > 0 ? seconds : PATIENCE;
}
