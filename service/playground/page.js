// The playground: asks the tasks about the text, and shows their answers.
// Texts enter the page as text nodes only, so they can never become markup. Nothing is loaded from elsewhere.

const $ = (selector, inside = document) => inside.querySelector(selector);

/** An element with properties and children: make("p", { className: "soft" }, "some text") */
function make(name, properties = {}, ...children) {
  const { style, ...plain } = properties;
  const made = Object.assign(document.createElement(name), plain);
  for (const [key, value] of Object.entries(style ?? {})) made.style.setProperty(key, value);
  made.append(...children);
  return made;
}

const percent = (share) => `${Math.round(share * 100)} %`;
const short = (time) => (time < 10 ? time.toFixed(1) : `${Math.round(time)}`);
const languageNames = new Intl.DisplayNames("en", { type: "language" });
const language = (code) => languageNames.of(code) ?? code;

const text = $("#text");
const models = new Map(); // by name
const picked = new Map(); // by task, the name of a model that is not the task's default

/** The models of a task, its default first. */
const modelsOf = (task) => [...models.values()].filter((model) => model.task === task)
  .sort((one, other) => (other.name === task) - (one.name === task));
/** The one that answers; of translators, none unless it was picked. */
const modelOf = (task) => models.get(picked.get(task) ?? task);
/** A query of a task, with the model that was picked, if one was. */
const withModel = (task, query) => (picked.has(task) ? { ...query, model: picked.get(task) } : query);

const EXAMPLES = {
  "News": "Marie Curie was born in Warsaw and worked in Paris. In 1903 she shared the Nobel Prize with Pierre Curie and Henri Becquerel, and in 1935 her daughter Irène won it too.",
  "Review": "The room was beautiful and the staff were wonderful. Breakfast starts at seven. But the noise at night was terrible, and nobody at the Hilton in Berlin answered our calls.",
  "Français": "Les modèles de séquence sont super puissants. Deux enfants jouent au football dans le parc.",
  "Emoji": "😀 Ada Lovelace 👩‍👩‍👧‍👦 moved to London 🇬🇧 and she loves it! 🎉",
  "Long": `Dear Anna,

We arrived in Vienna on Monday, a day late. The train from Prague stood for three hours in the middle of nowhere, and Deutsche Bahn said nothing at all. It was a miserable trip. Peter wanted to walk.

But the city is lovely! Our room looks out on the Danube. Yesterday we saw the paintings of Gustav Klimt at the Belvedere, and in the evening Maria Schneider took us to a small concert hall behind the opera. They played Mozart and Haydn. I have never heard anything so beautiful.

Tomorrow we go to Budapest by boat. Michael will wait for us there; he works for Siemens now and knows every café in Hungary. On Friday we fly home from Munich.

The food is heavy and the weather could be better. Still, I am very happy that we came.

With love,
Laura`,
};

// --- asking

class Refusal extends Error {
  constructor(problem, wait) {
    super(problem.detail);
    this.problem = problem;
    this.wait = wait;
  }
}

/** The answer to a query, with `timing`: a list of [phase, milliseconds]. Raises Refusal, TypeError, AbortError. */
async function ask(task, query, signal) {
  const began = performance.now();
  const response = await fetch(task, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(query),
    signal,
  });
  const body = await response.json();
  if (!response.ok) throw new Refusal(body, Number(response.headers.get("Retry-After")));
  const phases = [...(response.headers.get("Server-Timing") ?? "").matchAll(/(\w+);dur=([\d.]+)/g)];
  const timing = phases.map(([, phase, spent]) => [phase, Number(spent)]);
  const inside = timing.reduce((sum, [, spent]) => sum + spent, 0);
  timing.push(["network", Math.max(0, performance.now() - began - inside)]);
  return { ...body, timing };
}

