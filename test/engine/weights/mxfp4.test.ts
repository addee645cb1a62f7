/** gpt-oss files whose experts are stored in four bits: read by the definition of the format, and pruned byte for byte. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spellingOf } from '../../../src/engine/checkpoint/gguf/spelling';
import { expertLinear } from '../../../src/engine/checkpoint/kinds/experts';
import { typeWord } from '../../../src/engine/checkpoint/main-dtype';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { dequantizeMxfp4 } from '../../../src/engine/formats/mxfp4';
import { viewWithout } from '../../../src/engine/model/view';
import { withWeights } from '../../../src/engine/weights/checkpoint';
import { requireRescalable } from '../../../src/engine/write/rescaled-experts';
import { writePruned } from '../../../src/engine/write/write-pruned';
import { expertToy } from '../../support/expert-toys';
import { decodedLogits, openToy, withModelOf } from '../../support/model';
import { uniform } from '../../support/random';
import { temporaryFolder } from '../../support/temporary';

/** A number of four bits by its definition: a sign, two bits of an exponent with a bias of 1, one bit of a fraction. */
function number(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 3, (bits >> 1) & 3, bits & 1];
  const size = exponent === 0 ? fraction / 2 : (1 + fraction / 2) * 2 ** (exponent - 1);
  return sign === 1 ? -size : size;
}

const GPT_OSS = {
  model_type: 'gpt_oss',
  head_dim: 16,
  hidden_act: 'silu',
  intermediate_size: 32,
  sliding_window: 4,
  quantization_config: { quant_method: 'mxfp4', modules_to_not_convert: ['model.layers.*.self_attn'] },
} as const;
const [LAYERS, EXPERTS, HIDDEN, WIDTH] = [2, 3, 64, 32];

interface Packed {
  readonly name: string;
  readonly out: number;
  readonly input: number;
  /** (experts, out, input / 2), two numbers in a byte, and (experts, out, input / 32). */
  readonly blocks: Uint8Array;
  readonly scales: Uint8Array;
}

/** Experts in four bits, as a file has them. */
function packedExperts(): Packed[] {
  const next = uniform(3);
  const bytes = (size: number, from: number, to: number): Uint8Array =>
    Uint8Array.from({ length: size }, () => from + Math.floor(next() * (to - from)));
  const matrices = [
    ['gate_up_proj', 2 * WIDTH, HIDDEN],
    ['down_proj', HIDDEN, WIDTH],
  ] as const;
  return Array.from({ length: LAYERS }, (_, layer) =>
    matrices.map(([matrix, out, input]): Packed => {
      const name = `model.layers.${layer}.mlp.experts.${matrix}`;
      const size = EXPERTS * out * input;
      return { name, out, input, blocks: bytes(size / 2, 0, 256), scales: bytes(size / 32, 121, 126) };
    }),
  ).flat();
}

/** The number of an expert's matrix as the file has it. */
function numberOf({ out, input, blocks, scales }: Packed, expert: number, row: number, column: number): number {
  const at = (expert * out + row) * input + column;
  const byte = blocks[at >> 1];
  return number(column % 2 === 0 ? byte & 15 : byte >> 4) * 2 ** (scales[Math.floor(at / 32)] - 127);
}

