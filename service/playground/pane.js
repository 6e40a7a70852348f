// One task on the page: what it asks, its answer, its progress, its timing and its errors.

import { $, make, note, language } from "./dom.js";
import { ask, Away, Refusal } from "./asking.js";
import { modelOf, reading } from "./models.js";

const text = $("#text");
const short = (time) => (time < 10 ? time.toFixed(1) : `${Math.round(time)}`);

/** After so many milliseconds without an answer the page says how long it has been. */
const PATIENCE = 700;

export class Pane {
  /**
   * task: its path. query(asked): the request. show(answer, asked): elements. summary(result): words for screen
   * readers. run(asked, send, part): the answer, where it takes more than one request; `part(done, all, elements)`
   * shows what there is so far.
   */
  constructor(task, { query, show, summary, run }) {
    Object.assign(this, { task, query, show, summary });
    this.obtain = run ?? ((asked, send) => send(query(asked)));
    this.card = $(`#${task}`);
    this.body = $(".body", this.card);
    this.timing = $(".timing", this.card);
  }

  /** Asks. An answer that a newer question overtook is dropped. */
  async run() {
    this.controller?.abort();
    clearTimeout(this.again);
    const controller = (this.controller = new AbortController());
    const asked = text.value;
    this.said = "";
    if (this.card.hidden) return;
    if (!asked.trim()) return this.clear();
    this.card.setAttribute("aria-busy", "true");
    this.begin();
    try {
      const send = (query, task = this.task) => ask(task, query, controller.signal);
      const part = (done, all, elements) => {
        if (controller === this.controller) this.showPart(done, all, elements);
      };
      const answer = await this.obtain(asked, send, part, controller.signal);
      if (controller !== this.controller) return;
      Object.assign(this, { answer, asked });
      this.body.replaceChildren(...this.show(answer, asked));
      this.said = this.summary(answer.results[0]);
      this.showTiming(answer);
    } catch (error) {
      if (controller !== this.controller) return;
      this.fail(error);
    }
    this.end();
  }

  clear() {
    this.answer = null;
    this.timing.hidden = true;
    this.body.replaceChildren(make("p", { className: "empty" }, "No text yet."));
    this.end();
  }

  /** Shows the answer again, after what is known about the text has changed. */
  redraw() {
    if (this.answer) this.body.replaceChildren(...this.show(this.answer, this.asked));
  }

  begin() {
    this.end(false);
    const began = performance.now();
    const bar = make("progress", { ariaLabel: "Progress" });
    const words = make("span");
    const tick = () => {
      if (!this.progress) this.body.before(this.progress = make("p", { className: "progress" }, bar, words));
      const parts = this.parts ? `part ${this.parts[0] + 1} of ${this.parts[1]}, ` : "";
      if (this.parts) [bar.value, bar.max] = this.parts;
      words.textContent = `${parts}${Math.round((performance.now() - began) / 1000)} s`;
    };
    this.ticking = setTimeout(() => { tick(); this.ticking = setInterval(tick, 250); }, PATIENCE);
  }

  showPart(done, all, elements) {
    this.parts = [done, all];
    if (elements.length) this.body.replaceChildren(...elements);
  }

  end(over = true) {
    clearTimeout(this.ticking); // an interval, too
    this.progress?.remove();
    this.progress = this.parts = null;
    if (!over) return;
    this.card.setAttribute("aria-busy", "false");
    document.dispatchEvent(new Event("answered"));
  }

  /** What went wrong, in words. One banner speaks for all panes when the server is away. */
  fail(error) {
    this.answer = null;
    this.timing.hidden = true;
    if (error instanceof Away) {
      this.body.replaceChildren(make("p", { className: "empty" }, "No answer yet."));
      return document.dispatchEvent(new CustomEvent("away", { detail: error.message }));
    }
    if (!(error instanceof Refusal)) {
      this.end();
      throw error; // a defect of this page, for the console
    }
    this.said = `${$("h2", this.card).textContent}: ${error.message}`;
    this.body.replaceChildren(this.showProblem(error));
  }

  showProblem(error) {
    const box = make("div", { className: "problem" });
    const { title, detail, request_id } = error.problem;
    box.append(make("p", {}, make("b", {}, title ?? "Refused"), `: ${detail ?? "no reason was given"}`));
    if (request_id) box.append(make("p", { className: "soft" }, `request ${request_id}`));
    if (error.wait) {
      box.append(make("p", { className: "soft" }, `Trying again in ${error.wait} s.`));
      this.again = setTimeout(() => this.run(), error.wait * 1000);
    }
    const retry = make("button", { type: "button" }, "Try again");
    retry.addEventListener("click", () => this.run());
    box.append(retry);
    return box;
  }

  showTiming({ model, timing }) {
    const total = timing.reduce((sum, [, spent]) => sum + spent, 0);
    const bar = make("div", { className: "phases", ariaHidden: "true" });
    for (const [, spent] of timing) bar.append(make("i", { style: { width: `${(spent / total) * 100}%` } }));
    const phases = timing.map(([phase, spent]) => make("li", {}, `${phase} ${short(spent)}`));
    const list = make("ul", { ariaLabel: "Where the time went, in milliseconds" }, ...phases);
    $("summary", this.timing).replaceChildren(`${model.name} ${model.version} · `, make("b", {}, `${short(total)} ms`));
    $("div", this.timing).replaceChildren(bar, list);
    this.timing.hidden = false;
  }
}

/** The closed element that the timing is shown in. */
export function timingElement() {
  return make("details", { className: "foot timing", hidden: true }, make("summary"), make("div"));
}

/** A warning if the text is in a language that a task's model was not trained on. */
export function foreign(task) {
  const trained = modelOf(task)?.languages ?? [];
  if (!reading.language || !trained.length || trained.includes(reading.language)) return [];
  const names = trained.map(language).join(" and ");
  return [note(`This text looks like ${language(reading.language)}, but the model was trained on ${names} only.`)];
}
