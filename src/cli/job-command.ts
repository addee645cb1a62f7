/** The command of a job, made from its definition: its options, its help, and what it runs. */
import { Command, Option as CommanderOption } from 'commander';
import { flagOf } from '../jobs/argv';
import { completeOptions } from '../jobs/complete';
import type { AnyJob, Kind as OptionKind, Option } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import type { Kind } from '../jobs/kinds';
import { fileFor, runJob } from '../jobs/run-job';
import { parseValue } from '../jobs/values';
import { execute, type Exit, type Outcome, type Shell } from './execute';
import { asUsage } from './failure';
import { addCommonOptions, asArgument, type CommonOptions } from './options';
import type { Page } from './pages/page';
import { isCancellation } from './signals';

/** Adds the command that runs the job. @param page shows it */
export function addJob<K extends Kind>(program: Command, exit: Exit, kind: K, page: Page<K>): void {
  const job: AnyJob = JOBS[kind];
  const command = jobCommand(program, job);
  command.action(async (...given: unknown[]) => {
    const options = optionsOf(job, command, given);
    const common = command.opts<CommonOptions>();
    const source = 'checkpoint' in options ? String(options.checkpoint) : undefined;
    const all = { ...options, ...common };
    exit(await execute({ kind, options: all, source }, (shell) => run(kind, page, options, common, shell)));
  });
}

async function run<K extends Kind>(
  kind: K,
  page: Page<K>,
  given: object,
  common: CommonOptions,
  shell: Shell,
): Promise<Outcome> {
  const options = asUsage(() => completeOptions(JOBS[kind], given));
  const face = page(options, shell);
  const { job, note, warn } = shell;
  const running = runJob(kind, options, {
    job: face.showsProgress && !common.json ? { signal: job.signal } : job,
    hooks: {},
    emit: (event) => face.onEvent?.(event),
    place: common.record === undefined ? undefined : fileFor(common.record),
    note,
    warn,
  });
  const outcome = await running.catch((error: unknown) => {
    if (isCancellation(error)) face.onCancelled?.().forEach(warn);
    throw error;
  });
  return { json: outcome.result, page: face.page(outcome.result, outcome) };
}

/** The command with its options and its help; it does nothing yet. */
export function jobCommand(program: Command, job: AnyJob): Command {
  const command = program.command(job.kind).summary(job.summary).description(job.description);
  for (const [name, option] of Object.entries(job.options)) {
    if (option.argument) command.argument(`<${name}>`, option.help);
    else for (const each of commanderOptions(name, option)) command.addOption(each);
  }
  const examples = job.examples.map((words) => `  coppice ${job.kind} ${words}`);
  const after = [...(job.notes === undefined ? [] : [job.notes]), ['Examples:', ...examples].join('\n')];
  return addCommonOptions(command).addHelpText('after', `\n${after.join('\n\n')}`);
}

function commanderOptions(name: string, option: Option): CommanderOption[] {
  const { kind, default: usual, conflicts = [], required, hidden, group } = option;
  if (kind.kind === 'data' || kind.kind === 'models') return [];
  const made = new CommanderOption(flagsOf(name, option), option.help);
  if (kind.kind === 'choice') made.choices(kind.choices);
  else if (kind.kind === 'list' && kind.repeated) made.argParser(collector(name, kind.of));
  else if (kind.kind !== 'flag') made.argParser(asArgument((text) => parseValue(kind, text, flagOf(name))));
  if (usual !== undefined && kind.kind !== 'flag') made.default(usual);
  if (conflicts.length > 0) made.conflicts([...conflicts]);
  if (required) made.makeOptionMandatory();
  if (hidden) made.hideHelp();
  if (group !== undefined) made.helpGroup(`${group}:`);
  return [made, ...otherSwitches(name, option)];
}

/** Further flags of a switch that is on by default: its opposite, and the earlier names of both. */
function otherSwitches(name: string, option: Option): CommanderOption[] {
  if (!isOnByDefault(option)) return [];
  const { formerly } = option;
  const on = [flagOf(name), ...(formerly === undefined ? [] : [flagOf(formerly)])];
  const off = formerly === undefined ? [] : [`--no-${flagOf(formerly).slice(2)}`];
  const hidden = (flags: string, value: boolean): CommanderOption =>
    new CommanderOption(flags).hideHelp().implies({ [name]: value });
  return [...on.map((flags) => hidden(flags, true)), ...off.map((flags) => hidden(flags, false))];
}

/** Its flag switches it off: "--no-keep-ends". */
const isOnByDefault = ({ kind, default: usual }: Option): boolean => kind.kind === 'flag' && usual === true;

/** "--count <n>", "--chat", "--no-keep-ends". */
function flagsOf(name: string, option: Option): string {
  const { kind, placeholder } = option;
  const flag = flagOf(name);
  if (kind.kind === 'flag') return isOnByDefault(option) ? `--no-${flag.slice(2)}` : flag;
  return `${flag} <${placeholder ?? placeholderOf(kind)}>`;
}

function placeholderOf(kind: OptionKind): string {
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
    default:
      return 'n';
  }
}

/** Each time that the flag is given adds a value. */
function collector(name: string, kind: OptionKind): (text: string, before: unknown) => unknown[] {
  const parse = asArgument((text) => parseValue(kind, text, flagOf(name)));
  return (text, before) => [...(Array.isArray(before) ? (before as unknown[]) : []), parse(text)];
}

/** The options that the command line gives; defaults are the definition's. */
export function optionsOf(job: AnyJob, command: Command, given: readonly unknown[]): Readonly<Record<string, unknown>> {
  const names = Object.keys(job.options);
  const positional = names.filter((name) => job.options[name].argument);
  const values = command.opts<Record<string, unknown>>();
  const isGiven = (name: string): boolean => ['cli', 'implied'].includes(command.getOptionValueSource(name) ?? '');
  return Object.fromEntries([
    ...positional.map((name, at): [string, unknown] => [name, given[at]]),
    ...names.filter(isGiven).map((name): [string, unknown] => [name, values[name]]),
  ]);
}

/**
 * The options that a command line gives: what `argvOf` wrote, read back. Runs nothing.
 * @param words after `coppice`
 * @throws CommanderError for a line that is not the job's
 */
export function optionsFromWords(job: AnyJob, words: readonly string[]): Readonly<Record<string, unknown>> {
  const program = new Command('coppice').exitOverride();
  const command = jobCommand(program, job).exitOverride();
  let found: Readonly<Record<string, unknown>> = {};
  command.action((...given: unknown[]) => {
    found = optionsOf(job, command, given);
  });
  program.parse(words, { from: 'user' });
  return found;
}
