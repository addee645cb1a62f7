/**
 * Taylor: the highest resident memory of scoring by the Taylor criterion with 1 000 samples, against that with 10.
 *
 *   npm run bench -- taylor [--model PATH] [--samples 10,1000] [--length 128] [--memory 64MB]
 *
 * The subject is SmolLM2-135M-Instruct unless named; the rows are random tokens. Every figure is of a fresh process of the built
 * command line under the same `--memory`, and holds all of it. What does not fit goes to a temporary file, whose size is
 * told. The time grows with the samples: 1 000 of 128 tokens are a hundred times the ten of the paper.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openCheckpoint, requireArchitecture } from '../src/engine/checkpoint/open';
import { buildProduct, runBuilt } from './support/built';
import { printMachine } from './support/machine';
import { megabytes, times } from './support/numbers';
import { randomRowsFile } from './support/rows';
import { MODEL_OPTION, modelOr } from './support/subject';
import { noteRatio } from './support/ratios';

const GOAL = 1.1;

const { values } = parseArgs({
  options: {
    ...MODEL_OPTION,
    samples: { type: 'string', default: '10,1000' },
    length: { type: 'string', default: '128' },
    memory: { type: 'string', default: '64MB' },
  },
});

const checkpoint = modelOr(values.model);
const { layers, hidden, vocabulary } = requireArchitecture(await openCheckpoint(checkpoint));
const blocks = layers.length;
const length = Number(values.length);
const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-'));
try {
  printMachine();
  buildProduct();
  const counts = values.samples.split(',').map(Number);
  const peaks = counts.map((count) => {
    const rows = randomRowsFile(folder, count, length, vocabulary);
    const sampling = ['--calibration', rows, '--samples', String(count), '--length', values.length];
    const scoring = ['--criterion', 'taylor', '--memory', values.memory];
    const { peakBytes, seconds } = runBuilt('score', checkpoint, ...sampling, ...scoring);
    const states = 4 * (blocks + 1) * count * length * hidden;
    const where = `${megabytes(states)} of hidden states, --memory ${values.memory}`;
    console.log(
      `${count} × ${length}`.padEnd(12),
      `peak ${megabytes(peakBytes)} in ${seconds.toFixed(1)} s (${where})`,
    );
    return peakBytes;
  });
  const ratio = peaks.at(-1)! / peaks[0];
  noteRatio(`peak memory of Taylor scores of ${counts.at(-1)} samples, against ${counts[0]}`, ratio);
  console.log(`${counts.at(-1)} samples take ${times(ratio)} the memory of ${counts[0]} (goal: ${GOAL} ×)`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
