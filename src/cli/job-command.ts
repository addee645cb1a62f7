/** Creates a job's command from its definition: options, help and action. */
import { Command } from 'commander';
import { shownText } from '../engine/option-token';
import { flagOf } from '../jobs/argv';
import { movedFault } from '../jobs/complete';
import { type AnyJob, checkpointsIn, type Moved } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import { isCutKind } from '../jobs/parts/part-record';
import { execute, type Exit } from './execute';
import { UsageError } from './failure';
import { addCommonOptions, addOptions, type CommonOptions, optionsOf } from './options';
import type { PagedKind } from './pages';
import { addPartOption, type PartOption } from './part';

/** Adds the command that runs the job. */
export function addJob(program: Command, exit: Exit, kind: PagedKind): void {
  const job: AnyJob = JOBS[kind];
  const command = jobCommand(program, job);
  command.action(async (...given: unknown[]) => {
    const options = optionsOf(job.options, command, given);
    const common = command.opts<CommonOptions>();
    const source = checkpointsIn(job, options).at(0);
    const all = { ...options, ...common };
    const { part, folder } = command.opts<PartOption>();
    exit(
      await execute({ kind, options: all, source }, async (shell) =>
        part !== undefined && isCutKind(kind)
          ? (await import('./actions/part')).runOnePart(kind, options, { part, folder }, common, shell)
          : (await import('./actions/job')).runOneJob(kind, options, withoutFolder(common, folder), shell),
      ),
    );
  });
}

/** @throws UsageError for a folder of parts without a part */
function withoutFolder(common: CommonOptions, folder: string | undefined): CommonOptions {
  if (folder === undefined) return common;
  throw new UsageError(
    '--folder is of no use without --part',
    'it is where parts meet',
    'Add --part 1/8, or leave it out.',
  );
}

/** A command, and options that it does not have. */
interface Refusing {
  readonly kind: string;
  readonly moved?: Readonly<Record<string, Moved>>;
}

/** @throws UsageError for an option that another job has replaced, or that none can have */
function refuseMoved({ kind, moved = {} }: Refusing, words: readonly string[]): void {
  const found = Object.entries(moved).find(([name]) => words.includes(flagOf(name)));
  if (!found) return;
  const { what, why, action } = movedFault(kind, flagOf(found[0]), found[1]);
  throw new UsageError(what, why, action);
}

/** Refuses options by name before any other word is read: some may have gone with them. */
export function addRefusals(program: Command, command: Command, refusing: Refusing): void {
  program.hook('preSubcommand', ({ args }, other) => {
    if (other === command) refuseMoved(refusing, args);
  });
}

/** The command with its options and help, without an action. */
function jobCommand(program: Command, job: AnyJob): Command {
  const command = program.command(job.kind).summary(job.summary).description(shownText(job.description));
  addOptions(command, job.options);
  addRefusals(program, command, job);
  if (isCutKind(job.kind)) addPartOption(command, job.kind);
  const examples = job.examples.map((words) => `  coppice ${job.kind} ${words}`);
  const after = [...(job.notes === undefined ? [] : [job.notes]), ['Examples:', ...examples].join('\n')];
  return addCommonOptions(command).addHelpText('after', `\n${after.join('\n\n')}`);
}

/**
 * Parses the options of a command line, the reverse of `argvOf`. Runs nothing.
 * @param words after `coppice`
 * @throws CommanderError for a command line that is not valid for the job
 */
export function optionsFromWords(job: AnyJob, words: readonly string[]): Readonly<Record<string, unknown>> {
  const program = new Command('coppice').exitOverride();
  const command = jobCommand(program, job).exitOverride();
  let found: Readonly<Record<string, unknown>> = {};
  command.action((...given: unknown[]) => {
    found = optionsOf(job.options, command, given);
  });
  program.parse(words, { from: 'user' });
  return found;
}
