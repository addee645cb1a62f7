/** New weights that lie in a file, in graphs and as numbers: those of memory to the last bit, and rounded as written. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import type { WeightKey } from '../../../src/engine/checkpoint/weight-key';
import { openModelOver } from '../../../src/engine/model/model';
import { viewWithout } from '../../../src/engine/model/view';
import { Graph } from '../../../src/engine/onnx/graph';
import { floats, int64, openSession } from '../../../src/engine/onnx/session';
import { Overlay } from '../../../src/engine/weights/overlay';
import { readPatchFile } from '../../../src/engine/weights/patch-file';
import { PatchWriter } from '../../../src/engine/weights/patch-writer';
import type { KeyedPatch } from '../../../src/engine/weights/patches';
import { Rounded } from '../../../src/engine/weights/rounded';
import { checkpointWeights } from '../../../src/engine/weights/checkpoint';
import { rewritten } from '../../../src/engine/write/rewrite';
import { decodedLogits } from '../../support/model';
import { healedKeys, randomCorrections, randomPatches, writePatch } from '../../support/patches';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint, type TinyName } from '../../support/tiny-models';

const DOWN: WeightKey = { layer: 2, name: 'down' };
const IDS = [5, 17, 250, 3, 99, 41, 8];

/** The same numbers to the last bit, without a difference of thousands of lines. */
function requireSame(actual: Float32Array, expected: Float32Array): void {
  assert.equal(actual.length, expected.length);
  const differing = actual.reduce((count, value, i) => (Object.is(value, expected[i]) ? count : count + 1), 0);
  assert.equal(differing, 0);
}

/** Logits of the model without block 1 over a source of weights. */
async function logits(checkpoint: Checkpoint, patches: readonly KeyedPatch[], rounded = false): Promise<Float32Array> {
  const stored = checkpointWeights(checkpoint);
  const patched = new Overlay(stored, patches);
  const model = await openModelOver(rounded ? new Rounded(patched, stored) : patched, checkpoint, { device: 'cpu' });
  try {
    return (await decodedLogits(model, [IDS], viewWithout(4, [{ block: 1 }])))[0];
  } finally {
    await model.close();
  }
}

for (const name of ['llama-plain', 'llama-gqa-tied', 'llama3-rope', 'llama-bias'] satisfies TinyName[]) {
  describe(`new weights of ${name} in a file`, () => {
    it('give the bits of those in memory, while it is written and after', async () => {
      const checkpoint = await openCheckpoint(tinyCheckpoint(name));
      const path = join(temporaryFolder(), 'healed.safetensors');
      const inMemory = await logits(checkpoint, await randomPatches(checkpoint, [0, 2, 3]));
      const contents = { removed: [1], method: 'refit', texts: [], facts: {}, keys: healedKeys([0, 2, 3]) };
      const writer = await PatchWriter.create(path, checkpoint, contents);
      for (const [key, values] of await randomCorrections(checkpoint, [0, 2, 3])) await writer.add(key, values);
      requireSame(await logits(checkpoint, await writer.patches()), inMemory);
      await writer.finish({ ppl: 12.5 });
      requireSame(await logits(checkpoint, await writer.patches()), inMemory);
      const { patches, note } = await readPatchFile(path, checkpoint);
      requireSame(await logits(checkpoint, patches), inMemory);
      assert.deepEqual(note.facts, { ppl: 12.5 });
      assert.notDeepEqual(await logits(checkpoint, []), inMemory);
    });

    it('are bound whole, by a stretch of rows and by number, and read as they are bound', async () => {
      const checkpoint = await openCheckpoint(tinyCheckpoint(name));
      const path = await writePatch(join(temporaryFolder(), 'p.safetensors'), tinyCheckpoint(name), [1]);
      const { patches } = await readPatchFile(path, checkpoint);
      const source = checkpointWeights(checkpoint);
      const overlay = new Overlay(source, patches);
      const rounded = new Rounded(overlay, source);
      const rows = { start: 8, count: 4 };
      const both = await results((g) => {
        for (const [of, weights] of Object.entries({ source, overlay })) {
          g.output(`${of} whole`, weights.bind(g, DOWN));
          g.output(`${of} rows`, weights.bind(g, DOWN, rows));
        }
        g.output('picked', overlay.bind(g, DOWN, g.input('ids', 'int64', ['n'])));
      });
      const whole = await overlay.read(DOWN);
      requireSame(both['overlay whole'], whole);
      requireSame(both['overlay rows'], await overlay.read(DOWN, rows));
      requireSame(both['source whole'], await source.read(DOWN));
      requireSame(both['source rows'], await source.read(DOWN, rows));
      const picked = [9, 2, 9].flatMap((row) => [...whole.subarray(row * 96, (row + 1) * 96)]);
      requireSame(both.picked, Float32Array.from(picked));
      requireSame(Float32Array.from(await overlay.readWide(DOWN)), whole);
      const once = await results((g) => {
        g.output('whole', rounded.bind(g, DOWN));
        g.output('rows', rounded.bind(g, DOWN, rows));
        g.output('picked', rounded.bind(g, DOWN, g.input('ids', 'int64', ['n'])));
      });
      const roundedWhole = await rounded.read(DOWN);
      requireSame(once.whole, roundedWhole);
      requireSame(once.rows, await rounded.read(DOWN, rows));
      const roundedRows = [9, 2, 9].flatMap((row) => [...roundedWhole.subarray(row * 96, (row + 1) * 96)]);
      requireSame(once.picked, Float32Array.from(roundedRows));
      assert.equal(overlay.bytesInGraph, 0);
      assert.equal(overlay.stored(DOWN), undefined);
      await overlay.close();
    });
  });
}

