/** The commands of a pod: its part, unless that is there, and the gather once all parts are. */
import { quoted } from '../../format/shell';
import { numberRanges } from '../../format/ranges';
import { JOBS } from '../../jobs/definitions';
import { flagOf } from '../../jobs/argv';
import { isShared } from '../../jobs/parts/part-record';
import { MIN_BYTES } from '../../jobs/values';
import type { ClusterRun } from '../folder';
import { type Asked, podThreads } from './asked';

/** Hidden states may take an eighth of the memory: Coppice's own share, of a machine that it has alone. */
const STATES_SHARE = 1 / 8;

/**
 * For `sh -c`. Every pod looks whether all parts are there when its own is, so that no pod has to wait for others. Two
 * gathers at once write the same bytes.
 * @param parts numbers, by the index of the pod; with none, the one pod only gathers
 */
export function podScript(run: ClusterRun, asked: Asked, parts: readonly number[]): string {
  const coppice = run.command.map(word).join(' ');
  const all = parts.length === run.parts;
  return [
    'set -eu',
    `run=${word(asked.runFolder)}`,
    'mkdir -p "$run/parts"',
    ...(parts.length === 0 ? [] : partLines(run, asked, coppice, all ? undefined : parts)),
    '# The last pod finds all parts, and makes the record of them.',
    'part=1',
    'while [ -e "$run/parts/part-$part.json" ]; do part=$((part + 1)); done',
    `if [ "$part" -gt ${run.parts} ]; then`,
    `  ${coppice} gather "$run/parts" --out "$run/record.json"`,
    'fi',
    '',
  ].join('\n');
}

/** @param some numbers of parts by index; undefined for all */
function partLines(run: ClusterRun, asked: Asked, coppice: string, some: readonly number[] | undefined): string[] {
  const number =
    some === undefined
      ? ['part=$((JOB_COMPLETION_INDEX + 1))']
      : [`# Parts ${numberRanges(some)}.`, `set -- ${some.join(' ')}`, 'shift "$JOB_COMPLETION_INDEX"', 'part=$1'];
  const words = [...run.words, ...machineWords(run, asked)].map(word).join(' ');
  return [
    ...number,
    'record="$run/parts/part-$part.json"',
    'if [ ! -e "$record" ]; then',
    `  ${coppice} ${words} \\`,
    `    --part "$part/${run.parts}" ${isShared(run.kind) ? '--folder "$run"' : '--record "$record"'}`,
    'fi',
  ];
}

/** A pod sees all processors and all memory of its node: Coppice is told what it may take of them. */
function machineWords(run: ClusterRun, asked: Asked): string[] {
  const { memoryBytes } = asked;
  const states = memoryBytes === undefined ? run.estimate?.statesBytes : memoryBytes * STATES_SHARE;
  const values: readonly (readonly [name: string, value: number | undefined])[] = [
    ['threads', podThreads(run.asked)],
    ['memory', states && Math.max(MIN_BYTES, Math.ceil(states))],
  ];
  return values.flatMap(([name, value]) => {
    const flag = flagOf(name);
    const isGiven = run.words.some((each) => each === flag || each.startsWith(`${flag}=`));
    if (value === undefined || isGiven || !Object.hasOwn(JOBS[run.kind].options, name)) return [];
    return [flag, String(value)];
  });
}

/** Kubernetes replaces $(NAME) in a command before the shell sees it, and $$ by $. */
const word = (text: string): string => quoted(text, 'posix').replace(/\$(?=[$(])/g, '$$$$');
