/** `coppice run`: makes what a recipe describes, and does only what is not done. */
import { basename, relative, resolve } from 'node:path';
import { messageOf } from '../../engine/errors';
import { isThere } from '../../engine/files/existing';
import type { Part } from '../../engine/parts/part';
import { hashFile } from '../../engine/files/regular-file';
import { learning } from '../../estimates/learn';
import { roughBytes } from '../../estimates/words';
import { openSpeeds } from '../../estimates/measure-rates';
import { formatSeconds } from '../../format/durations';
import { counted } from '../../format/words';
import type { AnyJob } from '../../jobs/define';
import { JOBS } from '../../jobs/definitions';
import { isShared } from '../../jobs/parts/part-record';
import { partFile } from '../../jobs/parts/places';
import { inThisProcess } from '../../jobs/run-spec';
import { gathering, secondsOfParts, stepInParts } from '../../recipes/cluster/step-parts';
import { sharing } from '../../sharing/claims';
import { expectedSum, expectedWords } from '../../recipes/expected-words';
import { endOf, planOf } from '../../recipes/json';
import { planRecipe, type RecipeRequest } from '../../recipes/plan';
import { readRecipe } from '../../recipes/read';
import type { Json } from '../../recipes/recipe';
import { type Answer, answerOf } from '../../recipes/report/answer';
import { checkReports, writeReport } from '../../recipes/report/write';
import { runRecipe } from '../../recipes/run';
import { Session } from '../../recipes/session';
import { titleOf } from '../../recipes/title';
import { estimatesOf } from '../../recipes/times';
import type { RecipeEnd, RecipePlan, StepEnd } from '../../recipes/types';
import { planWords, resultWords, verdictWords } from '../../recipes/words';
import type { Outcome, Shell } from '../execute';
import { EXIT_LIMIT } from '../exit-codes';
import { UsageError } from '../failure';
import { runOnePart } from './part';
import type { CommonOptions } from '../options';
import { checkFileTarget } from '../../jobs/file-target';
import { reportAssets } from '../report-assets';
import { facts, table } from '../terminal/text';

/** Options that say what is run, and not how. */
export type RequestOptions = Pick<
  RunOptions,
  'alone' | 'part' | 'gather' | 'step' | 'set' | 'model' | 'quick' | 'folder' | 'consumers' | 'consumersFrom'
>;

export interface RunOptions extends CommonOptions {
  readonly alone?: true;
  readonly part?: Part;
  readonly gather?: number;
  readonly step?: readonly string[];
  readonly dryRun?: true;
  readonly set?: readonly string[];
  readonly model?: string;
  readonly quick?: true;
  readonly folder?: string;
  readonly report?: string;
  readonly consumers?: true;
  readonly consumersFrom?: string;
}

export async function run(file: string, options: RunOptions, compute: object, shell: Shell): Promise<Outcome> {
  const request = await requestOf(file, options);
  const { recipe } = request;
  if (options.part !== undefined) return runStepPart(request, options.part, compute, options, shell);
  const parts = options.gather === undefined ? undefined : await stepInParts(request, options.gather, shell.job);
  const speeds = await openSpeeds(compute);
  const estimate = estimatesOf(request, speeds);
  if (options.dryRun) {
    const plan = await planRecipe(request, estimate, shell.job);
    return { json: planOf(plan), page: planPage(plan, shell) };
  }
  const session = await Session.open(request);
  if (options.report !== undefined) await checkFileTarget('the report', options.report, undefined, [file]);
  if (reports(options)) await checkReports(session.folder, options.report);
  const width = Math.max(...recipe.steps.map(({ name }) => name.length));
  const runner = parts ? gathering(parts.place) : sharing(learning(inThisProcess(compute), speeds));
  const running = runRecipe(request, runner, {
    ...shell.job,
    estimate,
    ...(parts && { secondsOf: secondsOfParts }),
    onEvent: (event) => {
      if (event.type === 'plan') shell.print(...planPage(event.plan, shell), '');
      else if (event.type === 'end') shell.print(...stepLines(event.end, width, shell));
      else if (event.type === 'limit') {
        const { verdict } = event;
        shell.print(
          `${' '.repeat(width)}  ${verdict.kept ? 'keeps' : shell.style.red('breaks')} the limit: ${verdictWords(verdict)}`,
        );
      }
    },
  });
  const { end, error } = await running;
  const report = reports(options) ? await reportOf(end, options.report, error, shell) : null;
  return {
    json: { ...endOf(end), report },
    page: endPage(end, report, shell),
    run: {
      inputs: [{ role: 'recipe', name: basename(file), sha256: await hashFile(file) }],
      settings: { ...(options.set && { set: options.set }), ...(options.quick && { quick: true }) },
    },
    ...(error !== undefined && { error }),
    ...(end.ended === 'limit' && { exitCode: EXIT_LIMIT }),
  };
}

/** One step of many gives no report of the recipe; the last job of a cluster runs none, and gives it. */
const reports = ({ alone, gather, step }: RunOptions): boolean =>
  step === undefined || (alone === undefined && gather === undefined);

