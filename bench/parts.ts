/**
 * Parts: a score in one process beside the same in 2, 4 and 8 parts, one part after another, and gathering them.
 *
 *   npm run bench -- parts [--model PATH] [--rows ROWS.json] [--counts 2,4,8] [--quick]
 *
 * The subject is SmolLM2-135M-Instruct with 10 rows of 128 tokens unless named; `--quick` takes the sample model. Every part is a fresh
 * process of the built command line, and so is the score in one process, which is run before and after the parts, so that a change
 * in the machine's mood shows. Printed for each number of parts: the time of all of them against one process, which is what
 * cutting costs (passes of the model itself, openings of its blocks, and starts); the longest part against all of one process
 * (at best one of n); the bytes of a partial record; the time of the gather. The gathered record must have the very numbers of
 * one process, or the benchmark fails.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { buildProduct, runBuilt } from './support/built';
import { printMachine } from './support/machine';
import { percent, times } from './support/numbers';
import { MODEL_OPTION, modelOr, rowsFileOr } from './support/subject';
import { noteRatio } from './support/ratios';

const { values } = parseArgs({
  options: {
    ...MODEL_OPTION,
    rows: { type: 'string' },
    counts: { type: 'string', default: '2,4,8' },
    quick: { type: 'boolean', default: false },
  },
});

const sample = resolve(import.meta.dirname, '../media/sample');
const checkpoint = modelOr(values.quick ? sample : values.model);
const text = values.quick ? join(sample, 'calibration.txt') : await rowsFileOr(values.rows, values.model);
/** Parts are exact, so one process must be. */
const job = ['score', checkpoint, '--calibration', text, '--precision', 'float32'] as const;
const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-parts-'));
try {
  printMachine();
  buildProduct();
  measure(values.counts.split(',').map(Number));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function measure(counts: readonly number[]): void {
  const first = whole('before');
  const cuts = counts.map((count) => ({ count, ...parts(count, first.record) }));
  const last = whole('after');
  const one = (first.seconds + last.seconds) / 2;
  console.log(`one process: ${first.seconds.toFixed(1)} s before the parts, ${last.seconds.toFixed(1)} s after them`);
  for (const { count, seconds, bytes, gather } of cuts) {
    const all = seconds.reduce((sum, each) => sum + each, 0);
    noteRatio(`seconds of ${count} parts together, against one process`, all / one, { precision: 'float32' });
    console.log(
      [
        `${count} parts: ${times(all / one)} the time of one process`,
        `the longest ${percent(Math.max(...seconds) / one)} of it (at best ${percent(1 / count)})`,
        `a record ${(bytes / 1e3).toFixed(1)} kB`,
        `gather ${gather.toFixed(1)} s`,
      ].join(', '),
    );
  }
}

function whole(name: string): { readonly seconds: number; readonly record: string } {
  const record = join(folder, `${name}.json`);
  return { seconds: runBuilt(...job, '--record', record).seconds, record };
}

function parts(
  count: number,
  reference: string,
): { readonly seconds: readonly number[]; readonly bytes: number; readonly gather: number } {
  const files = Array.from({ length: count }, (_, i) => join(folder, `${count}-${i + 1}.json`));
  const seconds = files.map((file, i) => runBuilt(...job, '--part', `${i + 1}/${count}`, '--record', file).seconds);
  const out = join(folder, `${count}.json`);
  const gather = runBuilt('gather', ...files, '--out', out).seconds;
  if (!isDeepStrictEqual(numbersOf(out), numbersOf(reference))) throw new Error(`${count} parts have other numbers`);
  return { seconds, bytes: Math.max(...files.map((file) => statSync(file).size)), gather };
}

/** The results of a record, but for what differs between two runs of one process. */
function numbersOf(record: string): object {
  const { results } = JSON.parse(readFileSync(record, 'utf8')) as { readonly results: Record<string, unknown> };
  return { ...results, seconds: undefined, peakRssBytes: undefined };
}
