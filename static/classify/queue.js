/** At most so many at a time; the rest wait in line. */

export class Queue {
  #most;
  #waiting = [];
  #running = 0;
  #heldUntil = 0; // milliseconds of the page's clock; 0: nobody asked for patience
  #timer;
  #closed = false;

  /** `most` things run at a time; each has a method run() that returns a promise. */
  constructor(most) {
    this.#most = most;
  }

  add(thing) {
    this.#waiting.push(thing);
    this.#next();
  }

  /** Ahead of those that have not had their turn. */
  addFirst(thing) {
    this.#waiting.unshift(thing);
    this.#next();
  }

  remove(thing) {
    this.#waiting = this.#waiting.filter((other) => other !== thing);
  }

  /** Those that have not had their turn. */
  get waiting() {
    return [...this.#waiting];
  }

  /** Start nothing for so many seconds: whoever answers asked for patience. */
  hold(seconds) {
    const until = performance.now() + seconds * 1000;
    if (until <= this.#heldUntil) return;
    this.#heldUntil = until;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.release(), seconds * 1000);
  }

  /** Do not wait any longer. */
  release() {
    clearTimeout(this.#timer);
    this.#heldUntil = 0;
    this.#next();
  }

  /** Start nothing until it opens. */
  close() {
    this.#closed = true;
  }

  open() {
    this.#closed = false;
    this.#next();
  }

  #next() {
    while (!this.#closed && !this.#heldUntil && this.#running < this.#most && this.#waiting.length) {
      this.#running += 1;
      this.#waiting.shift().run().finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }
}
