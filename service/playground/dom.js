// Elements and words that every part of the page uses. Texts enter the page as text nodes only, so they can never
// become markup.

export const $ = (selector, inside = document) => inside.querySelector(selector);

/** An element with properties and children: make("p", { className: "soft" }, "some text") */
export function make(name, properties = {}, ...children) {
  const { style, ...plain } = properties;
  const made = Object.assign(document.createElement(name), plain);
  for (const [key, value] of Object.entries(style ?? {})) made.style.setProperty(key, value);
  made.append(...children);
  return made;
}

export const note = (sentence) => make("p", { className: "note" }, sentence);

export const percent = (share) => `${Math.round(share * 100)} %`;

/** From here down a score is marked as low: more likely wrong than right. */
export const LOW_SCORE = 0.5;

const languageNames = new Intl.DisplayNames("en", { type: "language" });
export const language = (code) => languageNames.of(code) ?? code;

/** A region that scrolls when it is long, and can be scrolled by keys. */
export function scrolling(name, ...content) {
  return make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: name }, ...content);
}

/** How many results are drawn; a browser would choke on very many. */
export const MOST_SHOWN = 500;

/** Says so when only the first results are drawn. */
export function onlyFirst(shown, all, things) {
  if (shown === all) return [];
  return [note(`Only the first ${shown} of ${all.toLocaleString("en")} ${things} are shown here. The API returns all of them.`)];
}

/** Tells screen readers. */
export function say(sentence) {
  $("#status").textContent = sentence;
}

/** Copies a text and says so on the button. Without a clipboard (plain http), selects `element`, which shows it. */
export async function copyText(text, button, element) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    element.textContent = text;
    getSelection().selectAllChildren(element);
    return say("The text is selected; copy it with Ctrl+C.");
  }
  const title = button.dataset.title ??= button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = title; }, 1500);
  say("Copied.");
}