/** One task: what it asks, and where its answer is shown. An answer that a newer question overtook is dropped. */
class Pane {
  constructor(task, { query, show, summary }) {
    Object.assign(this, { task, query, show, summary });
    this.card = $(`#${task}`);
    this.body = $(".body", this.card);
    this.timing = $(".timing", this.card);
  }

  async run() {
    this.controller?.abort();
    clearTimeout(this.again);
    const controller = (this.controller = new AbortController());
    const asked = text.value;
    this.said = "";
    if (this.card.hidden) return;
    if (!asked.trim()) return this.clear();
    this.card.setAttribute("aria-busy", "true");
    try {
      const answer = await this.query(asked, (query) => ask(this.task, query, controller.signal));
      if (controller !== this.controller) return;
      Object.assign(this, { answer, asked });
      this.body.replaceChildren(...this.show(answer.results[0], asked, answer));
      this.said = this.summary(answer.results[0]);
      this.showTiming(answer);
    } catch (error) {
      if (controller !== this.controller) return;
      this.answer = null;
      this.said = `${$("h2", this.card).textContent}: ${error.message}`;
      this.timing.replaceChildren();
      this.body.replaceChildren(this.showProblem(error));
    }
    this.card.setAttribute("aria-busy", "false");
    showCode();
  }

  clear() {
    this.answer = null;
    this.card.setAttribute("aria-busy", "false");
    this.timing.replaceChildren();
    this.body.replaceChildren(make("p", { className: "empty" }, "Waiting for a text."));
    showCode();
  }

  showTiming({ model, timing }) {
    const total = timing.reduce((sum, [, spent]) => sum + spent, 0);
    const bar = make("div", { className: "phases", ariaHidden: "true" });
    for (const [, spent] of timing) bar.append(make("i", { style: { width: `${(spent / total) * 100}%` } }));
    const phases = timing.map(([phase, spent]) => make("li", {}, `${phase} ${short(spent)}`));
    const all = make("li", {}, `${model.name} ${model.version} `, make("b", {}, `${short(total)} ms`));
    const list = make("ul", { ariaLabel: "Where the time went, in milliseconds" }, ...phases, all);
    this.timing.replaceChildren(bar, list);
  }

  /** What went wrong, in words for people. What passes by itself is tried again by itself. */
  showProblem(error) {
    const box = make("div", { className: "problem" });
    if (error instanceof Refusal) {
      const { title, detail, request_id } = error.problem;
      box.append(make("p", {}, make("b", {}, title ?? "Refused"), ` – ${detail ?? "no reason given"}`));
      if (request_id) box.append(make("p", { className: "soft" }, `request ${request_id}`));
    } else if (error instanceof TypeError) {
      box.append(make("p", {}, make("b", {}, "No connection"), " – the server cannot be reached."));
    } else {
      box.append(make("p", {}, make("b", {}, "No answer"), " – what came back could not be read."));
    }
    const wait = error instanceof TypeError ? 3 : error.wait;
    if (wait) {
      box.append(make("p", { className: "soft" }, `Tried again in ${wait} s.`));
      this.again = setTimeout(() => this.run(), wait * 1000);
    }
    const retry = make("button", { type: "button" }, "Try again now");
    retry.addEventListener("click", () => this.run());
    box.append(retry);
    return box;
  }
}

// --- names

const KINDS = { PER: "people", LOC: "places", ORG: "organisations", MISC: "other names" };
const hidden = new Set();
const hue = (label) => {
  const known = modelOf("ner")?.labels ?? [];
  return `var(--label-${Math.max(0, known.indexOf(label)) % 8})`;
};

function nerQuery(asked) {
  const known = modelOf("ner")?.labels ?? [];
  const query = withModel("ner", { text: asked });
  if (known.some((label) => hidden.has(label))) query.labels = known.filter((label) => !hidden.has(label));
  if (Number($("#sure").value)) query.min_score = Number($("#sure").value);
  return query;
}

