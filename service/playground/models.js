// The models that are served, which of them is picked for a task, and the language that the text was read in.

export const models = new Map(); // by name
export const picked = new Map(); // by task, the name of a model that is not the task's default

/** The models of a task, its default first. */
export const modelsOf = (task) => [...models.values()].filter((model) => model.task === task)
  .sort((one, other) => (other.name === task) - (one.name === task));

/** The one that answers; of translators, none unless it was picked. */
export const modelOf = (task) => models.get(picked.get(task) ?? task);

/** A query of a task, with the model that was picked, if one was. */
export const withModel = (task, query) => (picked.has(task) ? { ...query, model: picked.get(task) } : query);

/** The translators that are chosen by their languages. */
export const translators = () => modelsOf("translate")
  .filter(({ name, languages }) => name === ["translate", ...languages ?? []].join("-"));

/** What the text was read in: a code, or null before that is known. */
export const reading = { language: null };
