/** A page's stay in the frame: its scripts are started when it comes and told when it goes. */

/** What is swapped with each page. */
const PARTS = ["top", "main", "foot"];

const part = (id) => document.getElementById(id);

/** Pages that were left but live on, photos on their way in them, by their address. */
const kept = new Map();

export const keptAt = (url) => kept.get(addressOf(url));

/** What tells one page from another; a fragment does not. */
export const addressOf = (url) => url.pathname + url.search;

export class Visit {
  #leaving = new AbortController();
  #isWorthKeeping = () => false;
  #parts = [];
  #title = "";

  /** @param {() => void} refresh Gets the page anew. */
  constructor(url, { styles, scripts }, refresh) {
    this.address = addressOf(url);
    this.styles = styles;
    this.refresh = refresh;
    this.main = part("main");
    for (const address of scripts) this.#start(address);
  }

  /** Aborted when the page has gone for good: listeners outside of `main` end with it. */
  get signal() {
    return this.#leaving.signal;
  }

  /** Whether the page has something that must outlive a look at another one. */
  get isWorthKeeping() {
    return this.#isWorthKeeping();
  }

  keepWhile(isWorthKeeping) {
    this.#isWorthKeeping = isWorthKeeping;
  }

  /** Make room for the next page. */
  leave() {
    if (this.isWorthKeeping) return this.#keep();
    this.#leaving.abort();
    for (const asking of this.main.querySelectorAll(".htmx-request[hx-get]")) htmx.trigger(asking, "htmx:abort");
  }

  /** Put a kept page back, as it is now. */
  comeBack() {
    kept.delete(this.address);
    for (const each of this.#parts) part(each.id).replaceWith(each);
    document.title = this.#title;
  }

  /** Set it aside whole; what htmx swaps next finds a `main` without content, and a frame as it was. */
  #keep() {
    kept.set(this.address, this);
    this.#title = document.title;
    this.#parts = PARTS.map(part);
    for (const each of this.#parts) each.replaceWith(each.cloneNode(each !== this.main));
  }

  async #start(address) {
    const { start } = await import(address);
    if (!this.signal.aborted) start?.(this.main, this);
  }
}
