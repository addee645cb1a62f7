/** Decoding of models whose blocks carry states of their own from token to token. */
import { Decoder } from '../../../src/engine/model/decoder';
import type { Model } from '../../../src/engine/model/model';
import { fullView } from '../../../src/engine/model/view';
import { floats, type Tensor } from '../../../src/engine/onnx/session';
import {
  calibrationRows,
  checkpointFolder,
  type GoldenState,
  goldenStates,
  CARRYING_FAMILIES,
} from '../../support/golden';
import { assertAllClose, assertClose } from '../../support/close';
import { dot } from '../../support/differences';
import { formula } from '../../support/golden-training';
import { describedModel } from '../../support/model';
import { describeShared } from '../../support/shared';

const LOGITS = { absolute: 2e-4 };
/** Of norms; of dot products with numbers below 1 the same times the norm. */
const STATES = 1e-4;

async function withDecoder<T>(model: Model, texts: number, use: (decoder: Decoder) => Promise<T>): Promise<T> {
  const decoder = await Decoder.open(model, fullView(model.architecture.layers.length), 64, texts);
  try {
    return await use(decoder);
  } finally {
    await decoder.close();
  }
}

/** The last K inputs, (channels, K), from the last K − 1 before and after a token, (K − 1, channels) each. */
function lastInputs(before: Float32Array, after: Tensor): Float64Array {
  const [, kept, channels] = after.dims;
  return Float64Array.from({ length: channels * (kept + 1) }, (_, at) => {
    const [channel, k] = [Math.floor(at / (kept + 1)), at % (kept + 1)];
    return k === 0 ? before[channel] : floats(after)[(k - 1) * channels + channel];
  });
}

/** The last two axes exchanged: transformers keeps Mamba's states as (head width, state). */
function turned(state: Tensor): Float32Array {
  const [rows, columns] = state.dims.slice(-2);
  const values = floats(state);
  return values.map((_, at) => {
    const [matrix, place] = [Math.floor(at / (rows * columns)), at % (rows * columns)];
    return values[matrix * rows * columns + (place % rows) * columns + Math.floor(place / rows)];
  });
}

function checkState(found: ArrayLike<number>, expected: GoldenState, what: string): void {
  assertClose(Math.sqrt(dot(found, found)), expected.norm, { relative: STATES }, `${what}: norm`);
  const product = dot(found, formula(found.length, 7));
  assertClose(product, expected.dot, { absolute: STATES * expected.norm }, `${what}: dot product`);
}

describeShared('decoding with carried states', () => {
  for (const toy of CARRYING_FAMILIES) {
    describe(toy, () => {
      const model = describedModel(() => checkpointFolder(`families3/${toy}`));

      it('keeps the states that transformers keeps', async () => {
        const { prefix, layers } = goldenStates(toy);
        const ids = calibrationRows(`families3/${toy}`)[0].slice(0, prefix);
        await withDecoder(model(), 1, async (decoder) => {
          await decoder.append(ids.slice(0, -1));
          const before = layers.map(({ block, conv }) => conv && floats(decoder.carried(block).inputs).slice());
          await decoder.append(ids.slice(-1));
          for (const [i, { block, conv, recurrent }] of layers.entries()) {
            const after = decoder.carried(block);
            if (conv) checkState(lastInputs(before[i]!, after.inputs), conv, `block ${block}, convolution`);
            if (!recurrent) continue;
            const isDelta = model().architecture.layers[block].mixer.kind === 'deltaNet';
            const state = isDelta ? floats(after.state) : turned(after.state);
            checkState(state, recurrent, `block ${block}, recurrence`);
          }
        });
      });

      it('texts of any lengths side by side give what each gives alone', async () => {
        const rows = calibrationRows(`families3/${toy}`).slice(0, 3);
        const lengths = [7, 1, 12];
        const prompts = rows.map((row, i) => row.slice(0, lengths[i]));
        const next = (step: number): number[] => rows.map((row) => row[20 + step]);
        const alone: Float32Array[][] = [];
        for (const [i, prompt] of prompts.entries()) {
          await withDecoder(model(), 1, async (decoder) => {
            const found = [(await decoder.append(prompt)).slice()];
            for (let step = 0; step < 3; step++) found.push((await decoder.append([next(step)[i]])).slice());
            alone.push(found);
          });
        }
        const { vocabulary } = model().architecture;
        await withDecoder(model(), prompts.length, async (decoder) => {
          const check = (logits: Float32Array, texts: readonly number[], step: number): void =>
            texts.forEach((text, i) => {
              const own = logits.subarray(i * vocabulary, (i + 1) * vocabulary);
              assertAllClose(own, alone[text][step], LOGITS, `text ${text}, step ${step}`);
            });
          check(await decoder.begin(prompts), [0, 1, 2], 0);
          check(await decoder.appendToEach(next(0)), [0, 1, 2], 1);
          decoder.keep([0, 2]);
          for (const step of [1, 2]) {
            check(await decoder.appendToEach([next(step)[0], next(step)[2]]), [0, 2], step + 1);
          }
        });
      });
    });
  }
});