/** A toy, with tensors of bytes behind those that the toy's writer knows. */
function packedToy(experts: readonly Packed[]): string {
  const folder = expertToy({ ...GPT_OSS, num_local_experts: EXPERTS }, (tensors) => {
    const rest = tensors.filter(({ name }) => !name.includes('experts'));
    const biases = experts.map(({ name, out }) => {
      const values = Float32Array.from({ length: EXPERTS * out }, (_, i) => Math.sin(i) / 5);
      return { name: `${name}_bias`, dtype: 'F32', shape: [EXPERTS, out], values } as const;
    });
    return [...rest, ...biases];
  });
  const file = join(folder, 'model.safetensors');
  const before = readFileSync(file);
  const end = 8 + Number(before.readBigUInt64LE(0));
  const header = JSON.parse(before.toString('utf8', 8, end)) as Record<string, object>;
  const parts = [before.subarray(end)];
  let offset = before.length - end;
  const add = (name: string, shape: readonly number[], data: Uint8Array): void => {
    header[name] = { dtype: 'U8', shape, data_offsets: [offset, offset + data.length] };
    parts.push(Buffer.from(data));
    offset += data.length;
  };
  for (const { name, out, input, blocks, scales } of experts) {
    add(`${name}_blocks`, [EXPERTS, out, input / 32, 16], blocks);
    add(`${name}_scales`, [EXPERTS, out, input / 32], scales);
  }
  const json = JSON.stringify(header);
  const padded = json.padEnd(Math.ceil(json.length / 8) * 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  writeFileSync(file, Buffer.concat([length, Buffer.from(padded), ...parts]));
  return folder;
}

describe('experts in MXFP4', () => {
  it('have numbers by the definition of the format', () => {
    const blocks = Uint8Array.from({ length: 16 }, (_, i) => i | ((15 - i) << 4));
    for (const scale of [0, 1, 127, 130, 254]) {
      const found = new Float32Array(32);
      dequantizeMxfp4(blocks, Uint8Array.of(scale), found);
      const expected = Array.from({ length: 32 }, (_, i) => number(i % 2 === 0 ? i / 2 : 15 - (i - 1) / 2));
      assert.deepEqual(
        [...found],
        expected.map((each) => Math.fround(each * 2 ** (scale - 127))),
      );
    }
    const none = new Float32Array(32);
    dequantizeMxfp4(blocks, Uint8Array.of(255), none);
    assert.ok(none.every(Number.isNaN));
  });

  it('are not rescaled, and refused by name', async () => {
    const checkpoint = await openToy(packedToy(packedExperts()));
    await assert.rejects(requireRescalable(checkpoint), {
      name: 'UserError',
      message: /cannot be rescaled: ".*down_proj.*" is stored as MXFP4, which Coppice only reads/,
    });
  });

  it('are gate in the even rows, up in the odd ones, and down; whole and in part', async () => {
    const experts = packedExperts();
    const checkpoint = await openToy(packedToy(experts));
    assert.deepEqual(checkpoint.notes, []);
    assert.equal(typeWord(checkpoint), 'MXFP4');
    await withWeights(checkpoint, async (weights) => {
      for (const [matrix, packed, first, step] of [
        ['gate', experts[2], 0, 2],
        ['up', experts[2], 1, 2],
        ['down', experts[3], 0, 1],
      ] as const) {
        const key = { layer: 1, name: expertLinear(2, matrix) };
        const rows = { start: 5, count: 9 };
        const found = await weights.read(key, rows);
        const expected = Array.from({ length: 9 * packed.input }, (_, i) => {
          const row = first + step * (5 + Math.floor(i / packed.input));
          return numberOf(packed, 2, row, i % packed.input);
        });
        assert.deepEqual([...found], expected, matrix);
        assert.deepEqual((await weights.read(key)).subarray(5 * packed.input, 14 * packed.input), found);
      }
    });
  });

  it('compute what the same numbers in float32 compute, and stay as they are in a pruned checkpoint', async () => {
    const experts = packedExperts();
    const packed = await openToy(packedToy(experts));
    const { quantization_config: _, ...config } = GPT_OSS;
    const wide = await openToy(
      expertToy({ ...config, num_local_experts: EXPERTS }, (tensors) => {
        const rest = tensors.filter(({ name }) => !name.includes('experts'));
        const stacks = experts.flatMap((each) => {
          const { name, out, input } = each;
          // Transposed: (experts, in, out).
          const values = Float32Array.from({ length: EXPERTS * input * out }, (_, i) => {
            const [expert, within] = [Math.floor(i / (input * out)), i % (input * out)];
            return numberOf(each, expert, within % out, Math.floor(within / out));
          });
          const biases = Float32Array.from({ length: EXPERTS * out }, (_, i) => Math.sin(i) / 5);
          return [
            { name, dtype: 'F32', shape: [EXPERTS, input, out], values } as const,
            { name: `${name}_bias`, dtype: 'F32', shape: [EXPERTS, out], values: biases } as const,
          ];
        });
        return [...rest, ...stacks];
      }),
    );
    const prompt = [5, 9, 200, 31, 7, 8, 3];
    const view = viewWithout(LAYERS, [{ block: 0 }]);
    const logits = (checkpoint: typeof packed, of?: typeof view): Promise<Float32Array[]> =>
      withModelOf(checkpoint, (model) => decodedLogits(model, [prompt], of));
    assert.deepEqual(await logits(packed), await logits(wide));
    const folder = join(temporaryFolder(), 'pruned');
    await writePruned(packed, [0], folder);
    const pruned = await openCheckpoint(folder);
    assert.deepEqual(await logits(pruned), await logits(packed, view));
    assert.equal(pruned.tensors.get('model.layers.0.mlp.experts.down_proj_blocks')?.dtype, 'U8');
    const architecture = requireArchitecture(packed);
    assert.throws(() => spellingOf(architecture), /sinks/);
  });
});
