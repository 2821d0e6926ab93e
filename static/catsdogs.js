/**
 * A photo that is dropped, pasted or chosen is shown and sent at once.
 *
 * The page works without this script: it is a form with a file field and a button. htmx sends the form and swaps
 * the answer in; what is added here is the preview, the progress, refusing early, and saying what went wrong.
 * Every word a person reads comes from the page (templates and data attributes), none from here.
 */

const form = document.getElementById("ask");
const MEGABYTE = 1_000_000;

/** The address of the photo being shown, in this browser's memory. */
let preview = "";

/** The element a template of this name holds, fresh. */
const fresh = (name) => document.getElementById(name).content.firstElementChild.cloneNode(true);

/** The answer's place; looked up each time because htmx replaces it. */
const place = () => document.getElementById("answer");

/** Read the parts of an element marked as worth saying to those who listen to the page. */
function say(element) {
  const parts = [...element.querySelectorAll("[data-say]")].map((part) => part.textContent.trim());
  document.getElementById("said").textContent = parts.join(". ");
}

/** Why this photo need not be sent, in words; nothing if the server should judge it. */
function refusal(photo) {
  const { notAPhoto, tooLarge, empty, maxMegabytes } = form.dataset;
  const size = (photo.size / MEGABYTE).toFixed(1);
  const words = (text) => text.replace("{name}", photo.name).replace("{size}", size);
  // No type means that the browser does not know the format (HEIC, often): the server does.
  if (photo.type && !photo.type.startsWith("image/")) return words(notAPhoto);
  if (photo.size === 0) return words(empty);
  if (photo.size > Number(maxMegabytes) * MEGABYTE) return words(tooLarge);
  return "";
}

function refuse(reason) {
  const card = fresh("refusal");
  card.querySelector("p").textContent = reason;
  // A photo still on its way would put its answer over this refusal.
  htmx.trigger(form, "htmx:abort");
  form.reset();
  forgetPreview();
  place().replaceChildren(card);
  say(card);
}

/** Send the first photo among these files, or say why not. */
function choose(files) {
  const photo = [...files].find((file) => file.type.startsWith("image/")) ?? files[0];
  if (!photo) return refuse(form.dataset.noFile);
  const reason = refusal(photo);
  if (reason) return refuse(reason);

  const chosen = new DataTransfer();
  chosen.items.add(photo);
  form.elements.photo.files = chosen.files;
  form.requestSubmit();
}

/** Show the photo while it is on its way. */
function look() {
  const card = fresh("waiting");
  const image = card.querySelector("img");
  forgetPreview();
  preview = URL.createObjectURL(form.elements.photo.files[0]);
  image.addEventListener("error", () => image.remove()); // a format this browser cannot show
  image.src = preview;
  place().replaceChildren(card);
  say(card);
}

function forgetPreview() {
  URL.revokeObjectURL(preview);
  preview = "";
}

/** Keep the preview under its answer, so that nothing flickers while the server's copy loads. */
function welcome(answer) {
  const image = answer.querySelector("figure img");
  if (image && preview) {
    const shown = preview;
    const probe = new Image();
    probe.addEventListener("load", () => { if (shown === preview) image.src = shown; });
    probe.src = shown;
  }
  // Where the answer offers to try again, the photo stays chosen.
  if (!answer.querySelector('[form="ask"]')) form.reset();
  say(answer);
  answer.scrollIntoView({ block: "nearest" });
}

/** Say what went wrong where the answer would have been, with a way to try again. */
function trouble(element, title, text) {
  const box = fresh("trouble");
  const [heading, reason, again] = box.children;
  [heading.textContent, reason.textContent] = [title, text];
  if (element === form) {
    const side = place().querySelector(".looking .side");
    side ? side.replaceChildren(box) : place().replaceChildren(box);
  } else {
    again.remove(); // the buttons that were pressed are still there
    const part = element.closest(".feedback");
    part.querySelector(".trouble")?.remove();
    part.append(box);
  }
  say(box);
}

function listenForPhotos() {
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const highlight = (on) => document.documentElement.classList.toggle("dropping", on);

  form.elements.photo.addEventListener("change", (event) => {
    if (event.target.files.length) choose(event.target.files);
  });
  // Browsers open the picker on Space alone: Enter would send the form without a photo.
  form.elements.photo.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    event.target.click();
  });
  document.addEventListener("dragenter", (event) => highlight(hasFiles(event)));
  document.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) highlight(false); });
  document.addEventListener("drop", (event) => {
    highlight(false);
    if (!hasFiles(event)) return;
    event.preventDefault();
    choose(event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) choose(event.clipboardData.files);
  });
}

function listenToHtmx() {
  const { lostTitle, lost, slow, oldTitle, old, brokenTitle, broken } = form.dataset;

  form.addEventListener("htmx:beforeRequest", (event) => { if (event.target === form) look(); });
  form.addEventListener("htmx:xhr:progress", ({ detail }) => {
    const bar = place().querySelector("progress");
    if (!bar || !detail.lengthComputable) return;
    if (detail.loaded < detail.total) bar.value = detail.loaded / detail.total;
    else bar.removeAttribute("value"); // all sent: how long the answer takes is not known
  });
  // A proxy, or Django itself, may answer with a whole page: that must not land inside this one.
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (!detail.shouldSwap || detail.serverResponse.includes(`id="${detail.target.id}"`)) return;
    detail.shouldSwap = false;
    trouble(detail.requestConfig.elt, brokenTitle, broken.replace("{status}", detail.xhr.status));
  });
  document.addEventListener("htmx:afterSwap", ({ detail }) => { if (detail.target.id === "answer") welcome(place()); });
  document.addEventListener("htmx:sendError", ({ detail }) => trouble(detail.elt, lostTitle, lost));
  document.addEventListener("htmx:timeout", ({ detail }) => trouble(detail.elt, lostTitle, slow));
  document.addEventListener("htmx:responseError", ({ detail }) => {
    if (detail.xhr.status === 403) trouble(detail.elt, oldTitle, old);
    else trouble(detail.elt, brokenTitle, broken.replace("{status}", detail.xhr.status));
  });
}

if (form && window.htmx) {
  document.documentElement.classList.add("js");
  listenForPhotos();
  listenToHtmx();
}