function showNames({ entities }, asked) {
  const first = entities.slice(0, MOST_SHOWN);
  const cut = Math.min(asked.length, entities[MOST_SHOWN]?.start ?? Infinity, Math.max(20_000, first.at(-1)?.end ?? 0));
  const read = make("div", { className: "read", dir: "auto" });
  let end = 0;
  for (const entity of first) {
    const score = make("small", {}, entity.label, make("i", {}, ` ${percent(entity.score)}`));
    const style = { "--hue": hue(entity.label) };
    read.append(asked.slice(end, entity.start), make("mark", { style, dir: "auto" }, entity.text, score));
    end = entity.end;
  }
  read.append(asked.slice(end, cut), cut < asked.length ? " …" : "");
  const shown = [...foreign("ner"), ...beginning(first.length, entities.length, "names"),
    scrolling("The text with its names", read)];
  if (!entities.length) return [...shown, make("p", { className: "empty" }, "No names found.")];
  const rows = first.map((entity) =>
    make("tr", {}, make("td", { dir: "auto" }, entity.text), make("td", {}, entity.label),
      ...[entity.start, entity.end, entity.score.toFixed(3)].map((value) => make("td", { className: "number" }, `${value}`))));
  const heads = ["Name", "Label", "Start", "End", "Score"].map((title, column) =>
    make("th", { scope: "col", className: column > 1 ? "number" : "" }, title));
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows));
  const details = make("details", { open: tableOpen },
    make("summary", {}, rows.length === 1 ? "1 name as a table" : `${rows.length} names as a table`),
    scrolling("The names as a table", table));
  details.addEventListener("toggle", () => { tableOpen = details.open; });
  return [...shown, details];
}
let tableOpen = false;

/** A region that scrolls when it is long, and can be scrolled by keys. */
function scrolling(name, ...content) {
  return make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: name }, ...content);
}

/** Says so when only the first of very many results are drawn, which a browser would choke on. */
function beginning(shown, all, things) {
  if (shown === all) return [];
  const count = `${shown} of ${all.toLocaleString("en")} ${things}`;
  return [make("p", { className: "note" }, `The first ${count} are shown here; a program gets them all.`)];
}
const MOST_SHOWN = 500;

/** A word of warning if the text is in a language that a model was not made for. */
function foreign(task) {
  const reads = modelOf(task)?.languages ?? [];
  if (!detected || !reads.length || reads.includes(detected)) return [];
  const names = reads.map(language).join(", ");
  return [make("p", { className: "note" }, `The text looks ${language(detected)}; this model learned ${names} only.`)];
}

// --- sentiment

const FEELINGS = { positive: "var(--good)", negative: "var(--bad)", neutral: "var(--plain)" };
const feeling = (label, index) => FEELINGS[label] ?? `var(--label-${index % 8})`;

function stack(scores) {
  const bar = make("div", { className: "stack", ariaHidden: "true" });
  Object.entries(scores).forEach(([label, score], index) =>
    bar.append(make("i", { style: { "--hue": feeling(label, index), width: `${score * 100}%` } })));
  return bar;
}

const sentimentQuery = (asked) => withModel("sentiment", { text: asked, sentences: true });

function showSentiment(result) {
  const hueOf = (label) => feeling(label, Object.keys(result.scores).indexOf(label));
  const verdict = make("p", { className: "verdict", style: { "--hue": hueOf(result.label) } },
    make("b", {}, result.label), make("span", {}, percent(result.score)));
  const legend = make("ul", { className: "legend" });
  for (const [label, score] of Object.entries(result.scores))
    legend.append(make("li", { style: { "--hue": hueOf(label) } }, `${label} ${percent(score)}`));
  const shown = [...foreign("sentiment"), verdict, stack(result.scores), legend];
  if (result.sentences.length < 2) return shown;
  const list = make("ol", { className: "sentences" });
  const first = result.sentences.slice(0, MOST_SHOWN);
  for (const sentence of first)
    list.append(make("li", {}, make("p", { dir: "auto" }, sentence.text),
      make("div", {}, stack(sentence.scores), make("span", {}, `${sentence.label} ${percent(sentence.score)}`))));
  return [...shown, ...beginning(first.length, result.sentences.length, "sentences"),
    scrolling("Sentiment of each sentence", list)];
}

