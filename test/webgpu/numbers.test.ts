/** What is computed on the GPU, from scores to text, against the CPU. */
import assert from 'node:assert/strict';
import { generate } from '../../src/engine/evaluate/generate';
import { scoreBlockInfluence } from '../../src/engine/importance/criteria/block-influence';
import { scoreBlocks } from '../../src/engine/importance/criteria/ppl';
import { CancelledError } from '../../src/engine/errors';
import { Decoder } from '../../src/engine/model/decoder';
import { compareStates, type Comparison } from '../../src/engine/model/divergence';
import type { Model } from '../../src/engine/model/model';
import { fullView, viewWithout } from '../../src/engine/model/view';
import { Work } from '../../src/engine/progress';
import { assertAllClose, assertClose } from '../support/close';
import { calibrationRows, checkpointFolder } from '../support/golden';
import { checkGreedyIds } from '../support/golden-checks';
import { lastState } from '../support/model';
import { full, itFull, itShared } from '../support/shared';
import { tinyCheckpoint } from '../support/tiny-models';
import { describeWebGpu, onBoth } from '../support/webgpu';
import { evaluatePerplexity } from '../support/measuring';

const MEAN_NLL = { absolute: 1e-3 };
const LOGITS = { absolute: 1e-3 };
/** A vocabulary that no tile size divides. */
const odd = (): string => tinyCheckpoint('qwen3-qknorm', { config: { vocab_size: 307, num_hidden_layers: 3 } });

describeWebGpu('numbers on WebGPU', () => {
  it('score, eval and generate give the CPU’s, on a toy with an odd vocabulary and heads of 24', () =>
    onBoth(odd(), async (cpu, gpu) => {
      const rows = [1, 2].map((row) => Array.from({ length: 40 }, (_, i) => (i * i * 7 + i * row + 3) % 307));
      await sameScores(cpu, gpu, rows);
      await samePerplexity(cpu, gpu, rows.flat());
      await sameText(cpu, gpu, rows[0].slice(0, 5));
    }));

  it('a prompt longer than one run of the GPU continues as on the CPU', () =>
    onBoth(tinyCheckpoint('mistral-window', { config: { num_hidden_layers: 2 } }), (cpu, gpu) =>
      sameText(
        cpu,
        gpu,
        Array.from({ length: 70 }, (_, i) => (i * 31 + 5) % 280),
      ),
    ));

  it('several texts side by side go on as on the CPU', () =>
    onBoth(tinyCheckpoint('llama-gqa-tied', { config: { num_hidden_layers: 2 } }), async (cpu, gpu) => {
      const [expected, actual] = [await sideBySide(cpu), await sideBySide(gpu)];
      assertAllClose(actual, expected, LOGITS, 'logits');
    }));

  it('block influence is the CPU’s', () =>
    onBoth(tinyCheckpoint('llama-plain', { config: { num_hidden_layers: 2 } }), async (cpu, gpu) => {
      const rows = [Array.from({ length: 40 }, (_, i) => (i * 17) % 280)];
      const [expected, actual] = [await scoreBlockInfluence(cpu, rows), await scoreBlockInfluence(gpu, rows)];
      const scores = ({ blocks }: typeof actual): number[] => blocks.map(({ score }) => score);
      assertAllClose(scores(actual), scores(expected), { absolute: 1e-5 }, 'block influence');
    }));

  it('the comparison with a teacher on the GPU or the CPU is the CPU’s', () =>
    onBoth(odd(), async (cpu, gpu) => {
      const rows = [1, 2].map((row) => Array.from({ length: 40 }, (_, i) => (i * i * 5 + i * row) % 307));
      const expected = await comparedViews(cpu, cpu, rows);
      for (const teacher of [cpu, gpu]) {
        for (const [v, { losses, divergences }] of (await comparedViews(gpu, teacher, rows)).entries()) {
          assertAllClose(losses, expected[v].losses, MEAN_NLL, `losses ${v}`);
          assertAllClose(divergences, expected[v].divergences, MEAN_NLL, `divergences ${v}`);
        }
      }
    }));

  it('a cancelled score leaves a device that goes on working', () =>
    onBoth(tinyCheckpoint('llama-plain', { config: { num_hidden_layers: 2 } }), async (cpu, gpu) => {
      const rows = [Array.from({ length: 20 }, (_, i) => (i * 17) % 280)];
      const stop = new AbortController();
      const job = { signal: stop.signal, onProgress: () => stop.abort() };
      await assert.rejects(scoreBlocks(gpu, rows, { seed: 1 }, job), CancelledError);
      await sameScores(cpu, gpu, rows);
    }));

  itFull('score, eval and generate give the CPU’s on stories260K', () =>
    onBoth(checkpointFolder('stories260K'), async (cpu, gpu) => {
      const rows = calibrationRows('stories260K')
        .slice(0, 2)
        .map((row) => row.slice(0, 40));
      await sameScores(cpu, gpu, rows);
      await samePerplexity(cpu, gpu, rows.flat());
      await checkGreedyIds(gpu, 'stories260K', { nearTie: 1e-3, prompts: 1 });
    }),
  );
});

