/** Creates a job's command from its definition: options, help and action. */
import { Command } from 'commander';
import { shownText } from '../engine/option-token';
import { learnFrom } from '../estimates/learn';
import { MachineSpeeds } from '../estimates/machine';
import { machineMemory, memoryOf } from '../estimates/memory';
import { openModels } from '../estimates/models';
import { memoryWarning } from '../estimates/words';
import type { JsonObject } from '../format/json';
import { flagOf } from '../jobs/argv';
import { completeOptions, movedFault } from '../jobs/complete';
import { type AnyJob, checkpointsIn } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import type { Kind } from '../jobs/kinds';
import { isCutKind } from '../jobs/parts/part-record';
import { fileFor, runJob } from '../jobs/run-job';
import { execute, type Exit, type Outcome, type Shell } from './execute';
import { asUsage, UsageError } from './failure';
import { addCommonOptions, addOptions, type CommonOptions, optionsOf } from './options';
import type { Page } from './pages/page';
import { addPartOption, type PartOption, runOnePart } from './part';
import { isCancellation } from './signals';

/** Adds the command that runs the job. @param page shows the result */
export function addJob<K extends Kind>(program: Command, exit: Exit, kind: K, page: Page<K>): void {
  const job: AnyJob = JOBS[kind];
  const command = jobCommand(program, job);
  command.action(async (...given: unknown[]) => {
    const options = optionsOf(job.options, command, given);
    const common = command.opts<CommonOptions>();
    const source = checkpointsIn(job, options).at(0);
    const all = { ...options, ...common };
    const { part } = command.opts<PartOption>();
    exit(
      await execute({ kind, options: all, source }, (shell) =>
        part !== undefined && isCutKind(kind)
          ? runOnePart(kind, options, part, common, shell)
          : run(kind, page, options, common, shell),
      ),
    );
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
  const start = performance.now();
  const models = await openModels(given as JsonObject);
  const machine = machineMemory();
  const bytes = memoryOf({ kind, options: given as JsonObject }, models, machine);
  const warning = bytes === undefined ? undefined : memoryWarning(bytes, machine.free);
  if (warning !== undefined) warn(warning);
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
  const { result, device } = outcome;
  const seconds = (performance.now() - start) / 1000;
  const finished = { kind, options: given as JsonObject, result, seconds, provider: device?.provider };
  await learnFrom(await MachineSpeeds.open(), finished);
  return { json: result, page: face.page(result, outcome), failed: face.failed?.(result) };
}

/** @throws UsageError for an option that another job has replaced */
function refuseMoved({ kind, moved = {} }: AnyJob, words: readonly string[]): void {
  const found = Object.entries(moved).find(([name]) => words.includes(flagOf(name)));
  if (!found) return;
  const { what, why, action } = movedFault(kind, flagOf(found[0]), found[1]);
  throw new UsageError(what, why, action);
}

/** The command with its options and help, without an action. */
function jobCommand(program: Command, job: AnyJob): Command {
  const command = program.command(job.kind).summary(job.summary).description(shownText(job.description));
  addOptions(command, job.options);
  // Before any other word is read: some may have gone with it.
  program.hook('preSubcommand', ({ args }, other) => {
    if (other === command) refuseMoved(job, args);
  });
  if (isCutKind(job.kind)) addPartOption(command);
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
