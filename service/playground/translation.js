// Translation: from which language, into which, as plain text or HTML, and of a long text part by part.

import { $, copyText, language, make, note, say, scrolling } from "./dom.js";
import { detect } from "./asking.js";
import { modelOf, picked, reading, translators, withModel } from "./models.js";
import { Pane } from "./pane.js";

const [from, into, format, alternatives] = ["#from", "#into", "#format", "#alternatives"].map((id) => $(id));
const text = $("#text");

/** The mean probability of a token of the translation below which it is marked: hardly any word of it was sure. */
const LOW_TRANSLATION = 0.45;
/** The confidence in percent below which a language counts as unknown. */
const LOW_LANGUAGE = 50;
/** A longer text is asked in parts of about this many characters, to show how far it is. */
const PART = 2000;

let pairs = [];
let intoChosen = false; // by a person, so that the page leaves it alone
let translated = null; // the translation that is shown, with its languages
let confidence = new Map();

const served = (source, target) => pairs.some((pair) => pair[0] === source && pair[1] === target);

/** A long text as [part, white space, part ...], cut between paragraphs; the answer is the same as that of the whole. */
function partsOf(asked) {
  if (asked.length < 2 * PART || format.value === "html" || alternatives.checked) return [asked];
  const parts = [];
  for (const piece of asked.split(/(\n[^\S\n]*\n\s*)/)) {
    const space = !piece.trim();
    if (!parts.length || (!space && !parts.at(-1).trim())) parts.push(piece);
    else if (space && parts.at(-1).length >= PART) parts.push(piece);
    else parts[parts.length - 1] += piece;
  }
  return parts;
}

export function translateQuery(asked) {
  const parts = partsOf(asked).filter((part) => part.trim());
  const query = { text: parts.length > 1 ? parts : asked, source: from.value, target: into.value };
  if (format.value !== "text") query.format = format.value;
  if (alternatives.checked) query.alternatives = 3;
  return withModel("translate", query);
}

/** Asks; where the page chooses the language and the text is in it already, for another one. */
async function translate(asked, send, part, signal) {
  const looking = from.value === "auto" ? detect(asked.slice(0, PART), signal) : new Map();
  let answer = await translateParts(asked, send, part);
  const { source, target } = answer.results[0];
  if (source === target && from.value === "auto" && !intoChosen) {
    const other = pairs.find((pair) => pair[0] === source && pair[1] !== source);
    if (other) {
      into.value = other[1];
      answer = await translateParts(asked, send, part);
    }
  }
  confidence = await looking;
  return answer;
}

/** The answer for a text, asked part by part; one that is not long is one part. */
async function translateParts(asked, send, part) {
  const parts = partsOf(asked);
  const all = parts.filter((each) => each.trim()).length;
  const answers = [];
  const pieces = [];
  for (const each of parts) {
    if (!each.trim() && parts.length > 1) {
      pieces.push(each);
      continue;
    }
    if (all > 1) part(answers.length, all, pieces.length ? [translationElement(pieces.join(""), into.value)] : []);
    const answer = await send({ ...translateQuery(""), text: each });
    answers.push(answer);
    pieces.push(answer.results[0].translation);
    const { source, target } = answer.results[0];
    if (source === target && answers.length === 1) break; // nothing to translate, or another target is chosen
  }
  return { ...joined(answers), translation: answers.length === all ? pieces.join("") : asked };
}

function joined(answers) {
  const [{ model }] = answers;
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const usage = Object.fromEntries(["characters", "tokens"].map((key) => [key, sum(answers.map((each) => each.usage[key]))]));
  const phases = [...new Set(answers.flatMap(({ timing }) => timing.map(([phase]) => phase)))];
  const timing = phases.map((phase) => [phase, sum(answers.map((each) => new Map(each.timing).get(phase) ?? 0))]);
  return { model, results: answers.flatMap(({ results }) => results), usage, timing };
}

const translationElement = (translation, lang) =>
  make("p", { className: format.value === "html" ? "translated markup" : "translated", dir: "auto", lang }, translation);

