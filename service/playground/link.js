// A link that holds the text and what is selected. They stand behind the `#`, which browsers send to nobody.

import { $, copyText, say } from "./dom.js";
import { choices } from "./translation.js";

/** Longer links are cut by mail programs and chats. */
const LONGEST = 8000;

/** What the address of this page holds: { text, from, into, format }, as far as it does. */
export function fromLink() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

$("#copy-link").addEventListener("click", () => {
  const link = new URL(location.href);
  link.hash = new URLSearchParams({ text: $("#text").value, ...choices() });
  if (link.href.length > LONGEST) return say("This text is too long for a link.");
  history.replaceState(null, "", link);
  copyText(link.href, $("#copy-link"), $("#code code"));
});
