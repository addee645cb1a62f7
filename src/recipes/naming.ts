/** The names that recipes have for options and commands, as their files write them. */
import { type OptionName, type OptionNaming, renderOptions } from '../engine/option-token';
import { writtenAsJson } from '../jobs/values';

/** A placeholder of the command line: FILE. */
const PLACEHOLDER = /^[A-Z]+$/;

/** `"keepEnds"`, `"keepEnds": false`, `"measure": "tasks"`. */
function field(name: OptionName, value?: string): string {
  const own = JSON.stringify(name.replace(/^.*\./, ''));
  if (value === undefined || PLACEHOLDER.test(value)) return own;
  return `${own}: ${/^(true|false|-?\d+(\.\d+)?)$/.test(value) ? value : JSON.stringify(value)}`;
}

export const RECIPE_NAMING: OptionNaming = {
  option: field,
  set: (name, value, verb) => `${verb} ${field(name, value)}`,
  command: (name) => `the job ${name}`,
  // Sizes are texts, as on the command line.
  value: (kind, text) => (kind === 'bytes' || kind === 'parameters' ? JSON.stringify(text) : writtenAsJson(kind, text)),
};

/** A text as those read it who write recipes. */
export const recipeText = (text: string): string => renderOptions(text, RECIPE_NAMING);