function showTranslation(answer) {
  const [result] = answer.results;
  translated = { text: answer.translation, source: result.source, target: result.target };
  if (reading.language !== result.source) {
    reading.language = result.source;
    document.dispatchEvent(new Event("read"));
  }
  showLanguage(result.source);
  offerSwap();
  $("#copy-translation").hidden = false;
  const read = [translationElement(answer.translation, result.target)];
  const others = result.alternatives ?? [];
  if (others.length) {
    const list = make("ol", { className: "others", ariaLabel: "Alternatives" });
    for (const other of others) list.append(make("li", { dir: "auto", lang: result.target }, other.translation));
    read.push(list);
  }
  return [...warnings(answer.results), scrolling(`Translation into ${language(result.target)}`, ...read)];
}

function warnings(results) {
  const [{ source, target }] = results;
  if (source === target) return [note(`The text is already in ${language(target)}.`)];
  if (!served(source, target)) return [note(`This text looks like ${language(source)}, which is not translated here.`)];
  const worst = Math.min(...results.map(({ score }) => Math.exp(score)));
  return worst < LOW_TRANSLATION ? [note("Low confidence: this translation may well be wrong.")] : [];
}

/** Which language the text was read as; that it is unknown, where the service is not sure of a language it serves. */
function showLanguage(source) {
  const unknown = from.value === "auto" && pairs.some((pair) => pair[0] === source)
    && (confidence.get(source) ?? 0) < LOW_LANGUAGE;
  const said = unknown ? `unknown language, read as ${language(source)}` : `${language(source)}, detected`;
  $("#language").hidden = false;
  $("#language").textContent = from.value === "auto" ? said : language(source);
}

export const translationPane = new Pane("translate", {
  query: translateQuery,
  run: translate,
  show: showTranslation,
  summary: ({ source, target }) => `${language(source)} into ${language(target)}`,
});

// --- languages

/** Offers the languages of the translators that are served; `chosen`, if given, becomes what is selected. */
export function offerLanguages(chosen = {}) {
  const asked = picked.has("translate") ? [modelOf("translate")] : translators();
  pairs = asked.map((model) => model.languages).filter(Boolean);
  select(from, ["auto", ...pairs.map((pair) => pair[0])], chosen.from ?? from.value);
  offerTargets(chosen.into ?? into.value);
  if (chosen.into) intoChosen = into.value === chosen.into;
  if (chosen.format) format.value = chosen.format;
}

function offerTargets(value) {
  const possible = pairs.filter((pair) => from.value === "auto" || pair[0] === from.value);
  select(into, possible.map((pair) => pair[1]), value);
  offerSwap();
}

function select(element, codes, value) {
  const unique = [...new Set(codes)];
  element.replaceChildren(...unique.map((code) => new Option(code === "auto" ? "detect language" : language(code), code)));
  element.value = unique.includes(value) ? value : unique[0];
}

function offerSwap() {
  const source = from.value === "auto" ? translated?.source : from.value;
  $("#swap").disabled = !served(into.value, source);
}

/** The text becomes its translation, and its language the one to translate into. */
function swap() {
  const source = from.value === "auto" ? translated.source : from.value;
  const target = into.value;
  if (translated?.text.trim() && translated.target === target) text.value = translated.text;
  offerLanguages({ from: target, into: source });
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

/** What is selected, where it is not what the page selects itself: for a link. */
export const choices = () => Object.fromEntries([
  ["from", from.value, from.value !== "auto"],
  ["into", into.value, intoChosen || from.value !== "auto"],
  ["format", format.value, format.value !== "text"],
].filter(([, , told]) => told));

/** For another text: its languages are found anew. */
export function forgetLanguages() {
  intoChosen = false;
  from.value = "auto";
  format.value = "text";
  alternatives.checked = false;
  offerTargets(into.value);
}

export function clearTranslation() {
  translated = reading.language = null;
  $("#language").hidden = $("#copy-translation").hidden = true;
  offerSwap();
}

from.addEventListener("change", () => { offerTargets(into.value); translationPane.run(); });
into.addEventListener("change", () => { intoChosen = true; translationPane.run(); });
for (const option of [format, alternatives]) option.addEventListener("change", () => translationPane.run());
$("#swap").addEventListener("click", () => { swap(); say(`From ${language(from.value)} into ${language(into.value)}.`); });
$("#copy-translation").addEventListener("click", () =>
  copyText(translated.text, $("#copy-translation"), $(".translated", translationPane.body)));
