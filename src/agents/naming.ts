/** Words of agents: messages name options as the properties of a tool's input, and commands as tools where there is one. */
import { CancelledError, messageOf, UserError } from '../engine/errors';
import { type CommandName, type OptionName, type OptionNaming, renderOptions } from '../engine/option-token';
import { writtenAsJson } from '../jobs/values';
import { inLine } from './answer';

/** "retrain.length" → "length". */
const propertyOf = (name: OptionName): string => `"${name.replace(/^.*\./, '')}"`;

/** A placeholder of the command line: FILE. */
const PLACEHOLDER = /^[A-Z]+$/;

const TOOLS: Partial<Record<CommandName, string>> = {
  experts: 'coppice_experts',
  export: 'coppice_export',
  heal: 'coppice_heal',
  inspect: 'coppice_inspect',
  score: 'coppice_score',
  vocabulary: 'coppice_vocabulary',
};

export const AGENT_NAMING: OptionNaming = {
  option: (name, value) =>
    value === undefined || PLACEHOLDER.test(value) ? propertyOf(name) : `${propertyOf(name)}: ${value}`,
  set: (name, value) => `set ${propertyOf(name)} to ${value}`,
  command: (name, words) => TOOLS[name] ?? `the command line: ${['coppice', name, ...words].join(' ')}`,
  value: writtenAsJson,
};

/** A text of the engine in the words of agents. */
export const agentText = (text: string): string => renderOptions(text, AGENT_NAMING);

/** An error with a list, whose lines stay lines. */
export class ListedError extends UserError {
  constructor(
    what: string,
    why: string,
    action: string,
    readonly lines: readonly string[],
  ) {
    super(what, why, action);
  }
}

/**
 * An error as one text for a language model: what failed, why, and what to do next. Never a stack. Texts from files can be
 * in it, so it is one line. It quotes nothing from a file that is not JSON, because that may be any file.
 */
export function failureText(error: unknown): string {
  if (error instanceof CancelledError) return 'Cancelled. Nothing was written.';
  if (!(error instanceof UserError)) {
    const message = inLine(unquoted(messageOf(error)));
    return `Coppice failed: ${message}. This is a fault of the program: tell the user, and do not try again.`;
  }
  const { what, why, action } = error.texts;
  const lines = error instanceof ListedError ? error.lines : [];
  return [`${what}: ${why}. ${action}`, ...lines].map((line) => inLine(agentText(unquoted(line)))).join('\n');
}

/** What V8 says of a text that is no JSON has some of the text. */
const unquoted = (text: string): string =>
  text.replace(/,? (?:\.\.\.)?"[^]*"(?:\.\.\.)? is not valid JSON/g, ', which is not valid JSON');
