/**
 * What if: how long the perplexity of a plan takes after a block was toggled, against evaluating the plan from the start.
 *
 *   npm run bench -- what-if [--model PATH] [--text FILE] [--samples 10] [--length 128] [--threads N]
 *
 * The subject is the sample model with its own text unless named. From a plan without two blocks, every other block that
 * may go is taken out in turn; the states before it are those of the plan. The panel adds 150 ms until clicks have settled.
 * Then the first answers of a panel are timed, each with a service of its own: what the sidecar prepares before, and one block without
 * which the model is asked for, in int8 and in float32.
 */
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openCheckpoint, requireArchitecture } from '../src/engine/checkpoint/open';
import { wholeOf } from '../src/engine/evaluate/compared';
import { loadRows } from '../src/engine/evaluate/rows';
import { PlanPerplexity } from '../src/engine/evaluate/plan-perplexity';
import { endBlocks } from '../src/engine/importance/select';
import { openModel } from '../src/engine/model/model';
import { viewWithout, type View } from '../src/engine/model/view';
import { WhatIfService } from '../src/sidecar/what-if-service';
import { printMachine } from './support/machine';
import { median } from '../src/engine/median';
import { percent, printFacts, timed } from './support/numbers';
import { MODEL_OPTION, modelOr } from './support/subject';
import { noteRatio } from './support/ratios';
import { comparedPerplexity } from '../test/support/measuring';

const GOAL_SECONDS = 2;
const STATE_BYTES = 2 ** 30;

const { values } = parseArgs({
  options: {
    ...MODEL_OPTION,
    text: { type: 'string' },
    samples: { type: 'string', default: '10' },
    length: { type: 'string', default: '128' },
    threads: { type: 'string' },
  },
});
const sample = resolve(import.meta.dirname, '../media/sample');
const file = values.text ?? join(sample, 'calibration.txt');
const threads = values.threads === undefined ? undefined : Number(values.threads);
const checkpoint = await openCheckpoint(modelOr(values.model, () => sample));
const architecture = requireArchitecture(checkpoint);
const blocks = architecture.layers.length;
const drawing = { samples: Number(values.samples), length: Number(values.length), seed: 1234 };
const { rows } = await loadRows({ from: 'calibration', file, ...drawing }, checkpoint, architecture, {});

const kept = new Set(endBlocks(blocks));
const free = Array.from({ length: blocks }, (_, block) => block).filter((block) => !kept.has(block));
const [first, second] = [free[0], free[free.length >> 1]];
const plan = (...removed: number[]): View =>
  viewWithout(
    blocks,
    removed.map((block) => ({ block })),
  );

printMachine();
const model = await openModel(checkpoint, { device: 'cpu', threads });
const whatIf = new PlanPerplexity(model, rows, plan(), STATE_BYTES);
try {
  const whole = await timed(() => whatIf.evaluate(plan()));
  const toggles: number[] = [];
  const shares: number[] = [];
  for (const block of free.filter((each) => each !== first && each !== second)) {
    await whatIf.evaluate(plan(first, second));
    const view = plan(first, second, block);
    const toggle = await timed(() => whatIf.evaluate(view));
    const again = await timed(() => comparedPerplexity({ model, view }, wholeOf(model), rows));
    if (Math.abs(toggle.result.ppl / again.result.ppl - 1) > 1e-5) throw new Error('the perplexities differ');
    toggles.push(toggle.seconds);
    shares.push(toggle.seconds / again.seconds);
    console.log(
      `block ${String(block).padStart(2)}: ${toggle.seconds.toFixed(3)} s for ${toggle.result.computed} of ` +
        `${toggle.result.steps} blocks and the head; from the start ${again.seconds.toFixed(3)} s`,
    );
  }
  const undo = await timed(() => whatIf.evaluate(plan(first, second)));
  const precision = model.precision;
  noteRatio('seconds after a toggle, against the plan from the start', median(shares), {
    precision,
    text: basename(file),
  });
  console.log('');
  printFacts([
    ['rows', `${rows.length} × ${rows[0].length} tokens, ${blocks} blocks`],
    ['the first answer', `${whole.seconds.toFixed(3)} s, with every block and the head`],
    ['after a toggle', `${median(toggles).toFixed(3)} s (goal on the sample model: ${GOAL_SECONDS} s)`],
    ['of the whole work', percent(median(shares))],
    ['after an undo', `${(1000 * undo.seconds).toFixed(1)} ms`],
  ]);
} finally {
  whatIf.close();
  await model.close();
}
await firstAnswers([first, second, free[free.length - 1]]);

/** Of a panel whose sidecar has had time to prepare. */
async function firstAnswers(removed: readonly number[]): Promise<void> {
  const never = new AbortController().signal;
  const asked = { checkpoint: checkpoint.path, device: 'cpu', threads, calibration: { file, ...drawing } } as const;
  const ratios: number[] = [];
  for (const block of removed) {
    const service = new WhatIfService({});
    try {
      const prepared = await timed(() => service.prepare({ ...asked, whole: true }, never));
      if (!prepared.result.prepared) throw new Error('nothing was prepared');
      const ask = { ...asked, remove: [block] };
      const quick = await timed(() => service.evaluate({ ...ask, quick: true }, never));
      const exact = await timed(() => service.evaluate(ask, never));
      ratios.push(exact.seconds / quick.seconds);
      console.log(
        `prepared in ${prepared.seconds.toFixed(1)} s; first without block ${block}: ${quick.seconds.toFixed(2)} s in ` +
          `${quick.result.precision} on ${quick.result.readRows ?? rows.length} rows, ${exact.seconds.toFixed(2)} s in ${exact.result.precision} with the KL divergence`,
      );
    } finally {
      await service.close();
    }
  }
  noteRatio('seconds of a prepared first answer: float32, against int8', median(ratios), { text: basename(file) });
}
