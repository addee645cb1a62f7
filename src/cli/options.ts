/** Options of the command line: those of every command, and those from job definitions (src/jobs). */
import { type Command, InvalidArgumentError, Option as CommanderOption } from 'commander';
import { UserError } from '../engine/errors';
import { shownText } from '../engine/option-token';
import { flagOf } from '../jobs/argv';
import type { ValueKind, Option, Options } from '../jobs/option';
import { InvalidValue, parseValue } from '../jobs/values';
import { UsageError } from './failure';
import { isListed } from './listed';

/** Options of every command. */
export interface CommonOptions {
  readonly json?: true;
  readonly quiet?: true;
  readonly verbose?: true;
  /** False after `--no-color`. */
  readonly color: boolean;
  readonly record?: string;
}

export function addCommonOptions(command: Command): Command {
  const record = 'write the record of this run (inputs, settings, versions, results) to a file';
  return addOutputOptions(command, () => command.option('--record <file>', record));
}

/** The same of commands that have no record. @param more options after the first */
export function addOutputOptions(command: Command, more?: () => void): Command {
  command.option('--json', 'print exactly one JSON object on stdout');
  more?.();
  return command
    .option('-q, --quiet', 'print no progress and no notes')
    .option('--verbose', 'print the stack trace of an error')
    .option('--no-color', 'print no colors (also: the environment variable NO_COLOR)');
}

/** Adds options to a commander command, with their help, values, defaults and conflicts. */
export function addOptions(command: Command, options: Options): Command {
  for (const [name, option] of Object.entries(options)) {
    if (option.argument) command.argument(argumentOf(name, option), shownText(option.help));
    else if (isListed(command) && command.options.length > 0) continue;
    else for (const each of commanderOptions(name, option)) command.addOption(each);
  }
  return command;
}

/** "<checkpoint>"; of several there may be none, because the job has another option for them: "[checkpoints...]". */
const argumentOf = (name: string, { kind }: Option): string => (kind.kind === 'list' ? `[${name}...]` : `<${name}>`);

/** Reads a value for commander. */
function asArgument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof InvalidValue)) throw error;
      const { cause } = error;
      if (!(cause instanceof UserError)) throw new InvalidArgumentError(error.message);
      const { what, why, action } = cause.texts;
      throw new UsageError(what, why, action, { cause });
    }
  };
}

function commanderOptions(name: string, option: Option): CommanderOption[] {
  const { kind, default: usual, conflicts = [], required, unless, hidden, group } = option;
  if (kind.kind === 'data') return [];
  const made = new CommanderOption(flagsOf(name, option), shownText(option.help));
  if (kind.kind === 'choice') made.choices(kind.choices);
  else if (kind.kind === 'list' && kind.repeated) made.argParser(collector(name, kind.of));
  else if (kind.kind === 'models') made.argParser(collector(name, kind));
  else if (kind.kind !== 'flag') made.argParser(asArgument((text) => parseValue(kind, text, flagOf(name))));
  if (usual !== undefined && kind.kind !== 'flag') {
    made.default(usual, kind.kind === 'bytes' ? sizeText(Number(usual)) : undefined);
  }
  if (option.alone !== undefined) made.preset(option.alone);
  if (conflicts.length > 0) made.conflicts([...conflicts]);
  if (required && unless === undefined) made.makeOptionMandatory();
  if (hidden) made.hideHelp();
  if (group !== undefined) made.helpGroup(`${group}:`);
  return [made, ...otherSwitches(name, option)];
}

/** A default size as the user types it: "20GiB". */
const sizeText = (bytes: number): string => (bytes % 2 ** 30 === 0 ? `${bytes / 2 ** 30}GiB` : String(bytes));

/** Additional flags of a switch that is on by default: its opposite, and the earlier names of both. */
function otherSwitches(name: string, option: Option): CommanderOption[] {
  if (option.wasOn) return [new CommanderOption(`--no-${flagOf(name).slice(2)}`).hideHelp()];
  if (!isOnByDefault(option)) return [];
  const { formerly } = option;
  const on = [flagOf(name), ...(formerly === undefined ? [] : [flagOf(formerly)])];
  const off = formerly === undefined ? [] : [`--no-${flagOf(formerly).slice(2)}`];
  const hidden = (flags: string, value: boolean): CommanderOption =>
    new CommanderOption(flags).hideHelp().implies({ [name]: value });
  return [...on.map((flags) => hidden(flags, true)), ...off.map((flags) => hidden(flags, false))];
}

/** True if the flag turns it off: "--no-keep-ends". */
const isOnByDefault = ({ kind, default: usual }: Option): boolean => kind.kind === 'flag' && usual === true;

/** "--count <n>", "--chat", "--no-keep-ends". */
function flagsOf(name: string, option: Option): string {
  const { kind, placeholder } = option;
  const flag = flagOf(name);
  if (kind.kind === 'flag') return isOnByDefault(option) ? `--no-${flag.slice(2)}` : flag;
  const value = placeholder ?? placeholderOf(kind);
  if (kind.kind === 'list' && kind.several) return `${flag} <${value}...>`;
  return option.alone === undefined ? `${flag} <${value}>` : `${flag} [${value}]`;
}

function placeholderOf(kind: ValueKind): string {
  switch (kind.kind) {
    case 'path':
      return kind.of === 'folder' ? 'dir' : kind.of;
    case 'text':
      return 'text';
    case 'blocks':
    case 'parts':
    case 'list':
      return 'list';
    case 'choice':
      return 'name';
    case 'bytes':
      return 'size';
    case 'models':
      return 'json';
    default:
      return 'n';
  }
}

/** Each repeated flag adds a value. */
function collector(name: string, kind: ValueKind): (text: string, before: unknown) => unknown[] {
  const parse = asArgument((text) => parseValue(kind, text, flagOf(name)));
  return (text, before) => [...(Array.isArray(before) ? (before as unknown[]) : []), parse(text)];
}

/** The options given on the command line. Defaults come from the definition. */
export function optionsOf(
  options: Options,
  command: Command,
  given: readonly unknown[],
): Readonly<Record<string, unknown>> {
  const names = Object.keys(options);
  const positional = names.filter((name) => options[name].argument);
  const values = command.opts<Record<string, unknown>>();
  const isGiven = (name: string): boolean => ['cli', 'implied'].includes(command.getOptionValueSource(name) ?? '');
  const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
  return Object.fromEntries([
    ...positional.flatMap((name, at): [string, unknown][] => (isEmpty(given[at]) ? [] : [[name, given[at]]])),
    ...names.filter(isGiven).map((name): [string, unknown] => [name, values[name]]),
  ]);
}
