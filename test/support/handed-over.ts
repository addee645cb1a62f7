/** A small training that was handed over: the sample model without three blocks, and a few rows. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { handOver, type HandedOver } from '../../src/hand-over/hand-over';
import type { Target } from '../../src/hand-over/manifest';
import type { GivenFor } from '../../src/jobs/kinds';
import { partRunner } from '../../src/jobs/run-job';
import { temporaryFolder } from './temporary';

export const SAMPLE = resolve('media/sample');

/** The first documents of the sample's training text. */
export function fewRows(count = 24): string {
  const file = join(temporaryFolder(), 'rows.jsonl');
  const lines = readFileSync(join(SAMPLE, 'retrain.jsonl'), 'utf8').split('\n').slice(0, count);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/** @param more options of `retrain`, in place of the usual ones */
export function handedOver(more: Partial<GivenFor<'retrain'>> = {}, to: Target = 'trl'): Promise<HandedOver> {
  const given: GivenFor<'retrain'> = {
    checkpoint: SAMPLE,
    remove: [4, 5, 6],
    heal: 'none',
    data: [fewRows()],
    length: 32,
    batch: 4,
    steps: 10,
    heldOut: 3,
    threads: 1,
    out: join(temporaryFolder(), 'handed'),
    ...more,
  };
  const warn = (): void => undefined;
  const run = partRunner({ job: {}, hooks: {}, note: warn, warn });
  return handOver({ to, given, copyOriginal: to === 'modelopt' }, { job: {}, run, warn });
}
