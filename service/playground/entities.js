// Named entities: coloured in the text, and as a table.

import { $, LOW_SCORE, make, MOST_SHOWN, note, onlyFirst, percent, scrolling } from "./dom.js";
import { modelOf, withModel } from "./models.js";
import { foreign, Pane } from "./pane.js";

const KINDS = {
  PER: "people", LOC: "places", ORG: "organisations", MISC: "other names",
  DATE: "dates", TIME: "times", MONEY: "money", PERCENT: "percentages", QUANTITY: "quantities",
};
const hidden = new Set();
let tableOpen = false;

const hue = (label) => {
  const known = modelOf("ner")?.labels ?? [];
  return `var(--label-${Math.max(0, known.indexOf(label)) % 8})`;
};

export function nerQuery(asked) {
  const known = modelOf("ner")?.labels ?? [];
  const query = withModel("ner", { text: asked });
  if (known.some((label) => hidden.has(label))) query.labels = known.filter((label) => !hidden.has(label));
  if (Number($("#least").value)) query.min_score = Number($("#least").value);
  return query;
}

function showEntities({ results: [{ entities }] }, asked) {
  const first = entities.slice(0, MOST_SHOWN);
  const shown = [...foreign("ner"), ...onlyFirst(first.length, entities.length, "entities"),
    scrolling("The text with its entities", inPlace(asked, first, entities[MOST_SHOWN]?.start))];
  if (!entities.length) return [...shown, make("p", { className: "empty" }, "No entities found.")];
  if (first.some(({ score }) => score < LOW_SCORE))
    shown.push(note(`Dashed: low confidence, below ${percent(LOW_SCORE)}.`));
  return [...shown, asTable(first)];
}

/** The text with its entities marked, up to the first that is not drawn. */
function inPlace(asked, entities, next = Infinity) {
  const cut = Math.min(asked.length, next, Math.max(20_000, entities.at(-1)?.end ?? 0));
  const read = make("div", { className: "read", dir: "auto" });
  let end = 0;
  for (const entity of entities) {
    const score = make("small", {}, entity.label, make("i", {}, ` ${percent(entity.score)}`));
    const look = { className: entity.score < LOW_SCORE ? "low" : "", style: { "--hue": hue(entity.label) }, dir: "auto" };
    read.append(asked.slice(end, entity.start), make("mark", look, entity.text, score));
    end = entity.end;
  }
  read.append(asked.slice(end, cut), cut < asked.length ? " …" : "");
  return read;
}

function asTable(entities) {
  const rows = entities.map((entity) =>
    make("tr", {}, make("td", { dir: "auto" }, entity.text), make("td", {}, entity.label),
      ...[entity.start, entity.end, entity.score.toFixed(3)].map((value) => make("td", { className: "number" }, `${value}`))));
  const heads = ["Entity", "Label", "Start", "End", "Score"].map((title, column) =>
    make("th", { scope: "col", className: column > 1 ? "number" : "" }, title));
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows));
  const details = make("details", { open: tableOpen },
    make("summary", {}, rows.length === 1 ? "1 entity as a table" : `${rows.length} entities as a table`),
    scrolling("The entities as a table", table));
  details.addEventListener("toggle", () => { tableOpen = details.open; });
  return details;
}

export const entitiesPane = new Pane("ner", {
  query: nerQuery,
  // a string of a page is counted in UTF-16, so that is what the page asks for
  run: (asked, send) => send({ ...nerQuery(asked), offsets: "utf16" }),
  show: showEntities,
  summary: ({ entities }) => (entities.length === 1 ? "1 entity" : `${entities.length} entities`),
});

/** A button for each label, which shows or hides its entities. */
export function offerLabels() {
  const labels = modelOf("ner")?.labels ?? [];
  $("#labels").replaceChildren(...labels.map((label) => {
    const chip = make("button", { type: "button", ariaPressed: String(!hidden.has(label)), style: { "--hue": hue(label) } },
      label, ...(KINDS[label] ? [make("span", {}, ` ${KINDS[label]}`)] : []));
    chip.addEventListener("click", () => {
      if (!hidden.delete(label)) hidden.add(label);
      chip.ariaPressed = String(!hidden.has(label));
      entitiesPane.run();
    });
    return chip;
  }));
}
