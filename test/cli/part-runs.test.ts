/** `--part` on the command line: ended from outside, where it must not write, and readers that need the whole. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { jsonOf, coppice } from '../support/built-cli';
import { type CliMaterial, type Json, makeCliMaterial, readJson } from '../support/cli';
import { temporaryFolder } from '../support/temporary';

const sample = resolve(import.meta.dirname, '../../media/sample');

describe('command line: parts', function () {
  this.timeout(120_000);
  let material: CliMaterial;
  let toy: string[];

  before(() => {
    material = makeCliMaterial();
    toy = ['score', material.model, '--calibration', material.rows, '--device', 'cpu', '--part', '1/2'];
  });

  /** Enough work that a signal at its beginning comes before its end. */
  const longer = [
    ...['score', sample, '--calibration', join(sample, 'calibration.txt'), '--samples', '40', '--length', '64'],
    ...['--device', 'cpu', '--part', '2/2'],
  ];

  it('that is killed leaves no record and says that it ran; Ctrl-C says cancelled; again works', async () => {
    const folder = temporaryFolder();
    const record = join(folder, 'part.json');
    const progress = `${record}.progress`;
    const visible = (): string[] => readdirSync(folder).filter((name) => !name.startsWith('.'));
    for (const [signal, code, state] of [
      ['SIGKILL', null, 'running'],
      ['SIGINT', 130, 'cancelled'],
    ] as const) {
      const ended = await coppice([...longer, '--record', record], { interrupt: signal });
      assert.equal(ended.code, code, ended.stderr);
      assert.deepEqual(visible(), ['part.json.progress']);
      assert.equal(readJson(progress).state, state);
    }
    const { part } = jsonOf(await coppice([...longer, '--record', record, '--json']));
    assert.deepEqual(part, { job: 'score', number: 2, of: 2 });
    assert.deepEqual(visible(), ['part.json']);
    assert.deepEqual((readJson(record).results as Json).part, part);
  });

  it('needs a record, outside of the checkpoint, in a folder that can be written to', async () => {
    const without = await coppice(toy);
    assert.equal(without.code, 2);
    assert.match(without.stderr, /--part 1\/2 has nowhere to write/);
    const before = readdirSync(material.model);
    const inside = await coppice([...toy, '--record', join(material.model, 'part.json')]);
    assert.equal(inside.code, 1);
    assert.match(inside.stderr, /inside the checkpoint, which Coppice never changes/);
    assert.deepEqual(readdirSync(material.model), before);
    const missing = await coppice([...toy, '--record', join(temporaryFolder(), 'no', 'part.json')]);
    assert.match(missing.stderr, /the folder .* does not exist/);
    const wrong = await coppice([...toy.slice(0, -1), '3/2', '--record', join(temporaryFolder(), 'part.json')]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /It must be a part such as 3\/8/);
  });

  it('does not begin in a folder that may only be read', async function () {
    if (process.getuid?.() === 0 || process.platform === 'win32') this.skip(); // root may write everywhere
    const folder = temporaryFolder();
    chmodSync(folder, 0o555);
    const { code, stderr } = await coppice([...toy, '--record', join(folder, 'part.json')]);
    chmodSync(folder, 0o755);
    assert.equal(code, 1);
    assert.match(stderr, /cannot be written to/);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('is no whole run: readers say which part it is, and what to do', async () => {
    const folder = temporaryFolder();
    const part = join(folder, 'part.json');
    assert.equal((await coppice([...toy, '--record', part])).code, 0);
    const out = join(folder, 'out');
    const readers = [
      ['prune', material.model, '--scores', part, '--count', '1', '--no-keep-ends', '--out', out],
      ['curve', material.model, '--scores', part, '--calibration', material.rows, '--device', 'cpu'],
      ['report', part, '--out', join(folder, 'report.html')],
      ['report', part, '--out', join(folder, 'report.md')],
    ];
    for (const words of readers) {
      const { code, stderr } = await coppice(words);
      assert.equal(code, 1, `${words[0]}: ${stderr}`);
      assert.match(stderr, /why: it is part 1 of 2 of a score\n.*coppice gather PARTS --out FILE/, words[0]);
    }
    assert.deepEqual(readdirSync(folder), ['part.json']);
    assert.ok(!existsSync(out));
  });
});
