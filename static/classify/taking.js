/** What a drop holds: photos, and folders of photos. */

// Formats that browsers may not know: such files have no type.
const UNKNOWN_PHOTO = /\.(heic|heif|avif)$/i;

/**
 * The files and folders of a drop. It must be asked at once: a drop forgets what it held.
 *
 * @returns {{files: File[], folders: FileSystemDirectoryEntry[]}}
 */
export function contentsOf(drop) {
  const items = [...drop.items].filter((item) => item.kind === "file");
  const folders = items.map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry?.isDirectory);
  if (!folders.length) return { files: [...drop.files], folders };
  // A folder is among the files, too, as one that nobody can read.
  const files = items.filter((item) => !item.webkitGetAsEntry()?.isDirectory).map((item) => item.getAsFile());
  return { files, folders };
}

/** The photos of a folder and of those in it, by name; what lies beside them, and what is hidden, is passed over. */
export async function photosIn(folder) {
  const entries = (await listed(folder)).filter(({ name }) => !name.startsWith("."));
  entries.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  const found = await Promise.all(entries.map((entry) => entry.isDirectory ? photosIn(entry) : photoOf(entry)));
  return found.flat();
}

/** All entries of a folder: its reader gives some at a time, and none at the end. */
async function listed(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((resolve) => { reader.readEntries(resolve, () => resolve([])); });
    if (!some.length) return all;
    all.push(...some);
  }
}

async function photoOf(entry) {
  const file = await new Promise((resolve) => { entry.file(resolve, () => resolve(null)); });
  return file && (file.type ? file.type.startsWith("image/") : UNKNOWN_PHOTO.test(file.name)) ? [file] : [];
}
