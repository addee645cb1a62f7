/** The scripts of a run on Slurm. Their users read and change them, so they say in plain lines what they do. */
import { join } from 'node:path';
import { UserError } from '../engine/errors';
import { quoted } from '../format/shell';
import { isShared } from '../jobs/parts/part-record';
import { type ClusterRun, gatherLog, partFile, partLog, partsFolder, recordFile } from './folder';
import { checkAsked, OTHERS, othersIn } from './slurm-options';

export const partScript = (folder: string): string => join(folder, 'part.sbatch');
export const gatherScript = (folder: string): string => join(folder, 'gather.sbatch');
/** Stands for the number of the task; no path has it. */
const HERE = '\0';

/** As many threads as the job has processors. */
export const THREADS = '"${SLURM_CPUS_PER_TASK:-${SLURM_CPUS_ON_NODE:-1}}"';

/** What is asked of Slurm, more than an estimate says. */
const MEMORY_MARGIN = 1.25;
const TIME_MARGIN = 5;
const MORE_MINUTES = 10;

/**
 * The script of a task: does its part, or nothing if the part has its record.
 * @param countsMemory whether this Slurm gives memory to jobs
 * @throws UserError
 */
export function partScriptText(folder: string, run: ClusterRun, countsMemory: boolean): string {
  const { kind, parts, words, command } = run;
  const task = '$SLURM_ARRAY_TASK_ID';
  const place = isShared(kind) ? `--folder ${inQuotes(folder)}` : '--record "$record"';
  const own = [`--part "${task}/${parts}"`, place];
  const has = (name: string): boolean => words.some((word) => word === name || word.startsWith(`${name}=`));
  if (!has('--threads')) own.unshift(`--threads ${THREADS}`);
  // What the estimate reckoned with: left to itself a part takes a share of the whole node, which others use too.
  if (run.estimate && !has('--memory')) own.unshift(`--memory ${Math.ceil(run.estimate.statesBytes)}`);
  return [
    '#!/bin/bash',
    `# A part of ${kind} in ${parts} parts, by Coppice ${run.coppice}. Change what your cluster needs; each task does its part and`,
    '# leaves a record in the folder parts. A task whose record is there does nothing, so any may be submitted again.',
    ...header(folder, run, `coppice-${kind}`, partLog(folder, '%a'), [`--array=1-${parts}`], countsMemory),
    '',
    'set -eu',
    `record=${partFile(folder, HERE).split(HERE).map(inQuotes).join(`"${task}"`)}`,
    'if [ -e "$record" ]; then',
    '  echo "$record is there already"',
    '  exit 0',
    'fi',
    commandLines([...command, ...words], own),
    '',
  ].join('\n');
}

/** The script that makes the record of all parts; see `partScriptText`. @throws UserError */
export function gatherScriptText(folder: string, run: ClusterRun, countsMemory: boolean): string {
  return [
    '#!/bin/bash',
    `# Makes one record of all parts of ${run.kind}, when they are done.`,
    ...header(folder, run, 'coppice-gather', gatherLog(folder), [], countsMemory),
    '',
    'set -eu',
    commandLines([...run.command, 'gather', partsFolder(folder), '--out', recordFile(folder)], []),
    '',
  ].join('\n');
}

/**
 * The lines for sbatch.
 * @param log name of the file that takes what is printed; "%a" before its end stands for the task
 * @param more options of this script alone
 * @throws UserError for options or a folder that a script cannot have
 */
export function header(
  folder: string,
  run: Pick<ClusterRun, 'asked' | 'estimate'>,
  name: string,
  log: string,
  more: readonly string[],
  countsMemory: boolean,
): string[] {
  checkAsked(run.asked);
  if (/[\\\r\n]/.test(folder)) {
    throw new UserError(
      `${JSON.stringify(folder)} cannot be the folder of a run on Slurm`,
      'Slurm has no way to write backslashes and line breaks in the name of a log',
      'Name another folder.',
    );
  }
  const given = Object.entries(run.asked).filter(([option]) => option !== OTHERS);
  const lines = [
    `--job-name=${name}`,
    ...more,
    `--output="${log.replaceAll('"', '\\"').replace(/%(?!a\.log$)/g, '%%')}"`,
    '--open-mode=append',
    '--requeue',
    '--ntasks=1',
    ...given.map(([option, value]) => `--${option}=${value}`),
    ...othersIn(run.asked),
  ];
  return [...lines.map((line) => `#SBATCH ${line}`), ...estimated(run, countsMemory)];
}

/** Lines for what the user did not say. */
function estimated({ estimate, asked }: Pick<ClusterRun, 'asked' | 'estimate'>, countsMemory: boolean): string[] {
  if (!estimate) return [];
  const others = othersIn(asked).join(' ');
  const memory = Math.ceil((estimate.memoryBytes * MEMORY_MARGIN) / 2 ** 20);
  const minutes = Math.ceil((estimate.seconds * TIME_MARGIN) / 60) + MORE_MINUTES;
  const lines = [
    ...(asked.mem === undefined && !/--mem\b/.test(others)
      ? [countsMemory ? `#SBATCH --mem=${memory}M` : `# This Slurm counts no memory: --mem=${memory}M`]
      : []),
    // The estimate is of processors.
    ...(asked.time === undefined && asked.gpus === undefined && !/(^| )(--time\b|-t)/.test(others)
      ? [`#SBATCH --time=${minutes}`]
      : []),
  ];
  if (lines.length === 0) return [];
  return [
    `# Estimates, not measured: ${MEMORY_MARGIN} times the memory, ${TIME_MARGIN} times the time and ${MORE_MINUTES} minutes more.`,
    ...lines,
  ];
}

/** A word for the shell. */
export const inQuotes = (word: string): string => quoted(word, 'posix');

/** The command, an option a line. @param own words that are quoted already */
export function commandLines(words: readonly string[], own: readonly string[]): string {
  const lines: string[][] = [[]];
  for (const word of words) {
    if (word.startsWith('--')) lines.push([]);
    lines.at(-1)!.push(inQuotes(word));
  }
  return `exec ${[...lines.map((line) => line.join(' ')), ...own].join(' \\\n  ')}`;
}
