/**
 * A quantized GGUF file that is healed and becomes one again: what stays is copied, what changed is kept in finer types, its norms
 * are those of the healed model, and the size was told before. The same model as ONNX.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { openGguf } from '../../../src/engine/formats/gguf/file';
import { writtenSize } from '../../../src/estimates/written-bytes';
import { bytesOnDisk } from '../../support/disk';
import { runOn } from '../../support/jobs';
import { itLlamaCpp, logitsOfLlamaCpp } from '../../support/llamacpp';
import { decodedLogits, withModelOf } from '../../support/model';
import { temporaryFolder } from '../../support/temporary';
import { type TinyName, tinyCheckpoint } from '../../support/tiny-models';

const ROWS = Array.from({ length: 24 }, (_, i) => Array.from({ length: 16 }, (_, j) => (7 * i + 3 * j * j) % 60));
/** Of card and record, whose length differs from name to name. */
const NOTES = 4 * 2 ** 10;

interface Healed {
  /** The quantized file, and its new weights without block 1. */
  readonly file: string;
  readonly patch: string;
}

const made = new Map<TinyName, Promise<Healed>>();

/** Of a model, made once. */
function healed(name: TinyName): Promise<Healed> {
  const once = made.get(name) ?? heal(name);
  made.set(name, once);
  return once;
}

async function heal(name: TinyName): Promise<Healed> {
  const folder = temporaryFolder();
  const [file, patch, calibration] = ['toy.gguf', 'healed.safetensors', 'rows.json'].map((each) => join(folder, each));
  writeFileSync(calibration, JSON.stringify({ rows: ROWS }));
  const checkpoint = tinyCheckpoint(name, { tokenizer: true });
  await runOn('export', { checkpoint, format: 'gguf', type: ['q4_0'], out: file, verify: false });
  const { result } = await runOn('heal', { checkpoint: file, remove: [1], calibration, patch });
  assert.equal(result.weights, 'healed');
  return { file, patch };
}

/** The type of every tensor. */
async function typesOf(file: string): Promise<ReadonlyMap<string, string>> {
  return new Map((await openGguf(file)).tensors.map(({ name, dtype }) => [name, dtype]));
}

describe('a healed GGUF file', function () {
  this.timeout(60_000);

  for (const name of ['gemma3-pattern', 'olmo2-postnorm', 'llama-gqa-tied'] as const) {
    it(`has the types of its source but for what changed, and the size that was told: ${name}`, async () => {
      const { file, patch } = await healed(name);
      const checkpoint = await openCheckpoint(file);
      const told = await writtenSize(checkpoint, { format: 'gguf', removed: [1], changed: 'healed' });
      const out = join(temporaryFolder(), 'healed.gguf');
      const { result } = await runOn('export', { checkpoint: file, heal: patch, out });
      assert.ok(result.verified?.passed, 'its norms too are those of the healed model');
      assert.ok(Math.abs(told.bytes - bytesOnDisk(out)) <= NOTES, `${told.bytes}, ${bytesOnDisk(out)}`);
      assert.deepEqual(result.finer, told.finer);
      assert.deepEqual(told.finer?.types, [{ from: 'Q4_0', to: 'Q5_1', matrices: 5 }]);
      const changed = [...(await typesOf(out))].filter(([, type]) => type === 'Q5_1').map(([tensor]) => tensor);
      assert.deepEqual(changed, [
        'blk.0.ffn_down.weight',
        ...[1, 2].flatMap((block) => [`blk.${block}.attn_output.weight`, `blk.${block}.ffn_down.weight`]),
      ]);
      const before = await typesOf(file);
      for (const [tensor, type] of await typesOf(out)) {
        const source = tensor.replace(/^blk\.([1-9])/, (_, block) => `blk.${Number(block) + 1}`);
        if (!changed.includes(tensor)) assert.equal(type, before.get(source), tensor);
      }
    });
  }

  it('is the healed model as ONNX too, with norms that changed', async () => {
    const { file, patch } = await healed('gemma3-pattern');
    const out = join(temporaryFolder(), 'onnx');
    const { result } = await runOn('export', { checkpoint: file, heal: patch, format: 'onnx', out });
    assert.ok(result.verified?.passed);
    const again = await runOn('verify', { output: out, against: file, heal: patch });
    assert.ok(again.result.verified.passed);
  });

  itLlamaCpp('gives in llama.cpp the logits that it gives here', async () => {
    const { file, patch } = await healed('gemma3-pattern');
    const out = join(temporaryFolder(), 'healed.gguf');
    await runOn('export', { checkpoint: file, heal: patch, out });
    const rows = [ROWS[0], ROWS[1].slice(0, 9), ROWS[2].slice(0, 3)];
    const [theirs] = logitsOfLlamaCpp([out], rows, 64);
    await withModelOf(await openCheckpoint(out), async (model) => {
      for (const [i, row] of rows.entries()) {
        const [ours] = await decodedLogits(model, [row]);
        const size = Math.hypot(...ours);
        const off = Math.hypot(...ours.map((value, id) => value - theirs[i][id]));
        // llama.cpp rounds what matrices of these types get to 8 bits.
        assert.ok(off < 0.02 * size, `${off} of ${size}`);
      }
    });
  });
});