/** What a graph computes; the rows 9, 2, 9 for its input `ids`. */
async function results(build: (g: Graph) => void): Promise<Record<string, Float32Array>> {
  const g = new Graph();
  build(g);
  const session = await openSession(g.serialize(), { provider: 'cpu' });
  try {
    const found = await session.run({ ids: int64([9, 2, 9], [3]) });
    return Object.fromEntries(Object.entries(found).map(([key, value]) => [key, Float32Array.from(floats(value))]));
  } finally {
    await session.close();
  }
}

describe('rounded weights', () => {
  for (const dtype of ['F32', 'BF16', 'F16'] as const) {
    it(`have the bytes that a writer rounds to ${dtype}`, async () => {
      const checkpoint = await openCheckpoint(tinyCheckpoint('llama-plain', { dtype }));
      const source = checkpointWeights(checkpoint);
      const patches = await randomPatches(checkpoint, [2]);
      const overlay = new Overlay(source, patches);
      const rounded = new Rounded(overlay, source);
      const values = await rounded.read(DOWN);
      const written = (from: Overlay | Rounded): Promise<Uint8Array> =>
        rewritten(
          'down',
          { dtype, shape: [64, 96], read: async (rows) => Float64Array.from(await from.read(DOWN, rows)) },
          { start: 0, count: 64 },
        );
      assert.deepEqual(await written(rounded), await written(overlay));
      const same = values.every((value, i) => value === (patches[1][1] as { values: Float32Array }).values[i]);
      assert.equal(same, dtype === 'F32');
      assert.notEqual(rounded.identity, overlay.identity);
      await rounded.close();
    });
  }

  it('leave stored weights as they are', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint('llama-gqa-tied'));
    const source = checkpointWeights(checkpoint);
    const rounded = new Rounded(new Overlay(source, await randomPatches(checkpoint, [2])), source);
    const q: WeightKey = { layer: 2, name: 'q' };
    assert.equal(rounded.stored(q), source.stored(q));
    requireSame(await rounded.read(q), await source.read(q));
    await rounded.close();
  });
});

describe('files in several folders', () => {
  it('work in one graph', async () => {
    const folder = join(temporaryFolder(), 'far', 'away');
    mkdirSync(folder, { recursive: true });
    const checkpoint = await openCheckpoint(tinyCheckpoint('mistral-window'));
    const path = await writePatch(join(folder, 'p.safetensors'), tinyCheckpoint('mistral-window'), [1]);
    const { patches } = await readPatchFile(path, checkpoint);
    const inMemory = await logits(checkpoint, await randomPatches(checkpoint, [0, 2, 3]));
    requireSame(await logits(checkpoint, patches), inMemory);
  });
});
