/** The scripts of a recipe on Slurm. Their users read and change them, so they say in plain lines what they do. */
import { commandLines, header, THREADS } from '../../cluster/slurm-script';
import { type JobScript, logFile, REPORT, scriptFile } from './places';
import type { AskedRecipeJob, RecipeRun } from './recipe-run';

export interface ScriptText {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
}

/** The scripts of a job. */
export const scriptsOf = ({ cut }: AskedRecipeJob): readonly JobScript[] => (cut ? ['part', 'gather'] : ['steps']);

/**
 * @param folder of the recipe's state, absolute
 * @param countsMemory whether this Slurm gives memory to jobs
 * @throws UserError
 */
export function scriptTexts(folder: string, run: RecipeRun, countsMemory: boolean): ScriptText[] {
  return run.jobs.flatMap((job) =>
    scriptsOf(job).map((script) => ({
      file: scriptFile(folder, job.name, script),
      text: textOf(folder, run, job, script, countsMemory),
    })),
  );
}

function textOf(folder: string, run: RecipeRun, job: AskedRecipeJob, script: JobScript, countsMemory: boolean): string {
  const { name, steps, cut, estimate } = job;
  const words = [...run.command, ...runWords(run), '--folder', folder];
  const threads = `--threads ${THREADS}`;
  const lines = (
    about: readonly string[],
    log: string,
    more: readonly string[],
    named: readonly string[],
    own: string[],
  ) =>
    [
      '#!/bin/bash',
      ...about.map((line) => `# ${line}`),
      ...header(folder, { asked: run.asked, estimate }, `coppice-${name}`, log, more, countsMemory),
      '',
      'set -eu',
      commandLines([...words, ...named.flatMap((step) => ['--step', step]), '--alone'], own),
      '',
    ].join('\n');
  const log = logFile(folder, name, script);
  if (cut && script === 'part') {
    const task = '$SLURM_ARRAY_TASK_ID';
    const memory = estimate ? [`--memory ${Math.ceil(estimate.statesBytes)}`] : [];
    return lines(
      [
        `A part of the step ${name} (${cut.kind}) in ${cut.parts} parts, by Coppice ${run.coppice}. Change what your cluster needs. A task`,
        'whose part is there, or whose step is done, does nothing, so any may be submitted again.',
      ],
      logFile(folder, name, 'part-%a'),
      [`--array=1-${cut.parts}`],
      steps,
      [...memory, threads, `--part "${task}/${cut.parts}"`],
    );
  }
  if (cut)
    return lines([`Makes the result of the step ${name} from its parts.`], log, [], steps, [`--gather ${cut.parts}`]);
  if (name === REPORT) return lines(['Runs no step: judges all limits, and writes the report.'], log, [], steps, []);
  const about = `Runs ${steps.length > 1 ? 'the steps' : 'the step'} ${steps.join(', ')}, as far as not done.`;
  return lines([about], log, [], steps, [threads]);
}

/** Words of the command line that say what is run. */
export function runWords({ recipe, asks }: RecipeRun): string[] {
  const { model, set = {}, quick, programs } = asks;
  return [
    'run',
    recipe,
    ...(model === undefined ? [] : ['--model', model]),
    ...Object.entries(set).flatMap(([name, value]) => ['--set', `${name}=${JSON.stringify(value)}`]),
    ...(quick ? ['--quick'] : []),
    ...(programs ? ['--consumers'] : []),
    ...(programs?.from === undefined ? [] : ['--consumers-from', programs.from]),
  ];
}
