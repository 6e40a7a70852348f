// The request about the text as code to copy, and its answer.

import { $, copyText, make } from "./dom.js";

const text = $("#text");
const FORMS = { curl: "curl", python: "Python", answer: "Answer" };

/** Tasks that the Python client has methods for. */
const METHODS = new Set(["ner", "sentiment", "translate"]);

let panes = {};

/** Offers the tasks, `titles` by name; `served` are their panes. */
export function offerCode(titles, served) {
  panes = served;
  if ($("#code-task input")) return;
  addSwitch($("#code-task"), titles);
  addSwitch($("#code-form"), FORMS);
}

function addSwitch(fieldset, titles) {
  Object.entries(titles).forEach(([value, title], index) => {
    const input = make("input", { type: "radio", name: fieldset.id, value, checked: index === 0 });
    input.addEventListener("change", showCode);
    fieldset.append(make("label", {}, input, title));
  });
}
const chosen = (name) => $(`input[name=${name}]:checked`)?.value;

/** The request about `asked`, or the answer that is shown. */
function asCode(task, form, asked) {
  const { query, answer } = panes[task];
  const { text: asking, ...options } = query(asked);
  if (form === "curl") {
    const body = JSON.stringify({ text: asking, ...options }).replaceAll("'", "'\\''");
    return `curl -s ${new URL(task, location.href).href} \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`;
  }
  if (form === "python") {
    // JSON is Python, but for `true` and `false`
    const python = (value) => (typeof value === "boolean" ? (value ? "True" : "False") : JSON.stringify(value));
    const named = Object.entries(options).map(([key, value]) => `, ${key}=${python(value)}`).join("");
    const base = new URL(".", location.href).href.replace(/\/$/, "");
    const call = METHODS.has(task) ? `${task}(` : `ask("${task}", `;
    return `from textloom import Client\n\nwith Client("${base}") as client:\n    print(client.${call}${python(asking)}${named}))`;
  }
  if (!answer) return "No answer yet.";
  const { model, results, usage } = answer;
  return JSON.stringify({ model, results, usage }, null, 1);
}

const codeOf = (asked) => asCode(chosen("code-task"), chosen("code-form"), asked);

/** Of a long text only the beginning is shown; it is copied whole. */
export function showCode() {
  if (!chosen("code-task")) return;
  const asked = text.value.length > 1000 ? `${text.value.slice(0, 1000)} …` : text.value;
  const code = codeOf(asked);
  $("#code code").textContent = code.length > 10_000 ? `${code.slice(0, 10_000)} …` : code;
}

$("#copy").addEventListener("click", () => copyText(codeOf(text.value), $("#copy"), $("#code code")));
document.addEventListener("answered", showCode);