async function sameScores(cpu: Model, gpu: Model, rows: number[][]): Promise<void> {
  const expected = await scoreBlocks(cpu, rows, { seed: 1 });
  const actual = await scoreBlocks(gpu, rows, { seed: 1 });
  assertClose(actual.full.meanNll, expected.full.meanNll, MEAN_NLL, 'whole model');
  for (const [i, { index, meanNll }] of actual.blocks.entries()) {
    assertClose(meanNll, expected.blocks[i].meanNll, MEAN_NLL, `without block ${index}`);
  }
}

/** The whole model and one without a block, against the teacher's whole model. */
async function comparedViews(model: Model, teacher: Model, rows: number[][]): Promise<Comparison[]> {
  const blocks = model.architecture.layers.length;
  const state = await lastState(teacher, rows, fullView(blocks));
  const states = [];
  for (const view of [fullView(blocks), viewWithout(blocks, [{ block: 1 }])]) {
    states.push(await lastState(model, rows, view));
  }
  return compareStates(model, { model: teacher, state }, states, rows, new Work({}, 1, 'row-blocks', ''));
}

async function samePerplexity(cpu: Model, gpu: Model, ids: number[]): Promise<void> {
  const blocks = cpu.architecture.layers.length;
  for (const view of [fullView(blocks), viewWithout(blocks, [{ block: 1 }, { block: 2, part: 'ffn' }])]) {
    const options = { window: 40, bos: 'stream', view } as const;
    const expected = await evaluatePerplexity(cpu, ids, options);
    const actual = await evaluatePerplexity(gpu, ids, options);
    assert.equal(actual.tokens, expected.tokens);
    assertClose(actual.meanNll, expected.meanNll, MEAN_NLL, 'mean NLL');
  }
}

/** What the device's own attention cannot do: capped scores, a part of a head turning, angles that follow the length. */
describeWebGpu('families on WebGPU', () => {
  for (const family of [
    'gemma2-softcap',
    'phi3-partial',
    'phi3-longrope',
    'gemma3-pattern',
    'olmo2-postnorm',
  ] as const) {
    const test = family === 'gemma2-softcap' ? itShared : itFull;
    const name = `families2/${family}` as const;
    test(`${family} scores and writes as on the CPU`, () =>
      onBoth(checkpointFolder(name), async (cpu, gpu) => {
        const rows = calibrationRows(name).slice(0, 2);
        await sameScores(cpu, gpu, rows);
        for (const length of full ? [6, 35] : [35]) await sameText(cpu, gpu, rows[0].slice(0, length));
        assertAllClose(await sideBySide(gpu), await sideBySide(cpu), LOGITS, 'side by side');
      }));
  }
});

async function sameText(cpu: Model, gpu: Model, promptIds: number[]): Promise<void> {
  const options = { maxNewTokens: full ? 16 : 6, greedy: true, ignoreEos: true } as const;
  const expected = await generate(cpu, promptIds, options);
  const actual = await generate(gpu, promptIds, options);
  assert.deepEqual(actual.ids, expected.ids);
}

/** Logits after a few tokens of three texts. */
async function sideBySide(model: Model): Promise<Float32Array> {
  const decoder = await Decoder.open(model, fullView(model.architecture.layers.length), 8, 3);
  try {
    let logits = await decoder.appendToEach([1, 2, 3]);
    for (let i = 0; i < 4; i++) logits = await decoder.appendToEach([20 + i, 50 + i, 90 + i]);
    return Float32Array.from(logits);
  } finally {
    await decoder.close();
  }
}