/** How the options say that a recipe is run. @throws UsageError; UserError for the file */
export async function requestOf(file: string, options: RequestOptions): Promise<RecipeRequest> {
  if (options.consumersFrom !== undefined && !options.consumers) {
    throw new UsageError('--consumers-from needs --consumers', 'it is not given', 'Add it.');
  }
  const { step, part, gather } = options;
  if ((part !== undefined || gather !== undefined) && step?.length !== 1) {
    throw new UsageError(
      `--${part === undefined ? 'gather' : 'part'} needs one step`,
      `${step?.length ?? 0} are named`,
      'Add --step NAME.',
    );
  }
  return {
    recipe: await readRecipe(file),
    ...(options.model !== undefined && { model: options.model }),
    ...(options.set && { set: valuesIn(options.set) }),
    ...(options.quick && { quick: true }),
    ...(step && { only: step }),
    ...((options.alone ?? gather) !== undefined && { alone: true }),
    ...(options.folder !== undefined && { folder: options.folder }),
    ...(options.consumers && {
      programs: options.consumersFrom === undefined ? {} : { from: resolve(options.consumersFrom) },
    }),
  };
}

/** Computes a part of a step, or nothing where that is there. @throws UserError */
async function runStepPart(
  request: RecipeRequest,
  part: Part,
  compute: object,
  options: RunOptions,
  shell: Shell,
): Promise<Outcome> {
  const found = await stepInParts(request, part.of, shell.job);
  const record = partFile(found.place, part.number);
  if (found.done || (await isThere(record))) {
    const why = found.done ? 'the step is done already' : 'the part is there already';
    return { json: { record, part, done: true }, page: [`Nothing to do: ${why}.`] };
  }
  const { options: known }: AnyJob = JOBS[found.kind];
  const own = Object.entries(compute).filter(([name]) => Object.hasOwn(known, name));
  const given = { ...Object.fromEntries(own), ...found.options };
  const shared = isShared(found.kind);
  const common = { ...options, record: shared ? undefined : record };
  return runOnePart(found.kind, given, { part, ...(shared && { folder: found.place }) }, common, shell);
}

/**
 * Writes the report. Where a step failed, its error is what the user must read: a full disk, which fails the report too.
 * @returns its path; null if it cannot be written
 */
async function reportOf(end: RecipeEnd, own: string | undefined, error: unknown, shell: Shell): Promise<string | null> {
  try {
    return await writeReport(end, await reportAssets(), own);
  } catch (failure) {
    if (error === undefined) throw failure;
    shell.warn(`the report was not written: ${messageOf(failure)}`);
    return null;
  }
}

/** "count=4", "text=data/test.txt", "blocks=[4,5]" */
function valuesIn(set: readonly string[]): Record<string, Json> {
  return Object.fromEntries(
    set.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) {
        throw new UsageError(`--set ${text} cannot be used`, 'it has no name and value', 'Write --set NAME=VALUE.');
      }
      return [text.slice(0, at), valueOf(text.slice(at + 1))];
    }),
  );
}

function valueOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function planPage(plan: RecipePlan, { style, shown }: Shell): string[] {
  const rows = plan.steps.map((planned) => {
    const { step, state, expected } = planned;
    const time = state !== 'run' ? '' : expected ? expectedWords(expected) : 'not known';
    const memory = state === 'run' && expected?.memoryBytes !== undefined ? roughBytes(expected.memoryBytes) : '';
    return [step.name, step.job, planWords(planned), time, memory];
  });
  const running = plan.steps.filter(({ state }) => state === 'run').length;
  const unknown = plan.unknown.length > 0 ? ` and ${counted(plan.unknown.length, 'step')} whose time is not known` : '';
  const sum = expectedSum(plan);
  const expected = sum === undefined ? unknown : `: ${sum}${unknown}`;
  return [
    style.bold(shown(titleOf(plan.recipe, plan.variables))),
    ...(plan.model === undefined ? [] : [`model  ${shown(plan.model)}`]),
    '',
    ...table(['step', 'job', 'plan', 'time', 'memory'], rows).map(shown),
    '',
    running === 0 ? 'Nothing to do.' : `${counted(running, 'step')} of ${plan.steps.length} to run${expected}`,
    ...(plan.withheld.length === 0
      ? []
      : [`${plan.withheld.map(shown).join(', ')} asks for other programs: none starts without --consumers.`]),
  ];
}

function stepLines(end: StepEnd, width: number, { style, shown }: Shell): string[] {
  const { state, finished, result, failure } = end;
  const name = shown(end.name).padEnd(width);
  if (state === 'failed' && failure) return [`${style.bold(name)}  ${style.red('failed')}`];
  if (!finished || !result) return [];
  const words = resultWords(finished, result);
  const time = state === 'kept' ? 'done before' : formatSeconds(finished.seconds);
  return [`${style.bold(name)}  ${shown(words)}${words === '' ? '' : ', '}${time}`];
}

/** The table at the top of the report. */
function answerLines({ done, original, shipped, rows }: Answer): string[] {
  const lines = rows.map((row) => [row.label, row.original, row.shipped, row.change]);
  return [done, '', ...table(['', original, shipped, ''], lines)];
}

function endPage(end: RecipeEnd, report: string | null, { shown, style }: Shell): string[] {
  const broken = end.limits.filter(({ kept }) => !kept);
  const outputs = end.steps.flatMap(({ finished }) => finished?.outputs ?? []);
  const shipped = outputs.filter(({ path }) => relative(end.folder, path).startsWith('..'));
  const answer = answerOf(end);
  return [
    '',
    ...(answer ? [...answerLines(answer).map(shown), ''] : []),
    ...facts([
      ...shipped.map(({ path }): [string, string] => ['made', shown(path)]),
      ...(report === null ? [] : [['report', shown(report)] satisfies [string, string]]),
      ['steps', `${end.ran} run, ${end.steps.filter(({ state }) => state === 'kept').length} there already`],
      ['time', formatSeconds(end.seconds)],
    ]),
    ...broken.map(({ step }) => style.red(`The limit of ${shown(step)} is broken; what follows did not run.`)),
  ];
}
