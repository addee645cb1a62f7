/** Lists of types say what to take, and exports are named after what they apply. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { withWeights } from '../../../src/engine/weights/checkpoint';
import { writeGguf } from '../../../src/engine/write/gguf/write-gguf';
import { exportSuffix, withoutWords } from '../../../src/host/ask/export-names';
import { explainedSize, typeSizes } from '../../../src/host/ask/export-sizes';
import { recommendedType, typeChoices } from '../../../src/host/ask/type-choices';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

const toy = (): Promise<Checkpoint> => openCheckpoint(tinyCheckpoint('llama-gqa-tied', { tokenizer: true }));

async function quantized(): Promise<Checkpoint> {
  const checkpoint = await toy();
  const file = join(temporaryFolder(), 'toy-q4_0.gguf');
  await withWeights(checkpoint, (weights) => writeGguf(checkpoint, weights, file, { type: 'q4_0' }));
  return openCheckpoint(file);
}

async function listed(checkpoint: Checkpoint, format: 'gguf' | 'onnx' | 'safetensors') {
  const sizes = await typeSizes(checkpoint, format, []);
  return typeChoices(checkpoint, format, sizes, { refused: ({ why }) => why });
}

describe('a list of types', () => {
  it('has what to take, and what it costs, by how often it is taken', async () => {
    const choices = await listed(await toy(), 'gguf');
    const of = (value: string) => choices.find((choice) => choice.value === value)!;
    assert.equal(choices[0].value, 'stored');
    assert.match(of('q8_0').description!, /^[\d.]+ kB · practically no loss · recommended$/);
    assert.match(of('q4_0').description!, / · visibly worse for small models$/);
    assert.match(of('bf16').description!, / · no loss( |$)/);
    assert.match(of('f32').description!, /larger than now: [\d.]+ kB$/);
    assert.match(of('q4_k_m').description!, / · visibly worse for small models$/);
    assert.match(of('q2_k').description!, / · much worse for small models$/);
    const order = choices.map(({ value }) => value).filter((value) => /^q\d/.test(value));
    assert.deepEqual([order[0], order[1], order.at(-1)], ['q8_0', 'q6_k', 'q2_k']);
    assert.equal(choices.filter(({ description }) => description?.includes('recommended')).length, 1);
    for (const format of ['onnx', 'safetensors'] as const) {
      assert.match((await listed(await toy(), format))[0].description!, /recommended/);
    }
  });

  it('recommends to keep what a quantized file has', async () => {
    const checkpoint = await quantized();
    assert.equal(recommendedType(checkpoint, 'gguf'), 'stored');
    const choices = await listed(checkpoint, 'gguf');
    assert.match(choices[0].description!, / · no loss · recommended$/);
    const other = choices.find(({ value }) => value === 'q8_0')!;
    assert.match(other.description!, /rounded again.* · larger than now/);
  });
});

describe('the size of an export with healed weights', () => {
  it('is said with the reason why the file becomes larger', async () => {
    const checkpoint = await quantized();
    const removed = [1];
    const healed = await explainedSize(checkpoint, { format: 'gguf', removed, changed: 'healed' });
    const plain = await explainedSize(checkpoint, { format: 'gguf', removed });
    assert.equal(plain.finer, undefined);
    const { finer, bytes } = healed;
    assert.deepEqual(finer?.types, [{ from: 'Q4_0', to: 'Q5_1', matrices: 5 }]); // down_proj before the cut, two blocks after it
    assert.ok(Math.abs(bytes - plain.bytes - finer.bytes) < 256, `${bytes}, ${plain.bytes}, ${finer.bytes}`);
    const [choice] = typeChoices(checkpoint, 'gguf', [{ type: undefined, ...healed }], { refused: String });
    assert.match(
      choice.description!,
      / · 5 changed matrices are kept in finer types \(q5_1\): [\d.]+ kB more · recommended/,
    );
  });
});

describe('the name of an export', () => {
  it('says which plan it applies, and its format once', async () => {
    const [plain, file] = [{ checkpoint: await toy() }, { checkpoint: await quantized() }];
    const named = (from: typeof plain, exported: Parameters<typeof exportSuffix>[1], planned: number[] = []) =>
      exportSuffix(from, exported, planned);
    assert.equal(named(file, { format: 'gguf' }, [1]), '3-blocks');
    assert.equal(named(file, { format: 'gguf' }), 'copy');
    assert.equal(named(plain, { format: 'gguf' }, [1]), '3-blocks-bf16');
    assert.equal(named(plain, { format: 'gguf', type: ['q8_0'] }, [1, 2]), '2-blocks-q8_0');
    assert.equal(named(plain, { format: 'onnx', type: ['q8', 'q4'] }, [1]), '3-blocks-onnx-q8-q4');
    assert.equal(named(plain, { format: 'safetensors', remove: [] }, [1]), 'safetensors');
    assert.equal(named(plain, { format: 'gguf', type: ['f16'], heal: 'x' }, [1]), 'healed-f16');
    assert.deepEqual(withoutWords(plain, { format: 'gguf' }, [1, 2]), ['Without 1, 2 · 2 blocks']);
    assert.deepEqual(withoutWords(plain, { remove: [] }, [1]), []);
  });
});
