/** A training that was stopped, met again by a window that has never seen it: the panel shows it and goes on with it. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { discardTraining, readStopped, type StoppedTraining } from '../../src/engine/retrain/loop/stopped';
import { CancelledError } from '../../src/engine/errors';
import type { RetrainSpec } from '../../src/protocol/jobs';
import { temporaryFolder } from '../support/temporary';
import { material } from './material';
import { ShownPanel } from './shown-panel';
import { describedClient } from './started';

describe('a training that was stopped', function () {
  this.timeout(60_000);
  const { model, text } = material();
  const client = describedClient();
  const folder = temporaryFolder();
  const records = join(folder, 'runs');
  const specOf = (name: string): RetrainSpec => ({
    kind: 'retrain',
    checkpoint: model,
    device: 'cpu',
    threads: 1,
    remove: [1],
    heal: 'none',
    rank: 2,
    data: [text],
    length: 24,
    batch: 2,
    steps: 6,
    heldOut: 4,
    evalEvery: 3,
    out: join(folder, name),
  });
  const settings = () => ({
    compute: { device: 'cpu' as const, threads: 1 },
    keepEnds: false,
    keep: '',
    recordFolders: [records],
    inputFolders: [],
    calibration: { file: text, samples: 4, length: 24, seed: 1 },
  });
  const neighbours = () => ({ adapters: [], checkpoints: [model] });

  it('is in the panel of its checkpoint, and resumed from there it ends with the numbers of one that was not', async () => {
    const whole = await client().run(specOf('whole'));
    const controller = new AbortController();
    const spec = specOf('stopped');
    const running = client().run(spec, {
      signal: controller.signal,
      onEvent: (event) => event.type === 'step' && event.step === 2 && controller.abort(),
    });
    await assert.rejects(running, CancelledError);

    let stopped: StoppedTraining[] = [(await readStopped(spec.out))!];
    const panel = await ShownPanel.open(model, { client: client(), settings, neighbours, stopped: () => stopped });
    const { training } = panel.state;
    assert.equal(training?.status, 'cancelled');
    assert.equal(training.resumable, true);
    assert.deepEqual([training.title, training.total], ['stopped', 6]);
    assert.equal(training.steps.at(-1)?.step, stopped[0].step);
    assert.equal(training.evaluations[0].ppl, whole.result.evaluations[0].ppl);

    await panel.session.receive({ type: 'training/resume' });
    await panel.becomes('the training is done', (state) => state.training?.status === 'done');
    stopped = [];
    assert.ok(existsSync(spec.out) && !existsSync(`${spec.out}.training`));
    const seen = panel.state.training!;
    assert.deepEqual(
      seen.steps.map(({ step }) => step),
      [1, 2, 3, 4, 5, 6],
    );
    assert.deepEqual(
      seen.evaluations.map(({ ppl }) => ppl),
      whole.result.evaluations.map(({ ppl }) => ppl),
    );
    const [record, ...others] = readdirSync(records).filter((name) => name.includes('-retrain-'));
    assert.ok(record !== undefined && others.length === 0, 'the resumed run has its record');
    panel.close();
  });

  it('is shown without Resume once it was discarded', async () => {
    const controller = new AbortController();
    const spec = specOf('discarded');
    const panel = await ShownPanel.open(model, { client: client(), settings, neighbours });
    const running = client().run(spec, {
      signal: controller.signal,
      onEvent: (event) => event.type === 'step' && event.step === 2 && controller.abort(),
    });
    await assert.rejects(running, CancelledError);
    await panel.becomes('it can be resumed', ({ training }) => training?.resumable === true);
    await discardTraining(spec.out);
    await panel.session.refresh();
    assert.equal(panel.state.training?.status, 'cancelled');
    assert.equal(panel.state.training.resumable, undefined);
    panel.close();
  });
});
