/** What a page's head names: its styles, which are swapped with the page, and its scripts, which are started with it. */

const PATIENCE = 5_000; // milliseconds: a page without its style is better than none

const STYLES = "head > link[rel=stylesheet]";
const SCRIPTS = "head > script[type=module]:not(#frame)";
/** Scripts that are loaded once and work on all pages. */
const OF_THE_FRAME = "head > script:not([type=module]), #frame";

const addresses = (root, selector, attribute) =>
  [...root.querySelectorAll(selector)].map((each) => new URL(each.getAttribute(attribute), location).href);

export const stylesOf = (root) => addresses(root, STYLES, "href");
export const scriptsOf = (root) => addresses(root, SCRIPTS, "src");

/** Whether a page was made for the very frame that is here: other scripts or another language need a fresh one. */
export const hasThisFrame = (page) =>
  page.documentElement.lang === document.documentElement.lang &&
  addresses(page, OF_THE_FRAME, "src").join() === addresses(document, OF_THE_FRAME, "src").join();

/** Fetch the styles that are not here yet, and wait for them: nobody should see a page undressed. */
export function addStyles(wanted) {
  const here = new Set(stylesOf(document));
  return Promise.all(wanted.filter((address) => !here.has(address)).map(add));
}

/** Take away what belongs to the page before: pages use the same words for classes of their own. */
export function keepStyles(wanted) {
  for (const link of document.querySelectorAll(STYLES)) if (!wanted.includes(link.href)) link.remove();
}

function add(address) {
  return new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = address;
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve);
    setTimeout(resolve, PATIENCE);
    document.head.append(link);
  });
}
