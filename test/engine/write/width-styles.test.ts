/**
 * Width of the further families: matrices that hold several Linears, norms behind modules, factors and caps. The view against
 * the float64 reference of a mask, the written checkpoint against the view, and stock transformers against both.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { parametersOf } from '../../../src/engine/checkpoint/parameters';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { groupsOf, narrowCheckpoint, type Width } from '../../../src/engine/checkpoint/width';
import { plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { generate } from '../../../src/engine/evaluate/generate';
import { openModelOver } from '../../../src/engine/model/model';
import { fullView, stepsOf } from '../../../src/engine/model/view';
import { checkpointWeights } from '../../../src/engine/weights/checkpoint';
import { Rounded } from '../../../src/engine/weights/rounded';
import { writeWidth } from '../../../src/engine/write/width';
import { loadReference } from '../../reference/forward';
import { torchPython } from '../../support/consumers';
import { decodedLogits, withModelOf } from '../../support/model';
import { randomRows } from '../../support/random';
import { checkForward, checkSweep } from '../../support/reference-checks';
import { describeShared, full, itFull, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { masked, randomWidth } from '../../support/widths';

const FACTS = { method: 'flap', ratio: 0.25, calibration: ['rows.json'], ppl: 12.5, warnings: [] } as const;
/** Longer than every window and than LongRoPE's first context. */
const LENGTH = 24;
/** float32 against float64 where states reach 10. */
const CLOSE = { absolute: 2e-4 };

interface Toy {
  readonly name: string;
  /** Kept groups of every block where all blocks are equal; all that there are if undefined. */
  readonly groups?: readonly number[];
  /** The class of transformers that runs it then; null if none does. */
  readonly runs: string | null;
  /** Of a width that differs from block to block, with biases. */
  readonly seed: number;
}

const TOYS: readonly Toy[] = [
  { name: 'gemma-tied', runs: 'GemmaForCausalLM', seed: 1 },
  { name: 'gemma2-softcap', groups: [1], runs: 'Gemma2ForCausalLM', seed: 2 },
  { name: 'gemma3-pattern', runs: 'Gemma3ForCausalLM', seed: 3 },
  { name: 'phi3-partial', groups: [1], runs: 'Phi3ForCausalLM', seed: 4 },
  { name: 'phi3-longrope', groups: [0, 2, 3], runs: null, seed: 5 },
  { name: 'granite-multipliers', groups: [0], runs: 'GraniteForCausalLM', seed: 6 },
  { name: 'olmo2-postnorm', runs: 'Olmo2ForCausalLM', seed: 7 },
  { name: 'smollm3-nope', groups: [1], runs: 'SmolLM3ForCausalLM', seed: 8 },
];

const folderOf = (name: string): string => shared('models/families2', name);

describeShared('width of the further families', function () {
  this.timeout(120_000);

  for (const { name, groups, runs, seed } of TOYS) {
    describe(name, () => {
      let checkpoint: Checkpoint;
      before(async () => {
        checkpoint = await openCheckpoint(folderOf(name));
      });

      it('computes the float64 reference of a mask', async () => {
        const architecture = requireArchitecture(checkpoint);
        for (const biases of full || name === 'gemma3-pattern' ? [true, false] : [true]) {
          const width = randomWidth(architecture, { seed: biases ? seed : seed + 50, biases });
          await checkAgainstMask(narrowCheckpoint(checkpoint, width), folderOf(name), width, biases);
        }
      });

      it('is written as it is viewed, and opened again as such', async () => {
        const view = narrowCheckpoint(checkpoint, randomWidth(requireArchitecture(checkpoint), { seed, biases: true }));
        const out = join(temporaryFolder(), 'narrow');
        const result = await writeWidth(view, out, { facts: FACTS });
        assert.equal(result.runs, null);
        const opened = await openCheckpoint(out);
        assert.deepEqual(opened.architecture, view.architecture);
        assert.equal(parametersOf(opened.architecture!), result.parametersAfter);
        assert.deepEqual(await logitsOf(opened), await logitsOf(view));
      });

      it(`with equal blocks ${runs ? `is told to ${runs}` : 'is told to no class'}`, async () => {
        const { out, result, view } = await writeEqual(checkpoint, groups);
        assert.equal(result.runs, runs);
        const opened = await openCheckpoint(out);
        assert.deepEqual(opened.architecture, view.architecture);
        assert.deepEqual(await logitsOf(opened), await logitsOf(view));
      });

      const test = torchPython === undefined ? it.skip : itFull;
      test('stock transformers loads it, and computes the same', async () => {
        const { out } = await writeEqual(checkpoint, groups);
        const found = await loaded(torchPython!, out);
        if (runs === null) {
          assert.ok('refused' in found);
          return;
        }
        const { missing, unexpected, mismatched, logits, greedy } = found;
        assert.deepEqual([found.class, missing, unexpected, mismatched], [runs, [], [], []]);
        assert.ok((logits as number) < 1e-4 && greedy === true, `logits differ by ${String(logits)}`);
      });
    });
  }

  it('keeps all heads where a norm covers them at once', async () => {
    const { layers } = requireArchitecture(await openCheckpoint(folderOf('olmo2-postnorm')));
    assert.deepEqual(layers.map(plainShape).map(groupsOf), Array<number>(layers.length).fill(1));
  });
});