// --- translation

let pairs = [];
let target = null; // of the last translation into a language of our choice
let detected = null;

function translateQuery(asked) {
  const query = withModel("translate", { text: asked, source: "auto", target: $("#target").value || target });
  if ($("#alternatives").checked) query.alternatives = 3;
  return query;
}

/** Asks for the translation; where we choose the language and the text is in it already, for another one. */
async function translate(asked, send) {
  const answer = await send(translateQuery(asked));
  const found = answer.results[0].source;
  if ($("#target").value || found !== answer.results[0].target) return answer;
  const other = pairs.find(([source, into]) => source === found && into !== found);
  if (!other) return answer;
  target = other[1];
  return send(translateQuery(asked));
}

function showTranslation(result, asked) {
  const same = result.source === result.target;
  if (detected !== result.source) {
    detected = result.source;
    for (const task of ["ner", "sentiment"]) if (panes[task].answer) panes[task].redraw();
  }
  $("#language").hidden = false;
  $("#language").textContent = `${language(result.source)}, detected`;
  const shown = [];
  if (same) shown.push(make("p", { className: "note" }, `The text is in ${language(result.target)} already.`));
  else if (!pairs.some(([source, into]) => source === result.source && into === result.target))
    shown.push(make("p", { className: "note" }, `The text looks ${language(result.source)}, which is not translated here.`));
  const translated = { className: "translated", dir: "auto", lang: result.target };
  const read = [make("p", translated, result.translation)];
  const others = result.alternatives ?? [];
  if (others.length) {
    const list = make("ol", { className: "others", ariaLabel: "Alternatives" });
    for (const other of others) list.append(make("li", { dir: "auto", lang: result.target }, other.translation));
    read.push(list);
  }
  return [...shown, scrolling(`In ${language(result.target)}`, ...read)];
}

Pane.prototype.redraw = function () {
  this.body.replaceChildren(...this.show(this.answer.results[0], this.asked));
};

const panes = {
  ner: new Pane("ner", {
    // in a page a string is counted in UTF-16, so that is what the page asks for
    query: (asked, send) => send({ ...nerQuery(asked), offsets: "utf16" }),
    show: showNames,
    summary: ({ entities }) => (entities.length === 1 ? "1 name" : `${entities.length} names`),
  }),
  sentiment: new Pane("sentiment", {
    query: (asked, send) => send(sentimentQuery(asked)),
    show: showSentiment,
    summary: ({ label, score }) => `${label}, ${percent(score)}`,
  }),
  translate: new Pane("translate", {
    query: translate,
    show: showTranslation,
    summary: ({ source, target }) => `${language(source)} into ${language(target)}`,
  }),
};

// --- tasks that this page does not know: their answers as they are

const titled = (task) => task[0].toUpperCase() + task.slice(1);

function addPane(task) {
  const title = make("h2", { id: `${task}-title` }, titled(task));
  const card = make("section", { className: "card", id: task }, make("div", { className: "head" }, title),
    make("div", { className: "body" }), make("div", { className: "foot timing" }));
  card.setAttribute("aria-labelledby", title.id);
  $("#code").before(card);
  TASK_TITLES[task] = titled(task);
  panes[task] = new Pane(task, {
    query: (asked, send) => send(withModel(task, { text: asked })),
    show: (result) => {
      const { label, score, ...rest } = result;
      const verdict = label === undefined ? [] : [make("p", { className: "verdict" },
        make("b", {}, `${label}`), make("span", {}, score === undefined ? "" : percent(score)))];
      return Object.keys(rest).length ? [...verdict, scrolling(`${titled(task)} as JSON`,
        make("pre", {}, JSON.stringify(rest, null, 1)))] : verdict;
    },
    summary: ({ label }) => `${titled(task)}${label === undefined ? "" : `: ${label}`}`,
  });
}

