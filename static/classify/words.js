/** Put numbers and names into the page's own words: templates and data attributes hold them, no script does. */

const language = document.documentElement.lang || undefined;
const plurals = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const shares = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });

/** A number of bytes in megabytes, as this language writes it. */
export const megabytes = (bytes) => numbers.format(bytes / 1_000_000);

/** A share from 0 to 1 in percent. */
export const percent = (share) => shares.format(share);

const templates = new Map();

/** Take the words of a page: they are the same on each, and still needed while another page is shown. */
export function learn(main) {
  for (const template of main.querySelectorAll("template")) templates.set(template.id, template.content);
}

/** What a template holds, to look words up in. */
export const held = (id) => templates.get(id);

/** The element that a template holds, fresh. */
export const fresh = (id) => held(id).firstElementChild.cloneNode(true);

/** The text with its {placeholders} filled in; what fills them stays text, whatever it holds. */
export function fill(text, values = {}) {
  return text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}

/** The form of an element's words for this number: data-one, data-other. */
export function counted(element, count) {
  const { one, other } = element.dataset;
  return fill(plurals.select(count) === "one" ? one : other, { count: numbers.format(count) });
}

/** The parts of an element that are worth saying aloud. */
export const spoken = (element) =>
  [...element.querySelectorAll("[data-say]")].map((part) => part.textContent.trim()).join(". ");