async function checkAgainstMask(view: Checkpoint, folder: string, width: Width, grown: boolean): Promise<void> {
  const reference = masked(loadReference(folder), width);
  await withModelOf(view, async (model) => {
    const rows = randomRows(2, LENGTH, model.architecture.vocabulary, 7);
    if (grown) await checkForward(model, reference, rows, CLOSE);
    else await checkSweep(model, reference, rows.slice(1), stepsOf(fullView(model.architecture.layers.length)), CLOSE);
  });
}

/** As its weights are stored, after a prompt that is shorter than LongRoPE's first context. */
async function logitsOf(checkpoint: Checkpoint): Promise<Float32Array> {
  const weights = checkpointWeights(checkpoint);
  const model = await openModelOver(new Rounded(weights, weights), checkpoint, { device: 'cpu', threads: 1 });
  try {
    const [logits] = await decodedLogits(model, randomRows(1, 16, model.architecture.vocabulary, 9));
    return logits;
  } finally {
    await model.close();
  }
}

/** Writes a checkpoint whose blocks all keep the same. */
async function writeEqual(
  checkpoint: Checkpoint,
  groups?: readonly number[],
): Promise<{ out: string; result: Awaited<ReturnType<typeof writeWidth>>; view: Checkpoint }> {
  const { layers } = requireArchitecture(checkpoint);
  const neurons = Array.from({ length: plainShape(layers[0]).ffn }, (_, i) => i).filter((i) => i % 3 !== 1);
  const all = Array.from({ length: groupsOf(plainShape(layers[0])) }, (_, i) => i);
  const view = narrowCheckpoint(checkpoint, { layers: layers.map(() => ({ groups: groups ?? all, neurons })) });
  const out = join(temporaryFolder(), 'narrow');
  return { out, result: await writeWidth(view, out, { facts: FACTS }), view };
}

/** What bench/peers/load_width.py says of a checkpoint, next to what Coppice computes. */
async function loaded(python: string, folder: string): Promise<Record<string, unknown>> {
  const expected = await withModelOf(await openCheckpoint(folder), async (model) => {
    const rows = randomRows(2, 16, model.architecture.vocabulary, 9);
    const logits: number[][][] = [];
    for (const row of rows) {
      const steps = await decodedLogits(
        model,
        row.map((id) => [id]),
      );
      logits.push(steps.map((each) => Array.from(each)));
    }
    const [prompt] = rows;
    const { ids: greedy } = await generate(model, prompt, { maxNewTokens: 3, greedy: true, ignoreEos: true });
    return { rows, logits, prompt, greedy };
  });
  const file = join(temporaryFolder(), 'expected.json');
  writeFileSync(file, JSON.stringify(expected));
  const script = join(import.meta.dirname, '../../../bench/peers/load_width.py');
  const env = { ...process.env, OMP_NUM_THREADS: '1' };
  return JSON.parse(execFileSync(python, [script, folder, file], { encoding: 'utf8', env })) as Record<string, unknown>;
}
