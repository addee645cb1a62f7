/** Words of agents: messages name options as the properties of a tool's input, and commands as tools where there is one. */
import { CancelledError, messageOf, UserError } from '../engine/errors';
import { type CommandName, type OptionName, type OptionNaming, renderOptions } from '../engine/option-token';

/** "retrain.length" → "length". */
const propertyOf = (name: OptionName): string => `"${name.replace(/^.*\./, '')}"`;

/** A placeholder of the command line: FILE. */
const PLACEHOLDER = /^[A-Z]+$/;

const TOOLS: Partial<Record<CommandName, string>> = {
  export: 'coppice_export',
  heal: 'coppice_heal',
  inspect: 'coppice_inspect',
  score: 'coppice_score',
};

const AGENT_NAMING: OptionNaming = {
  option: (name, value) =>
    value === undefined || PLACEHOLDER.test(value) ? propertyOf(name) : `${propertyOf(name)}: ${value}`,
  set: (name, value) => `set ${propertyOf(name)} to ${value}`,
  command: (name, words) => TOOLS[name] ?? `the command line: ${['coppice', name, ...words].join(' ')}`,
};

/** A text of the engine in the words of agents. */
export const agentText = (text: string): string => renderOptions(text, AGENT_NAMING);

/** An error as one text for a language model: what failed, why, and what to do next. Never a stack. */
export function failureText(error: unknown): string {
  if (error instanceof CancelledError) return 'Cancelled. Nothing was written.';
  if (!(error instanceof UserError)) {
    return `Coppice failed: ${messageOf(error)}. This is a fault of the program: tell the user, and do not try again.`;
  }
  const { what, why, action } = error.texts;
  return agentText(`${what}: ${why}. ${action}`);
}
