/** The names that scripts have for options and commands: properties and functions. */
import { type OptionName, type OptionNaming, renderOptions } from '../engine/option-token';
import { UserError } from '../engine/errors';
import type { AnyJob } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import type { ValueKind } from '../jobs/option';
import { InvalidValue, parseValue, writtenAsJson } from '../jobs/values';

/** Functions whose names are not those of their commands, because these are words of JavaScript. */
const RENAMED: Readonly<Record<string, string>> = { eval: 'evaluate', export: 'exportModel' };

/** The function of a command: "eval" → "evaluate". */
export const functionOf = (command: string): string => RENAMED[command] ?? command;

/** How a script writes a value that messages have in the form of the command line: "13-15" → "[13,14,15]". */
function literalOf(kind: ValueKind, text: string): string {
  try {
    return JSON.stringify(parseValue(kind, text));
  } catch (error) {
    if (error instanceof InvalidValue) return text; // words about a value
    throw error;
  }
}

const property = (name: OptionName): string => name.replace(/^.*\./, '');

/**
 * The first job with the option decides: jobs that share a name share the kind of its values, as far as messages go. `data` is that
 * of trainings, for the token of another one is `tasks.data`.
 */
const kinds = new Map<string, ValueKind>([
  ...Object.values(JOBS)
    .toReversed()
    .flatMap(({ options }: AnyJob) => Object.entries(options).map(([name, { kind }]) => [name, kind] as const)),
  ['data', JOBS.retrain.options.data.kind],
]);

/** A property with a value: `count: 6`. */
function pair(name: OptionName, value: string): string {
  const kind = kinds.get(property(name)) ?? (name === 'part' ? ({ kind: 'text' } as const) : undefined);
  const literal = value === 'true' || value === 'false' || kind === undefined ? value : literalOf(kind, value);
  return quoted(`${property(name)}: ${literal}`);
}

/** As code: the quotes also keep a name as it is at the start of a sentence. */
const quoted = (code: string): string => `\`${code}\``;

/** The naming of scripts: `calibration`, `count: 6`, `merge()`. */
export const SCRIPT_NAMING: OptionNaming = {
  option: (name, value) => (value === undefined ? quoted(property(name)) : pair(name, value)),
  set: (name, value, verb) => `${verb} ${pair(name, value)}`,
  // No function asks for data over the network.
  command: (name, words) => {
    if (name === 'fetch-tasks') return 'the command `coppice fetch-tasks`';
    return quoted(words.includes('--json') ? `toJson(await ${functionOf(name)}(…))` : `${functionOf(name)}()`);
  },
  value: (kind, text) => {
    const json = writtenAsJson(kind, text);
    return kind === 'bytes' || kind === 'parameters' ? json.replace(/\B(?=(\d{3})+$)/g, '_') : json;
  },
};

/** A message as scripts read it. */
export const scriptText = (text: string): string => renderOptions(text, SCRIPT_NAMING);

/** The error in the words of scripts. The process may be one that has other words for options. */
export function inScriptWords(error: unknown): unknown {
  if (!(error instanceof UserError)) return error;
  const { what, why, action } = error.texts;
  // A new error would have lost the stack.
  return [what, why, action].every((text) => scriptText(text) === text) ? error : error.withTexts(scriptText);
}
