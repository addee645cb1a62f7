/** The text that a results panel measures on: that of its scores, even if the settings name another. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PanelSettings } from '../../src/editors/results/services';
import { drawnRows } from '../../src/engine/records/rows-key';
import { l10n } from '../../src/l10n';
import type { JobOutcome } from '../../src/protocol/jobs';
import { temporaryFolder } from '../support/temporary';
import { material } from './material';
import { ShownPanel } from './shown-panel';
import { describedClient } from './started';

describe('text of the results panel', function () {
  this.timeout(60_000);
  const client = describedClient();
  const { model, text } = material();
  const folder = temporaryFolder();
  const place = (name: string): string => {
    mkdirSync(join(folder, name));
    return join(folder, name, 'calibration.txt');
  };
  // Two texts of one base name, as the one that comes along and the user's own.
  const [usual, mine, another] = [place('usual'), place('data'), place('another')];
  const paragraphs = readFileSync(text, 'utf8').split('\n\n');
  writeFileSync(usual, paragraphs.join('\n\n'));
  writeFileSync(mine, paragraphs.map((each) => each.split(' ').reverse().join(' ')).join('\n\n'));
  writeFileSync(another, paragraphs.map((each) => each.toUpperCase()).join('\n\n'));
  const settings: PanelSettings = {
    compute: { device: 'cpu', threads: 1 },
    calibration: { file: usual, samples: 4, length: 24, seed: 1234 },
    keepEnds: false,
    keep: '',
    recordFolders: [join(folder, 'runs')],
    inputFolders: [folder],
  };
  const score = (file: string): Promise<JobOutcome<'score'>> =>
    client().run({
      kind: 'score',
      checkpoint: model,
      criterion: 'ppl',
      ...settings.compute,
      records: settings.recordFolders,
      calibration: file,
      samples: 4,
      length: 24,
      seed: 1234,
    });
  const whole = async (file: string, remove: readonly number[] = []): Promise<number> => {
    const params = { ...settings.compute, checkpoint: model, remove, calibration: { ...settings.calibration, file } };
    return (await client().request('view/perplexity', params)).ppl as number;
  };
  let panel: ShownPanel;
  let current = settings;

  before(async () => {
    panel = await ShownPanel.open(model, {
      client: client(),
      settings: () => current,
      neighbours: () => ({ adapters: [], checkpoints: [model] }),
    });
  });
  after(() => panel.close());
  const removes = async (removed: readonly number[]): Promise<void> => {
    await panel.session.receive({ type: 'plan/set', removed });
    await panel.becomes('the what-if', ({ whatIf }) => {
      return whatIf.status === 'done' && whatIf.removed.join() === removed.join();
    });
  };

  it('is that of the settings before anything is scored, named by its place', async () => {
    const { name, from, fault } = panel.state.text!;
    assert.deepEqual([name, from, fault], ['usual/calibration.txt', 'setting', undefined]);
    await removes([1]);
    assert.equal(panel.state.whatIf.full, await whole(usual));
    assert.equal(panel.state.whatIf.rowsKey, panel.state.text!.rowsKey, 'the host names rows as runs do');
  });

  it('is that of the scores from then on: for what-if, curve and retrained models', async () => {
    const { result } = await score(mine);
    await panel.becomes('the text of the scores', (state) => state.text?.name === 'data/calibration.txt');
    await panel.becomes('a what-if on it', ({ whatIf, text: of }) => {
      return whatIf.status === 'done' && whatIf.rowsKey === of!.rowsKey && whatIf.ppl !== null;
    });
    const { whatIf, runs, text: shown } = panel.state;
    assert.notEqual(await whole(mine), await whole(usual));
    assert.equal(whatIf.full, result.full!.ppl);
    assert.equal(whatIf.full, await whole(mine), 'what a run told is what it would be');
    assert.equal(whatIf.ppl, await whole(mine, [1]));
    assert.equal(whatIf.text, 'data/calibration.txt');
    assert.deepEqual([shown!.from, shown!.samples, shown!.length], ['scores', 4, 24]);
    const { rowsKey, text: name } = runs[0].digest.score!;
    assert.deepEqual([rowsKey, name], [shown!.rowsKey, 'data/calibration.txt']);

    await panel.session.receive({ type: 'start/curve', criterion: 'ppl' });
    const curve = panel.state.runs[0].digest.curve!;
    assert.deepEqual([curve.rowsKey, curve.text], [shown!.rowsKey, 'data/calibration.txt']);
    assert.equal(curve.points[0].ppl, whatIf.full);

    const out = join(folder, 'adapter');
    await client().run({
      kind: 'retrain',
      checkpoint: model,
      remove: [1],
      heal: 'none',
      ...settings.compute,
      records: settings.recordFolders,
      out,
      rank: 2,
      data: [usual],
      steps: 2,
      batch: 2,
      length: 24,
    });
    const healed = () => panel.state.runs.flatMap(({ digest }) => digest.retrained ?? []);
    await panel.becomes('a retrained point', () => healed().length === 1);
    assert.deepEqual([healed()[0].rowsKey, healed()[0].text], [shown!.rowsKey, 'data/calibration.txt']);
  });

  it('can be chosen: one that is known, or any file', async () => {
    let offered: readonly string[] = [];
    panel.answer = (known) => {
      offered = known.map(({ name }) => name);
      return known[1];
    };
    await panel.session.receive({ type: 'text/choose' });
    assert.deepEqual(offered, ['data/calibration.txt', 'usual/calibration.txt']);
    await panel.becomes('the other text', ({ text: of, whatIf }) => {
      return of?.name === 'usual/calibration.txt' && whatIf.status === 'done' && whatIf.rowsKey === of.rowsKey;
    });
    assert.equal(panel.state.whatIf.full, await whole(usual));
    panel.answer = () => another;
    await panel.session.receive({ type: 'text/choose' });
    assert.deepEqual([panel.state.text!.name, panel.state.text!.from], ['another/calibration.txt', 'choice']);
    const { rowsKey } = panel.state.runs.flatMap(({ digest }) => digest.score ?? [])[0];
    await panel.session.receive({ type: 'text/use', rowsKey: rowsKey! });
    assert.equal(panel.state.text!.rowsKey, rowsKey);
  });

  it('is scored on more samples, from the same file with the same seed', async () => {
    const { rowsKey } = panel.state.runs.flatMap(({ digest }) => digest.score ?? [])[0];
    await panel.session.receive({ type: 'score/more', criterion: 'ppl', rowsKey: rowsKey!, samples: 32 });
    await panel.session.receive({ type: 'score/more', criterion: 'ppl', rowsKey: 'unknown', samples: 32 });
    const { length, seed, bos } = drawnRows(rowsKey!)!;
    assert.deepEqual(panel.asked, [{ criterion: 'ppl', file: mine, samples: 32, length, seed, bos }]);
  });

  it('is not measured on where it has changed since the blocks were scored, or is gone', async () => {
    await score(mine); // what was chosen by hand ends with new scores
    await panel.becomes('the text of the scores', ({ text: of }) => of?.from === 'scores');
    current = { ...settings, inputFolders: [join(folder, 'usual')] };
    await panel.session.refresh();
    assert.match(panel.state.text!.fault ?? '', /^data\/calibration\.txt is outside the workspace/);
    current = settings;
    const before = readFileSync(mine);
    for (const [change, words] of [
      [() => writeFileSync(mine, `${before.toString()}\n\nAnd more.`), 'has changed since the blocks were scored'],
      [() => rmSync(mine), 'is no longer there'],
    ] as const) {
      change();
      await panel.session.refresh();
      assert.equal(panel.state.text!.fault, `data/calibration.txt ${words}`);
      assert.equal(panel.state.whatIf.full, null, 'its number is not shown any more');
      await panel.becomes('a what-if that says why', ({ whatIf }) => whatIf.status === 'failed');
      assert.match(panel.state.whatIf.failure!, new RegExp(words));
      await panel.session.receive({ type: 'start/curve', criterion: 'ppl' });
      assert.equal(panel.state.failure?.what, l10n.t('Cannot measure on {0}', 'data/calibration.txt'));
      await panel.session.receive({ type: 'failure/dismiss' });
    }
    writeFileSync(mine, before);
    await panel.session.refresh();
    await panel.becomes('the what-if again', ({ whatIf }) => whatIf.status === 'done');
    assert.equal(panel.state.whatIf.full, await whole(mine));
  });

  it('is found where the settings say it lies, when the record’s place is gone', async () => {
    const moved = join(folder, 'moved.txt');
    writeFileSync(moved, readFileSync(mine));
    rmSync(mine);
    current = { ...settings, calibration: { ...settings.calibration, file: moved } };
    panel.session.settingsChanged();
    await panel.session.refresh();
    const { name, fault, from } = panel.state.text!;
    assert.match(name, /moved\.txt$/);
    assert.deepEqual([fault, from], [undefined, 'scores']);
  });
});
