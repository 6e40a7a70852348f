// The playground: asks every task about the text as it is typed. Nothing is loaded from elsewhere.

import { $, make, percent, say, scrolling } from "./dom.js";
import { Away, load, Refusal } from "./asking.js";
import { models, modelsOf, picked, translators, withModel } from "./models.js";
import { Pane, timingElement } from "./pane.js";
import { entitiesPane, offerLabels } from "./entities.js";
import { sentimentPane } from "./sentiment.js";
import { clearTranslation, forgetLanguages, offerLanguages, translationPane } from "./translation.js";
import { offerCode, showCode } from "./code.js";
import { fromLink } from "./link.js";
import "./theme.js";

const text = $("#text");
const panes = { ner: entitiesPane, sentiment: sentimentPane, translate: translationPane };
const titles = { ner: "Entities", sentiment: "Sentiment", translate: "Translation" };

// --- asking

let waiting; // for a pause in the typing
let announcing;
let lastWait = 0;

async function askAll() {
  clearTimeout(waiting);
  clearTimeout(announcing);
  if (!models.size) return; // what can be asked is not known yet; readModels comes back here
  const began = performance.now();
  await Promise.all(Object.values(panes).map((pane) => pane.run()));
  lastWait = performance.now() - began;
  // said once the typing rests, or a screen reader would never come to an end
  announcing = setTimeout(() => {
    const parts = Object.values(panes).map((pane) => pane.said).filter(Boolean);
    if (parts.length) say(`${parts.join("; ")}.`);
  }, 700);
}

function typed() {
  const length = [...text.value].length;
  text.classList.toggle("long", length > 5000);
  $("#count").textContent = `${length.toLocaleString("en")} ${length === 1 ? "character" : "characters"}`;
  $("#copy-link").disabled = !text.value.trim();
  if (!text.value.trim()) clearTranslation();
  showCode();
  clearTimeout(waiting);
  waiting = setTimeout(askAll, Math.min(1500, Math.max(200, 2 * lastWait)));
}

/** Another text, in whatever language. */
function write(asked, chosen = {}) {
  text.value = asked;
  forgetLanguages();
  if (models.size) offerLanguages(chosen);
  typed();
  askAll();
}

// --- what is served

/** Lets a person pick a model, where a task has more than its default. */
function offerModels(task) {
  const { card } = panes[task];
  const defaults = task === "translate" ? translators().map((model) => model.name) : [task];
  const others = modelsOf(task).filter((model) => !defaults.includes(model.name)).map((model) => model.name);
  $("label.model", card)?.remove();
  if (!others.length) return;
  const options = others.map((name) => new Option(name, name));
  if (others.length < modelsOf(task).length) options.unshift(new Option(task, ""));
  else if (!picked.has(task)) picked.set(task, others[0]);
  const select = make("select", {}, ...options);
  select.value = picked.get(task) ?? "";
  select.addEventListener("change", () => {
    if (select.value) picked.set(task, select.value);
    else picked.delete(task);
    if (task === "translate") offerLanguages();
    if (task === "ner") offerLabels();
    panes[task].run();
  });
  $(".head", card).append(make("label", { className: "inline model" }, "model ", select));
}

const titled = (task) => task[0].toUpperCase() + task.slice(1);

/** A card for a task that this page does not know: its answers as they are. */
function addPane(task) {
  const title = make("h2", { id: `${task}-title` }, titled(task));
  const card = make("section", { className: "card", id: task }, make("div", { className: "head" }, title),
    make("div", { className: "body" }), timingElement());
  card.setAttribute("aria-labelledby", title.id);
  $("#code").before(card);
  titles[task] = titled(task);
  panes[task] = new Pane(task, {
    query: (asked) => withModel(task, { text: asked }),
    show: ({ results: [{ label, score, ...rest }] }) => {
      const verdict = label === undefined ? [] : [make("p", { className: "verdict" },
        make("b", {}, `${label}`), make("span", {}, score === undefined ? "" : percent(score)))];
      return Object.keys(rest).length ? [...verdict, scrolling(`${titled(task)} as JSON`,
        make("pre", {}, JSON.stringify(rest, null, 1)))] : verdict;
    },
    summary: ({ label }) => `${titled(task)}${label === undefined ? "" : `: ${label}`}`,
  });
}

let readingAgain;
let linked = fromLink();

/** Reads what is served, until all of it is ready or has failed, and asks. While the server is away, tries again. */
async function readModels() {
  clearTimeout(readingAgain);
  readingAgain = null;
  let list;
  try {
    list = (await load("models")).body.models;
  } catch (error) {
    if (!(error instanceof Away || error instanceof Refusal)) throw error;
    return showAway(error.message);
  }
  $("#away").hidden = true;
  for (const model of list) models.set(model.name, model);
  for (const task of new Set(list.map((model) => model.task).filter(Boolean))) if (!panes[task]) addPane(task);
  for (const task of Object.keys(panes)) offerModels(task);
  offerLanguages(linked);
  linked = {};
  for (const [task, pane] of Object.entries(panes)) pane.card.hidden = !modelsOf(task).length;
  $("main").classList.toggle("alone", panes.translate.card.hidden);
  offerLabels();
  offerCode(Object.fromEntries(Object.entries(titles).filter(([task]) => !panes[task].card.hidden)), panes);
  askAll();
  if (list.some((model) => model.status === "loading")) readingAgain = setTimeout(readModels, 1000);
}

function showAway(reason) {
  $("#away p").replaceChildren(make("b", {}, "No connection."), ` ${reason} Trying again every 3 seconds.`);
  $("#away").hidden = false;
  readingAgain ??= setTimeout(readModels, 3000);
}

// --- the page as a whole

async function offerSamples() {
  let samples;
  try {
    samples = (await load("playground/samples.json")).body;
  } catch { // the server is away, and the banner says so
    return;
  }
  for (const { title, text: sample, ...chosen } of samples) {
    const chip = make("button", { type: "button" }, title);
    chip.addEventListener("click", () => write(sample, chosen));
    $("#samples").append(chip);
  }
  if (!text.value) text.value = samples[0].text;
  typed();
}

text.addEventListener("input", typed);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
    event.preventDefault();
    askAll();
  }
});
document.addEventListener("away", ({ detail }) => showAway(detail));
document.addEventListener("read", () => { for (const pane of [entitiesPane, sentimentPane]) pane.redraw(); });
$("#try-again").addEventListener("click", readModels);
$("#clear").addEventListener("click", () => { write(""); text.focus(); });
$("#least").addEventListener("input", () => {
  $("#least-shown").textContent = percent($("#least").value);
  showCode();
  clearTimeout(waiting);
  waiting = setTimeout(() => entitiesPane.run(), 200);
});
addEventListener("online", readModels);
addEventListener("hashchange", () => {
  const { text: asked, ...chosen } = fromLink();
  if (asked) write(asked, chosen);
});
if (linked.text) text.value = linked.text;
await offerSamples();
readModels();