// --- the same as code

const SHOWN_BY_NAME = new Set(Object.keys(panes)); // by the client, too
const TASK_TITLES = { ner: "Names", sentiment: "Sentiment", translate: "Translation" };
const FORMS = { curl: "curl", python: "Python", answer: "Answer" };

function switchOf(fieldset, titles) {
  Object.entries(titles).forEach(([value, title], index) => {
    const input = make("input", { type: "radio", name: fieldset.id, value, checked: index === 0 });
    input.addEventListener("change", showCode);
    fieldset.append(make("label", {}, input, title));
  });
}
const chosen = (name) => $(`input[name=${name}]:checked`)?.value;

function query(task, asked) {
  if (task === "ner") return nerQuery(asked);
  if (task === "sentiment") return sentimentQuery(asked);
  if (task === "translate") return translateQuery(asked);
  return withModel(task, { text: asked });
}

/** The request about `asked`, or the answer that is shown, for people to copy. */
function asCode(task, form, asked) {
  const address = new URL(task, location.href).href;
  if (form === "curl") {
    const body = JSON.stringify(query(task, asked)).replaceAll("'", "'\\''");
    return `curl -s ${address} \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`;
  }
  if (form === "python") {
    const { text: _, ...options } = query(task, asked);
    // JSON is Python, but for `true` and `false`
    const python = (value) => (typeof value === "boolean" ? (value ? "True" : "False") : JSON.stringify(value));
    const named = Object.entries(options).map(([key, value]) => `, ${key}=${python(value)}`).join("");
    const base = new URL(".", location.href).href.replace(/\/$/, "");
    const call = SHOWN_BY_NAME.has(task) ? `${task}(` : `ask("${task}", `;
    return `from textloom import Client\n\nwith Client("${base}") as client:\n    print(client.${call}${python(asked)}${named}))`;
  }
  const { timing, ...answer } = panes[task].answer ?? {};
  return panes[task].answer ? JSON.stringify(answer, null, 1) : "No answer yet.";
}

const codeOf = (asked) => asCode(chosen("code-task"), chosen("code-form"), asked);

/** Of a long text only the beginning is shown; it is copied whole. */
function showCode() {
  if (!chosen("code-task")) return;
  const asked = text.value.length > 1000 ? `${text.value.slice(0, 1000)} …` : text.value;
  const code = codeOf(asked);
  $("#code code").textContent = code.length > 10_000 ? `${code.slice(0, 10_000)} …` : code;
}

async function copy() {
  const code = $("#code code");
  try {
    await navigator.clipboard.writeText(codeOf(text.value));
  } catch { // no clipboard outside https and localhost: mark it for Ctrl+C
    code.textContent = codeOf(text.value);
    getSelection().selectAllChildren(code);
    return say("The code is marked; copy it with Ctrl+C.");
  }
  $("#copy").textContent = "Copied";
  setTimeout(() => { $("#copy").textContent = "Copy"; }, 1500);
  say("Copied.");
}

// --- the page as a whole

let waiting;
let announcing;

function say(sentence) {
  $("#status").textContent = sentence;
}

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
    say(parts.length ? `${parts.join("; ")}.` : "");
  }, 700);
}
let lastWait = 0;

function typed() {
  const length = [...text.value].length;
  text.classList.toggle("long", length > 5000);
  $("#count").textContent = `${length.toLocaleString("en")} ${length === 1 ? "character" : "characters"}`;
  if (!text.value.trim()) {
    detected = null;
    $("#language").hidden = true;
  }
  showCode();
  clearTimeout(waiting);
  waiting = setTimeout(askAll, Math.min(1500, Math.max(200, 2 * lastWait)));
}

function write(example) {
  text.value = example;
  typed();
  askAll();
}

