/**
 * A worker that decodes photos, upright, and draws them smaller: a preview, and what is sent in a large one's place.
 *
 * Here and not in the page, so that the page stays quick; one at a time, so that fifty photos need the memory of one.
 */

const PREVIEW_SIDE = 640; // pixels
const SENT_SIDE = 1600;
const QUALITY = 0.9;

addEventListener("message", async ({ data: { number, file, preview, shrink } }) => {
  let photo;
  try {
    photo = await createImageBitmap(file, { imageOrientation: "from-image" });
    const { width, height } = photo;
    postMessage({
      number,
      width,
      height,
      preview: preview ? await drawn(photo, PREVIEW_SIDE, 0.8) : null,
      shrunk: shrink ? await drawn(photo, SENT_SIDE, QUALITY) : null,
    });
  } catch {
    postMessage({ number, failed: true }); // no photo, or a format that this browser does not know
  } finally {
    photo?.close();
  }
});

/** A JPEG whose longest side has at most `side` pixels; what shows through is white. */
function drawn(photo, side, quality) {
  const scale = Math.min(1, side / Math.max(photo.width, photo.height));
  const canvas = new OffscreenCanvas(Math.ceil(photo.width * scale), Math.ceil(photo.height * scale));
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(photo, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg", quality });
}
