/**
 * A panel that was closed while it was reading computes nothing: its requests would cancel those of the next one. A text
 * that waited for its turn is written all the same.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { PanelSettings } from '../../src/editors/results/services';
import { CancelledError } from '../../src/engine/errors';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { Plans } from '../../src/state/plan';
import { subjectOf } from '../../src/state/subject';
import { temporaryFolder } from '../support/temporary';
import { material } from './material';
import { newStore, ShownPanel } from './shown-panel';
import { describedClient } from './started';

describe('a closed results panel', function () {
  this.timeout(60_000);
  const { model, text } = material();
  const client = describedClient();
  const records = temporaryFolder();
  let length = 24;
  const settings = (): PanelSettings => ({
    compute: { device: 'cpu', threads: 1 },
    calibration: { file: text, samples: 4, length, seed: 1234 },
    keepEnds: false,
    keep: '',
    recordFolders: [records],
    inputFolders: [dirname(text)],
  });
  const plans = new Plans(newStore());

  /** A panel, and the requests of its session. */
  async function opened() {
    const requests: string[] = [];
    const real = client();
    const noted: typeof real.request = (method, params, signal) => {
      requests.push(method);
      return real.request(method, params, signal);
    };
    const counting = Object.assign(Object.create(real) as typeof real, { request: noted });
    const neighbours = () => ({ adapters: [], checkpoints: [model] });
    const panel = await ShownPanel.open(model, { client: counting, settings, neighbours, plans });
    return { panel, requests };
  }

  it('asks for no perplexity when its last reading ends', async () => {
    plans.set(subjectOf(model, await openCheckpoint(model))!, [1]);
    const first = await opened();
    await first.panel.becomes('the plan measured', ({ whatIf }) => whatIf.status === 'done');
    const sent = first.requests.length;
    length = 16; // other rows: a reading that is not over measures again
    const reading = first.panel.session.refresh();
    first.panel.close();
    await reading;
    const second = await opened(); // whose request comes later than that of the first would have
    await second.panel.becomes('the plan measured', ({ whatIf }) => whatIf.status === 'done');
    second.panel.close();
    assert.deepEqual(first.requests.slice(sent), []);
    assert.deepEqual(second.requests, ['view/perplexity']);
  });

  it('leaves the text that it asked for to be written, and says that it waits', async () => {
    const neighbours = () => ({ adapters: [], checkpoints: [model] });
    const panel = await ShownPanel.open(model, { client: client(), settings, neighbours, plans });
    const controller = new AbortController();
    const busy = { signal: controller.signal };
    // Nothing runs beside a measurement of speed.
    const speed = client().run(
      { kind: 'bench', checkpoint: model, device: 'cpu', newTokens: 16, repeats: 100_000 },
      busy,
    );
    const columns = [panel.state.columns[0].id];
    const write = { prompt: 'The river', settings: { maxNewTokens: 4, sampling: null, chat: false } };
    void panel.session.receive({ type: 'samples/write', ...write, columns });
    await panel.becomes('the text waits', ({ writing }) => writing?.status === 'queued');
    const ended = new Promise<string>((done) => {
      client().onEnded(({ spec, outcome }) => spec.kind === 'samples' && done(outcome ? 'written' : 'dropped'));
    });
    panel.close();
    controller.abort();
    await assert.rejects(speed, CancelledError);
    assert.equal(await ended, 'written');
    assert.ok(readdirSync(records).some((name) => name.includes('-samples-')));
  });
});
