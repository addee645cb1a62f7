/**
 * Exported kinds compute what they say: matrices in blocks what the rounded weights give in float32, half precision what
 * float32 gives but for its rounding.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { requireArchitecture } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { keyText, weightKeys } from '../../../src/engine/checkpoint/weight-key';
import { UserError } from '../../../src/engine/errors';
import { Random } from '../../../src/engine/random';
import { checkpointWeights } from '../../../src/engine/weights/checkpoint';
import { Overlay } from '../../../src/engine/weights/overlay';
import type { KeyedPatch } from '../../../src/engine/weights/patches';
import type { WeightSource } from '../../../src/engine/weights/source';
import { ONNX_FILES, ONNX_TARGETS, type OnnxKind } from '../../../src/engine/write/onnx/kinds';
import { exactOrRounded } from '../../../src/engine/write/onnx/exact-blocks';
import { type OnnxOptions, writeOnnx } from '../../../src/engine/write/onnx/write-onnx';
import { dequantized, gridWeights } from '../../support/blocks';
import { checkpointFolder, FURTHER_FAMILIES } from '../../support/golden';
import { openToy } from '../../support/model';
import { ExportedModel, exported, worst } from '../../support/onnx-model';
import { full, itFull, itShared, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import {
  LENGTH_DEPENDENT_MODELS,
  RAGGED_MODELS,
  type TinyName,
  TINY_MODELS,
  tinyCheckpoint,
} from '../../support/tiny-models';

/** Absolute, on logits of up to 20: rounded weights in blocks against the same numbers in float32. Seen: 1e-5. */
const SAME_NUMBERS = 1e-4;
/** Half precision against float32, absolute. Seen: 1.8e-2, for stories260K. */
const HALF = 5e-2;
/** The same of further families. Seen: 5.9e-2, for phi3-longrope. */
const FURTHER_HALF = 8e-2;
/** What 4 bits of the offsets, and 8 of embedding and head, leave of weights on a grid, relative (L2). */
const ON_GRID = 2e-2;
/** Inputs rounded to 8 bits too, relative (L2) to the same without. Seen: 3e-2. */
const ROUNDED_INPUTS = 5e-2;
/** The same of further families. Seen: 6e-2, for olmo2-postnorm. */
const FURTHER_ROUNDED_INPUTS = 8e-2;
/** The same with experts: a rounding sends some tokens to other ones. Seen: 0.25, for mixtral-top2. */
const OTHER_EXPERTS = 0.6;

/** Logits of two rows of different lengths, and of what follows them. */
async function logitsOf(
  checkpoint: Checkpoint,
  weights: WeightSource,
  options: Partial<OnnxOptions> & { readonly kinds: readonly [OnnxKind] },
): Promise<Float32Array[]> {
  const out = join(temporaryFolder(), 'model');
  await writeOnnx(checkpoint, weights, out, { beside: () => Promise.resolve([]), ...options });
  const model = await ExportedModel.open(checkpoint, out, { kind: options.kinds[0], target: options.target });
  try {
    const { vocabulary } = requireArchitecture(checkpoint);
    const random = new Random(3);
    const tokens = (count: number): number[] =>
      Array.from({ length: count }, () => Math.floor(random.uniform() * vocabulary));
    const prompts = (await model.begin([tokens(14), tokens(9)])).flat();
    return [...prompts, ...(await model.append(tokens(2))), ...(await model.append(tokens(2)))];
  } finally {
    await model.close();
  }
}

/** The matrices of a model with the numbers that rounding in blocks leaves. */
async function roundedMatrices(weights: WeightSource, bits: 4 | 8): Promise<KeyedPatch[]> {
  const patches: KeyedPatch[] = [];
  for (const key of weightKeys(weights.architecture)) {
    const [, width] = weights.shape(key);
    if (width === undefined || /\.router$|Kernel$/.test(keyText(key))) continue;
    const own = typeof key === 'string' ? 8 : bits;
    const rows = exactOrRounded(await weights.read(key), width, own); // short blocks of bfloat16 may need no rounding
    patches.push([key, { kind: 'replace', values: Float32Array.from(dequantized(rows, width, own)) }]);
  }
  return patches;
}

const relative = (actual: readonly Float32Array[], expected: readonly Float32Array[]): number => {
  const sum = (f: (row: number, i: number) => number): number =>
    expected.reduce((all, row, r) => all + row.reduce((s, _, i) => s + f(r, i) ** 2, 0), 0);
  return Math.sqrt(sum((r, i) => actual[r][i] - expected[r][i]) / sum((r, i) => expected[r][i]));
};

/** A written graph has one table of angles, for texts of any length. */
const WRITTEN = [...TINY_MODELS, ...RAGGED_MODELS].filter((name) => !LENGTH_DEPENDENT_MODELS.includes(name));
/** Those of it whose half precision `npm test` looks at, before the families below. */
const HALF_OF: readonly TinyName[] = ['llama-bias', 'ragged-plain'];

