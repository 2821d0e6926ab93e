/** Previews and smaller copies of photos, made by the worker one after the other. */

const LARGE_BYTES = 1_500_000;
const LARGE_SIDE = 2000; // pixels

const jobs = [];
let current = null;
let worker = null;
let number = 0;
let address;

/** Where the worker's script is. */
export const useWorker = (script) => { address = script; };

/**
 * What is known of a photo before it is sent.
 *
 * @returns {Promise<{width?: number, height?: number, preview?: Blob, shrunk?: Blob, failed?: boolean}>} `failed`: this
 *   browser cannot decode it.
 */
export function look(file) {
  return ask({ file, preview: true, shrink: false });
}

/** The file itself, or a smaller copy that is worth sending in its place; `seen` is what `look` gave. */
export async function shrunk(file, seen) {
  const isLarge = file.size > LARGE_BYTES || Math.max(seen.width, seen.height) > LARGE_SIDE;
  if (seen.failed || !isLarge) return file;
  const copy = (await ask({ file, preview: false, shrink: true, isUrgent: true })).shrunk;
  return copy && copy.size < file.size ? copy : file;
}

/** Let this photo's look come next: its turn to be sent has come. */
export function hurry(file) {
  const found = jobs.findIndex((job) => job.file === file);
  if (found > 0) jobs.unshift(...jobs.splice(found, 1));
}

/** Nobody waits for this photo any more. */
export function forget(file) {
  const found = jobs.findIndex((job) => job.file === file);
  if (found >= 0) jobs.splice(found, 1)[0].done({ failed: true });
}

function ask(job) {
  return new Promise((done) => {
    job.done = done;
    job.isUrgent ? jobs.unshift(job) : jobs.push(job);
    next();
  });
}

function next() {
  if (current || !jobs.length) return;
  current = jobs.shift();
  worker ??= start();
  if (!worker) return finish({ failed: true });
  current.number = number += 1;
  const { file, preview, shrink } = current;
  worker.postMessage({ number, file, preview, shrink });
}

/** Finish what is being done, and go on with the next. */
function finish(seen) {
  const { done } = current;
  current = null;
  done(seen);
  next();
}

/** The worker; null where this browser cannot draw in one. */
function start() {
  if (!globalThis.OffscreenCanvas || !globalThis.Worker) return null;
  const made = new Worker(address, { type: "module" });
  made.addEventListener("message", ({ data }) => { if (current?.number === data.number) finish(data); });
  // Out of memory, or never loaded: the next photo gets a new one.
  made.addEventListener("error", () => { worker = null; if (current) finish({ failed: true }); });
  return made;
}
