// Requests to the service, and what can come instead of an answer.

/** The service refused: `problem` is its problem document, `wait` the seconds after which to try again, or 0. */
export class Refusal extends Error {
  constructor(problem, wait) {
    super(problem.detail);
    this.problem = problem;
    this.wait = wait;
  }
}

/** Nothing answers, or something in between does that is not the service. */
export class Away extends Error {}

/** The JSON at a path below this page, with the response. Raises Refusal, Away, AbortError. */
export async function load(path, options) {
  let response;
  let body;
  try {
    response = await fetch(path, options);
    body = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Away(response ? `The server answered with status ${response.status}.` : "The server cannot be reached.");
  }
  if (!response.ok) throw new Refusal(body, Number(response.headers.get("Retry-After")));
  return { body, response };
}

const post = (query, signal) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(query),
  signal,
});

/** The answer of a task to a query, with `timing`: a list of [phase, milliseconds]. Raises as `load` does. */
export async function ask(task, query, signal) {
  const began = performance.now();
  const { body, response } = await load(task, post(query, signal));
  const phases = [...(response.headers.get("Server-Timing") ?? "").matchAll(/(\w+);dur=([\d.]+)/g)];
  const timing = phases.map(([, phase, spent]) => [phase, Number(spent)]);
  const inside = timing.reduce((sum, [, spent]) => sum + spent, 0);
  timing.push(["network", Math.max(0, performance.now() - began - inside)]);
  return { ...body, timing };
}

/** How sure the service is of the language of a text: a map of percentages by code. Raises as `load` does. */
export async function detect(text, signal) {
  const { body } = await load("compat/libretranslate/detect", post({ q: text }, signal));
  return new Map(body.map(({ language, confidence }) => [language, confidence]));
}
