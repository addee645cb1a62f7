/** Sessions that tests keep: the next user has the numbers of a new session, of weights as they are then, and nothing that is closed runs. */
import assert from 'node:assert/strict';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { Graph } from '../../../src/engine/onnx/graph';
import { add } from '../../../src/engine/onnx/ops/elementwise';
import { float32, floats, openSession } from '../../../src/engine/onnx/session';
import { decodedLogits, withModel } from '../../support/model';
import { ownTinyCheckpoint } from '../../support/tiny-models';

describe('sessions that are kept', () => {
  it('read the weights that are there when they are opened again', async () => {
    const folder = ownTinyCheckpoint('llama-gqa-tied');
    const logits = (): Promise<Float32Array[]> => withModel(folder, (model) => decodedLogits(model, [[3, 1, 4, 1, 5]]));
    const [first, again] = [await logits(), await logits()];
    assert.deepEqual(again, first);
    turnBits(`${folder}/model.safetensors`);
    assert.notDeepEqual(await logits(), first);
    turnBits(`${folder}/model.safetensors`);
    assert.deepEqual(await logits(), first);
  });

  it('have one user at a time, and refuse one that has closed them', async () => {
    const graph = (): Graph => {
      const g = new Graph();
      g.output('y', add(g, g.input('x', 'float32', [2]), g.floats(Float32Array.of(1, 2), [2])));
      return g;
    };
    const open = () => openSession(graph().serialize(), { provider: 'cpu', threads: 1 });
    const run = async (session: Awaited<ReturnType<typeof open>>, x: readonly number[]): Promise<number[]> => [
      ...floats((await session.run({ x: float32(Float32Array.from(x), [2]) })).y),
    ];
    const [one, other] = [await open(), await open()];
    assert.deepEqual(
      [await run(one, [1, 1]), await run(other, [2, 2])],
      [
        [2, 3],
        [3, 4],
      ],
    );
    await one.close();
    assert.deepEqual(await run(other, [3, 3]), [4, 5]);
    const next = await open();
    assert.deepEqual(await run(next, [4, 4]), [5, 6]);
    await assert.rejects(run(one, [1, 1]));
    await assert.rejects(one.close());
    await next.close();
    await other.close();
  });
});

/** Turns the signs of some weights in the last bytes of a file, in place. */
function turnBits(file: string): void {
  const descriptor = openSync(file, 'r+');
  const bytes = Buffer.alloc(4096);
  const at = 64 * 1024;
  readSync(descriptor, bytes, 0, bytes.length, at);
  writeSync(
    descriptor,
    bytes.map((byte, i) => (i % 2 === 1 ? byte ^ 0x80 : byte)),
    0,
    bytes.length,
    at,
  );
  closeSync(descriptor);
}
