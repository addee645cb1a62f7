/**
 * Width pruning: seconds and memory of choosing what is kept, by each method, against PyTorch doing the same.
 *
 *   npm run bench -- width [--model PATH] [--rows ROWS.json] [--ratio 0.25] [--turns 2] [--threads N] [--no-torch]
 *
 * SmolLM2-135M-Instruct on the reference material's calibration rows unless something else is named. The built command line and
 * PyTorch (peers/width_torch.py) take turns; the better time of each counts. Seconds are those of the method on an open
 * model: statistics, choice and biases. Memory is that of the process, which on Coppice's side also measures the
 * perplexity of what is kept. What both keep is compared.
 */
import { parseArgs } from 'node:util';
import type { WidthResult } from '../src/jobs/results/width';
import { WIDTH_METHODS, type WidthMethod } from '../src/engine/importance/width/methods';
import { hasShared, shared } from '../test/support/shared';
import { isSkipped, torchWidth, type TorchWidth } from './peers/peer';
import { buildProduct, type BuiltRun, runBuilt } from './support/built';
import { printMachine } from './support/machine';
import { megabytes, times } from './support/numbers';
import { MODEL_OPTION, modelOr, rowsFileOr } from './support/subject';
import { noteRatio } from './support/ratios';

const { values } = parseArgs({
  allowNegative: true,
  options: {
    ...MODEL_OPTION,
    rows: { type: 'string' },
    ratio: { type: 'string', default: '0.25' },
    turns: { type: 'string', default: '2' },
    threads: { type: 'string' },
    torch: { type: 'boolean', default: true },
  },
});
const checkpoint = modelOr(values.model);
const rows = await rowsFileOr(values.rows, values.model);
const threads = values.threads === undefined ? [] : ['--threads', values.threads];

printMachine();
buildProduct();
console.log(`\nratio ${values.ratio}`);
for (const method of WIDTH_METHODS) compare(method);

function compare(method: WidthMethod): void {
  const own: BuiltRun[] = [];
  const others: TorchWidth[] = [];
  for (let turn = 0; turn < Number(values.turns); turn++) {
    own.push(
      runBuilt('width', checkpoint, '--method', method, '--ratio', values.ratio, '--calibration', rows, ...threads),
    );
    const other = torch(method);
    if (!isSkipped(other)) others.push(other);
    else if (turn === 0) console.log(`PyTorch skipped: ${other.skipped}`);
  }
  const seconds = Math.min(...own.map(({ json }) => Number(json.pruningSeconds)));
  const peak = Math.min(...own.map(({ peakBytes }) => peakBytes));
  console.log(`${method.padEnd(11)}  Coppice ${seconds.toFixed(1)} s, ${megabytes(peak)}`);
  if (others.length === 0) return;
  const theirs = Math.min(...others.map((each) => each.seconds));
  const theirPeak = Math.min(...others.map(({ peakBytes }) => peakBytes));
  noteRatio(`speed of ${method}, against PyTorch`, theirs / seconds);
  const kept = agreement(own[0].json.layers as WidthResult['layers'], others[0]);
  console.log(
    `${''.padEnd(11)}  PyTorch ${theirs.toFixed(1)} s (${times(theirs / seconds)}), ${megabytes(theirPeak)} ` +
      `(${times(theirPeak / peak)}); ${kept}`,
  );
}

function torch(method: WidthMethod): ReturnType<typeof torchWidth> {
  if (!values.torch) return { skipped: '--no-torch' };
  if (!hasShared) return { skipped: 'the reference material is not there' };
  return torchWidth(shared('golden/tools/width.py'), checkpoint, rows, method, '--ratio', values.ratio, ...threads);
}

/** How many blocks keep the same heads and as many neurons. */
function agreement(own: WidthResult['layers'], { layers }: TorchWidth): string {
  const same = own.filter(
    ({ groups, neurons }, i) => groups.join() === layers[i].groups.join() && neurons.length === layers[i].neurons,
  ).length;
  return `the same heads and as many neurons in ${same} of ${own.length} blocks`;
}
