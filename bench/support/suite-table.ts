/** The table of `npm run bench -- all`: its head says on what and of what, its lines have a ratio each. */
import { execFileSync } from 'node:child_process';
import { release } from 'node:os';
import { resolve } from 'node:path';
import { describeMachine, processorFeatures } from './machine';
import type { Ratio } from './ratios';

/** How a benchmark ended. */
export interface Ended {
  readonly name: string;
  readonly state: 'done' | 'failed' | 'skipped';
  /** Why it failed or was skipped. */
  readonly why?: string;
  readonly seconds: number;
  readonly ratios: readonly Ratio[];
}

/** What ratios of one table share. */
export interface Head {
  readonly machine: string;
  readonly features: string;
  readonly system: string;
  /** With "+ changes" if the tree has some. */
  readonly commit: string;
  readonly date: string;
}

export function headNow(): Head {
  return {
    machine: describeMachine(),
    features: processorFeatures(),
    system: `${process.platform} ${release()}`,
    commit: commit(),
    date: new Date().toISOString().slice(0, 10),
  };
}

function commit(): string {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: resolve(import.meta.dirname, '../..'), encoding: 'utf8' }).trim();
  try {
    const isChanged = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short=12', 'HEAD')}${isChanged ? ' + changes' : ''}`;
  } catch {
    return 'unknown';
  }
}

/** In Markdown. */
export function tableOf({ machine, features, system, commit: of, date }: Head, ended: readonly Ended[]): string {
  const rows = ended
    .filter(({ ratios }) => ratios.length > 0)
    .flatMap(({ name, ratios }) =>
      ratios.map(({ what, ratio, model = '', text = '', precision = '' }) =>
        [name, what, ratio.toPrecision(3), model, text, precision].map(cell),
      ),
    );
  const head = ['benchmark', 'what', 'ratio', 'model', 'text', 'precision'];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const others = ended.filter(({ ratios, state }) => state !== 'done' || ratios.length === 0);
  return [
    `${machine}${features === '' ? '' : `; ${features}`}; ${system}; commit ${of}; ${date}`,
    '',
    line(head),
    line(head.map(() => '---')),
    ...rows.map(line),
    ...(others.length > 0 ? ['', ...others.map((each) => `- ${wordsOf(each)}`)] : []),
  ].join('\n');
}

function wordsOf({ name, state, why = '' }: Ended): string {
  return state === 'done' ? `${name}: done, and it has no ratios` : `${name}: ${state} (${why})`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s+/g, ' ');