/** Lets one pick a model, where a task has more than its default. */
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

/** The translators that their pairs of languages choose. */
const translators = () => modelsOf("translate").filter(({ name, languages }) => name === ["translate", ...languages ?? []].join("-"));

function offerLanguages() {
  const asked = picked.has("translate") ? [modelOf("translate")] : translators();
  pairs = asked.map((model) => model.languages).filter(Boolean);
  if (!pairs.some((pair) => pair[1] === target)) target = pairs[0]?.[1];
  const before = $("#target").value;
  $("#target").replaceChildren(new Option("automatic", ""),
    ...[...new Set(pairs.map((pair) => pair[1]))].map((code) => new Option(language(code), code)));
  if (pairs.some((pair) => pair[1] === before)) $("#target").value = before;
}

function offerLabels() {
  const labels = modelOf("ner")?.labels ?? [];
  $("#labels").replaceChildren(...labels.map((label) => {
    const chip = make("button", { type: "button", ariaPressed: String(!hidden.has(label)), style: { "--hue": hue(label) } },
      label, ...(KINDS[label] ? [make("span", {}, ` ${KINDS[label]}`)] : []));
    chip.addEventListener("click", () => {
      if (!hidden.delete(label)) hidden.add(label);
      chip.ariaPressed = String(!hidden.has(label));
      panes.ner.run();
    });
    return chip;
  }));
}

/** Reads what is served, until all of it is ready or has failed. */
async function readModels() {
  let list;
  try {
    list = (await (await fetch("models")).json()).models;
  } catch {
    return setTimeout(readModels, 2000);
  }
  for (const model of list) models.set(model.name, model);
  for (const task of new Set(list.map((model) => model.task).filter(Boolean))) if (!panes[task]) addPane(task);
  for (const task of Object.keys(panes)) offerModels(task);
  offerLanguages();
  for (const [task, pane] of Object.entries(panes)) pane.card.hidden = !modelsOf(task).length;
  $("main").classList.toggle("alone", panes.translate.card.hidden);
  offerLabels();
  if (!$("#code-task input")) {
    const served = Object.entries(TASK_TITLES).filter(([task]) => !panes[task].card.hidden);
    switchOf($("#code-task"), Object.fromEntries(served));
    switchOf($("#code-form"), FORMS);
  }
  askAll();
  if (list.some((model) => model.status === "loading")) setTimeout(readModels, 1000);
}

const THEMES = { automatic: "light dark", light: "light", dark: "dark" };
function setTheme(theme) {
  document.documentElement.style.colorScheme = THEMES[theme];
  $("#theme span").textContent = theme;
  try { localStorage.setItem("theme", theme); } catch { /* not kept then */ }
}
function storedTheme() {
  try { return THEMES[localStorage.getItem("theme")] ? localStorage.getItem("theme") : "automatic"; } catch { return "automatic"; }
}

setTheme(storedTheme());
$("#theme").addEventListener("click", () => {
  const names = Object.keys(THEMES);
  setTheme(names[(names.indexOf(storedTheme()) + 1) % names.length]);
});
for (const [title, example] of Object.entries(EXAMPLES)) {
  const chip = make("button", { type: "button" }, title);
  chip.addEventListener("click", () => write(example));
  $("#examples").append(chip);
}
text.addEventListener("input", typed);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
    event.preventDefault();
    askAll();
  }
});
$("#clear").addEventListener("click", () => { write(""); text.focus(); });
$("#sure").addEventListener("input", () => {
  $("#sure-shown").textContent = percent($("#sure").value);
  showCode();
  clearTimeout(waiting);
  waiting = setTimeout(() => panes.ner.run(), 200);
});
for (const id of ["#target", "#alternatives"]) $(id).addEventListener("change", () => panes.translate.run());
$("#copy").addEventListener("click", copy);
addEventListener("online", askAll);
text.value ||= EXAMPLES.News;
typed();
readModels();
