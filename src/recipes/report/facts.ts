/** What a step did, in a few words and numbers: its options, and what its result says. */
import { basename } from 'node:path';
import { formatBytes } from '../../format/numbers';
import { isObject } from '../../format/json';
import { counted } from '../../format/words';
import type { AnyJob } from '../../jobs/define';
import { JOBS } from '../../jobs/definitions';
import { blockList, type Fact, SIZE, writtenFacts } from '../../jobs/facts';
import type { ValueKind } from '../../jobs/option';
import { outputOptions } from '../outputs';
import type { RecipeStep } from '../recipe';
import type { StepEnd } from '../types';

/** The options that the recipe gives to a step, with the values of the run. Outputs are told elsewhere. */
export function optionFacts(step: RecipeStep, { finished }: StepEnd): Fact[] {
  const job: AnyJob = JOBS[step.job];
  const outputs = outputOptions(step.job);
  return Object.keys(step.options)
    .filter((name) => !outputs.includes(name))
    .flatMap((name): Fact[] => {
      const value = finished?.options[name];
      return value === undefined || value === null ? [] : [[name, optionWords(job.options[name].kind, value)]];
    });
}

function optionWords(kind: ValueKind, value: unknown): string {
  switch (kind.kind) {
    case 'path':
      return basename(String(value));
    case 'models':
      return Array.isArray(value) ? counted(value.length, 'model') : '';
    case 'list':
      return Array.isArray(value) ? value.map((item) => optionWords(kind.of, item)).join(', ') : '';
    case 'blocks':
    case 'parts':
      return Array.isArray(value) ? blockList(value) : '';
    case 'flag':
      return value === true ? 'yes' : 'no';
    case 'bytes':
      return typeof value === 'number' ? formatBytes(value) : '';
    default:
      return isObject(value) ? '' : String(value);
  }
}

/** The main numbers of a step that is done. */
export function resultFacts({ job, result, finished }: Pick<StepEnd, 'job' | 'result' | 'finished'>): Fact[] {
  const found = result ? (JOBS[job].facts?.(result) ?? writtenFacts(result)) : [];
  // The size of the files, as everywhere: jobs may count the weights alone.
  const bytes = finished?.outputs.reduce((sum, output) => sum + output.bytes, 0) ?? 0;
  return found.map(([name, value]): Fact => [name, name === SIZE && bytes > 0 ? formatBytes(bytes) : value]);
}
