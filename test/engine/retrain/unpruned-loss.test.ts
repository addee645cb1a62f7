/** The unpruned model beside a retraining: its loss on the held-out part, by its definition and by independent ways. */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { digestRecord } from '../../../src/jobs/digest/digest';
import { trainingLines } from '../../../src/engine/records/ancestry';
import { readRecord } from '../../../src/engine/records/record';
import { exampleWithTargets } from '../../../src/engine/retrain/data/example';
import { unprunedLoss } from '../../../src/engine/retrain/unpruned-loss';
import type { GivenFor } from '../../../src/jobs/kinds';
import type { TrainingEvent } from '../../../src/protocol/training';
import { loadReference } from '../../reference/forward';
import { referenceTokenNlls } from '../../reference/measures';
import { assertClose } from '../../support/close';
import { runOn } from '../../support/jobs';
import { withModel } from '../../support/model';
import { writePatch } from '../../support/patches';
import { randomRows } from '../../support/random';
import { newPlace, textFile, tiny } from '../../support/retraining';
import { temporaryFolder } from '../../support/temporary';

const SETTINGS = { steps: 1, batch: 2, lr: 0.01, heldOut: 3, length: 24 } as const;
type Result = Awaited<ReturnType<typeof trained>>['result'];

/** A retraining as the command line and the editor run it. */
async function trained(checkpoint: string, given: Partial<GivenFor<'retrain'>> = {}) {
  const out = newPlace();
  const events: TrainingEvent[] = [];
  const options = { checkpoint, data: [textFile()], out, ...SETTINGS, ...given };
  const { result } = await runOn('retrain', options, { emit: (event) => events.push(event) });
  return { result, events, out };
}

const start = ({ evaluations }: Result): number => evaluations[0].ppl;

describe('the unpruned model beside a retraining', () => {
  const folder = tiny('llama-plain');

  it('has the mean loss of the tokens to learn, whatever the lengths of the rows', async () => {
    const [long] = randomRows(1, 40, 288, 81);
    const [short] = randomRows(1, 13, 288, 82);
    const heldOut = [
      exampleWithTargets(long, [{ start: 30, end: 40 }]),
      exampleWithTargets(short, [{ start: 0, end: 5 }]), // the first token has no prediction
    ];
    const seen: number[] = [];
    const loss = await withModel(folder, (model) =>
      unprunedLoss(model, heldOut, undefined, { onProgress: ({ done, total }) => seen.push(done / total) }),
    );
    const reference = loadReference(folder);
    const chosen = heldOut.flatMap(({ ids, labels }) =>
      referenceTokenNlls(reference, Array.from(ids)).filter((_, t) => labels[t + 1] >= 0),
    );
    assert.equal(chosen.length, 10 + 4);
    assertClose(loss, chosen.reduce((sum, each) => sum + each, 0) / chosen.length, { absolute: 5e-5 }, 'loss');
    assert.equal(seen.at(-1), 1);
  });

  describe('of a job', () => {
    const place = temporaryFolder();
    const whole = join(place, 'whole');
    let expected: number;

    before(async () => {
      cpSync(folder, whole, { recursive: true });
      // Nothing is removed, so the first evaluation is one of the unpruned model, on the same rows.
      const { result, events } = await trained(whole);
      expected = start(result);
      assert.equal(result.unpruned, undefined);
      assert.ok(!events.some(({ type }) => type === 'unpruned'));
    });

    it('is the checkpoint with all its blocks, told before the first step, and kept in the record', async () => {
      const { result, events, out } = await trained(whole, { remove: [1], heal: 'none' });
      assert.deepEqual(result.unpruned, { loss: Math.log(expected), ppl: expected });
      assert.notEqual(start(result), expected);
      assert.deepEqual(
        events.map(({ type }) => type),
        ['start', 'unpruned', 'evaluation', 'step', 'evaluation'],
      );
      const record = await readRecord(join(out, 'coppice.json'));
      assert.deepEqual(record.results.unpruned, result.unpruned);
      assert.equal(digestRecord(record).training?.unpruned, expected);
      assert.match(trainingLines(record).join(), /after; [\d.]+ of the original/);
    });

    it('has the weights before healing, in the arithmetic of the evaluations', async () => {
      const heal = await writePatch(join(temporaryFolder(), 'healed.safetensors'), whole, [1]);
      assert.equal((await trained(whole, { heal })).result.unpruned?.ppl, expected);
      const int8 = start((await trained(whole, { precision: 'int8' })).result);
      assert.notEqual(int8, expected);
      assert.equal((await trained(whole, { remove: [1], heal: 'none', precision: 'int8' })).result.unpruned?.ppl, int8);
    });

    it('is the original of a written model where that lies near', async () => {
      const short = join(place, 'short');
      await runOn('prune', { checkpoint: whole, blocks: [1], out: short });
      const found = await trained(short);
      assert.equal(found.result.unpruned?.ppl, expected);
      assert.notEqual(start(found.result), expected);
      const alone = join(temporaryFolder(), 'short');
      cpSync(short, alone, { recursive: true });
      assert.equal((await trained(alone)).result.unpruned, undefined);
    });

    it('is not measured where nothing is held out', async () => {
      assert.equal((await trained(whole, { remove: [1], heal: 'none', heldOut: 0 })).result.unpruned, undefined);
    });
  });
});