describe('write/onnx, the kinds', () => {
  const names: readonly TinyName[] = ['llama-gqa-tied', 'llama-bias', 'llama-wide-heads', 'ragged-bias'];
  for (const [k, [kind, bits]] of (
    [
      ['q8', 8],
      ['q4', 4],
    ] as const
  ).entries()) {
    const isOwn = (at: number): boolean => full || at % 2 === k;
    for (const [i, name] of names.entries()) {
      // Each has one of the kinds, as have the families below.
      (isOwn(i) ? it : itFull)(`${kind} computes with the rounded weights of ${name}`, async () => {
        const checkpoint = await openToy(tinyCheckpoint(name));
        await compareBlocks(checkpoint, kind, bits);
      });
    }

    it(`${kind} takes a width that is no multiple of a block`, async () => {
      const config = { hidden_size: 40, head_dim: 16, intermediate_size: 72, tie_word_embeddings: true };
      await compareBlocks(await openToy(tinyCheckpoint('llama-plain', { config })), kind, bits);
    });

    itFull(`${kind} computes with the rounded weights of stories260K`, async () =>
      compareBlocks(await openToy(checkpointFolder('stories260K')), kind, bits),
    );

    // A scaled embedding with caps, matrices of several Linears, factors, and norms over the full width.
    const families = ['gemma2-softcap', 'phi3-partial', 'granite-multipliers', 'olmo2-postnorm'] as const;
    for (const [i, family] of families.entries()) {
      (isOwn(i) ? itShared : itFull)(`${kind} computes with the rounded weights of ${family}`, async () =>
        compareBlocks(await openToy(checkpointFolder(`families2/${family}`)), kind, bits, FURTHER_ROUNDED_INPUTS),
      );
    }
  }

  for (const [family, kind] of [
    ['mixtral-top2', 'q4'],
    ['lfm2-conv', 'q8'],
    ['gptoss-sinks', 'q8'],
    ['lfm2-conv', 'q4'],
  ] as const) {
    const own = family === 'lfm2-conv' && kind === 'q8' ? itShared : itFull;
    own(`${kind} computes with the rounded weights of ${family}`, async () => {
      const rounded = family === 'lfm2-conv' ? FURTHER_ROUNDED_INPUTS : OTHER_EXPERTS;
      await compareBlocks(await openToy(checkpointFolder(`families3/${family}`)), kind, kind === 'q4' ? 4 : 8, rounded);
    });
  }

  async function compareBlocks(
    checkpoint: Checkpoint,
    kind: 'q8' | 'q4',
    bits: 4 | 8,
    tolerance = ROUNDED_INPUTS,
  ): Promise<void> {
    const weights = checkpointWeights(checkpoint);
    try {
      const rounded = new Overlay(weights, await roundedMatrices(weights, bits));
      const expected = await logitsOf(checkpoint, rounded, { kinds: ['fp32'] });
      const exact = await logitsOf(checkpoint, weights, { kinds: [kind], accuracy: 0 });
      const off = worst(exact, expected);
      assert.ok(off <= SAME_NUMBERS, `off by ${off}`);
      const quick = relative(await logitsOf(checkpoint, weights, { kinds: [kind] }), expected);
      assert.ok(quick <= tolerance, `with rounded inputs off by ${quick}`);
      assert.ok(quick > 0);
    } finally {
      await weights.close();
    }
  }

  for (const name of ['llama-plain', 'phi3-partial'] as const) {
    it(`q4 keeps weights of ${name} that lie on a grid of 16 numbers, by offsets`, async () => {
      const checkpoint = await openToy(tinyCheckpoint(name));
      const weights = checkpointWeights(checkpoint);
      try {
        const onGrid = new Overlay(weights, await gridWeights(weights));
        const expected = await logitsOf(checkpoint, onGrid, { kinds: ['fp32'] });
        const off = relative(await logitsOf(checkpoint, onGrid, { kinds: ['q4'], accuracy: 0 }), expected);
        assert.ok(off > 0 && off <= ON_GRID, `off by ${off}`);
        const without = relative(await logitsOf(checkpoint, weights, { kinds: ['q4'], accuracy: 0 }), expected);
        assert.ok(without > 2 * ON_GRID, `other weights are off by ${without}`);
      } finally {
        await weights.close();
      }
    });
  }

  for (const [file, own] of [
    ['q4_0', 4],
    ['q4_0', 8],
    ['q8_0', 8],
    ['q5_0', 8],
  ] as const) {
    itShared(`the blocks of a GGUF file in ${file} stay what they are in ${own} bits`, async () => {
      const checkpoint = await openToy(shared(`models/stories260K-gguf/stories260K-${file}.gguf`));
      const weights = checkpointWeights(checkpoint);
      try {
        let found = 0;
        for (const key of weightKeys(weights.architecture)) {
          const { dtype } = weights.stored(key)!;
          if (!/^Q\d_0$/.test(dtype)) continue; // rows that are not whole blocks are in float16
          const [numbers, width] = [await weights.read(key), weights.shape(key)[1]];
          const bits = typeof key === 'string' ? 8 : own;
          const kept = dequantized(exactOrRounded(numbers, width, bits), width, bits);
          assert.equal(worst([kept], [numbers]), 0, `${keyText(key)} in ${dtype}`);
          found++;
        }
        assert.ok(found >= 25);
      } finally {
        await weights.close();
      }
    });
  }

  for (const [t, target] of ONNX_TARGETS.entries()) {
    // Each family has one of the targets.
    const isOwn = (family: number): boolean => full || family % ONNX_TARGETS.length === t;
    it(`fp16 computes nearly what float32 does, for ${target}`, async () => {
      for (const name of full ? WRITTEN : HALF_OF) {
        await compareHalf(await openToy(tinyCheckpoint(name)), target);
      }
    });

    itFull(`fp16 computes nearly what float32 does: stories260K for ${target}`, async () =>
      compareHalf(await openToy(checkpointFolder('stories260K')), target),
    );

    for (const [i, family] of FURTHER_FAMILIES.entries()) {
      (isOwn(i) ? itShared : itFull)(`fp16 computes nearly what float32 does: ${family} for ${target}`, async () =>
        compareHalf(await openToy(checkpointFolder(`families2/${family}`)), target, { tolerance: FURTHER_HALF }),
      );
    }

    itShared(`fp16 keeps a stream beyond the range of float16: gemma3-pattern for ${target}`, async () => {
      const checkpoint = await openToy(checkpointFolder('families2/gemma3-pattern'));
      const weights = checkpointWeights(checkpoint);
      try {
        // Norms on outputs give numbers of any size to the stream, and the next norm takes them back.
        const { layers, hidden } = requireArchitecture(checkpoint);
        const values = new Float32Array(hidden).fill(60_000);
        const patches = layers.map((_, layer): KeyedPatch => [
          { layer, name: 'ffnOutNorm' },
          { kind: 'replace', values },
        ]);
        await compareHalf(checkpoint, target, { weights: new Overlay(weights, patches) });
      } finally {
        await weights.close();
      }
    });
  }

  async function compareHalf(
    checkpoint: Checkpoint,
    target: (typeof ONNX_TARGETS)[number],
    { weights = checkpointWeights(checkpoint), tolerance = HALF }: { weights?: WeightSource; tolerance?: number } = {},
  ): Promise<void> {
    try {
      const expected = await logitsOf(checkpoint, weights, { kinds: ['fp32'], target });
      const off = worst(await logitsOf(checkpoint, weights, { kinds: ['fp16'], target }), expected);
      assert.ok(off <= tolerance, `${checkpoint.path}: off by ${off}`);
      assert.ok(off > 0);
    } finally {
      await weights.close();
    }
  }

  it('all kinds fit into one folder, with caches in the type of the kind and logits in float32', async () => {
    const checkpoint = await openToy(tinyCheckpoint('llama-gqa-tied'));
    const kinds = ['fp32', 'fp16', 'q8', 'q4'] as const;
    const { out, files } = await exported(checkpoint, { kinds });
    assert.deepEqual(
      files.map(({ name }) => name),
      kinds.flatMap((kind) => [`onnx/${ONNX_FILES[kind]}`, `onnx/${ONNX_FILES[kind]}_data`]),
    );
    const types = kinds.map((kind) => {
      const { graph } = fromBinary(ModelProtoSchema, readFileSync(join(out, 'onnx', ONNX_FILES[kind])));
      const typeOf = (value: { type?: unknown }): number =>
        (value.type as { value: { value: { elemType: number } } }).value.value.elemType;
      return [typeOf(graph!.input[2]), typeOf(graph!.output[1]), typeOf(graph!.output[0])];
    });
    const [float, half] = [1, 10];
    assert.deepEqual(types, [
      [float, float, float],
      [half, half, float],
      [float, float, float],
      [float, float, float],
    ]);
  });

  it('a tied matrix is there once, and gives the rows of the embedding too', async () => {
    const checkpoint = await openToy(tinyCheckpoint('llama-gqa-tied'));
    const { out } = await exported(checkpoint, { kinds: ['q4'] });
    const { graph } = fromBinary(ModelProtoSchema, readFileSync(join(out, 'onnx', 'model_q4.onnx')));
    assert.deepEqual(
      graph!.initializer.flatMap(({ name, dims }) => (dims[0] === 288n ? [name] : [])),
      ['q8', 'scales', 'zero_points'].map((part) => `model.embed_tokens.weight_${part}`),
    );
  });

  it('numbers that a kind cannot hold are named, and nothing is left', async () => {
    const checkpoint = await openToy(tinyCheckpoint('llama-plain'));
    const values = new Float32Array(64 * 96);
    const down = { layer: 1, name: 'down' } as const;
    for (const [kind, number, message] of [
      ['fp16', 65520, /layers\.1\.mlp\.down_proj\.weight does not fit into float16: it has the number 65520/],
      ['q4', NaN, /down_proj\.weight cannot be rounded: it has the number NaN/],
    ] as const) {
      values[100] = number;
      const weights = new Overlay(checkpointWeights(checkpoint), [[down, { kind: 'replace', values }]]);
      await assert.rejects(
        logitsOf(checkpoint, weights, { kinds: [kind] }),
        (error) => error instanceof UserError && message.test(error.message),
      );
      await weights.close();
    }
  });
});
