// Sentiment: the label of the whole text, and a bar for each sentence.

import { LOW_SCORE, make, MOST_SHOWN, onlyFirst, percent, scrolling } from "./dom.js";
import { withModel } from "./models.js";
import { foreign, Pane } from "./pane.js";

const HUES = { positive: "var(--good)", negative: "var(--bad)", neutral: "var(--plain)" };
const hue = (label, index) => HUES[label] ?? `var(--label-${index % 8})`;
const scored = ({ score }) => `${percent(score)}${score < LOW_SCORE ? ", low confidence" : ""}`;

function stack(scores) {
  const bar = make("div", { className: "stack", ariaHidden: "true" });
  Object.entries(scores).forEach(([label, score], index) =>
    bar.append(make("i", { style: { "--hue": hue(label, index), width: `${score * 100}%` } })));
  return bar;
}

function showSentiment({ results: [result] }) {
  const hueOf = (label) => hue(label, Object.keys(result.scores).indexOf(label));
  const verdict = make("p", { className: "verdict", style: { "--hue": hueOf(result.label) } },
    make("b", {}, result.label), make("span", {}, scored(result)));
  const legend = make("ul", { className: "legend" });
  for (const [label, score] of Object.entries(result.scores))
    legend.append(make("li", { style: { "--hue": hueOf(label) } }, `${label} ${percent(score)}`));
  const shown = [...foreign("sentiment"), verdict, stack(result.scores), legend];
  if (result.sentences.length < 2) return shown;
  const list = make("ol", { className: "sentences" });
  const first = result.sentences.slice(0, MOST_SHOWN);
  for (const sentence of first)
    list.append(make("li", {}, make("p", { dir: "auto" }, sentence.text),
      make("div", {}, stack(sentence.scores), make("span", {}, `${sentence.label} ${scored(sentence)}`))));
  return [...shown, ...onlyFirst(first.length, result.sentences.length, "sentences"),
    scrolling("Sentiment of each sentence", list)];
}

export const sentimentPane = new Pane("sentiment", {
  query: (asked) => withModel("sentiment", { text: asked, sentences: true }),
  show: showSentiment,
  summary: ({ label, score }) => `${label}, ${percent(score)}`,
});
