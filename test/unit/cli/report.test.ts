/** `coppice report` and records that name what it must not open, or what takes long. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { newRecord, recordText } from '../../../src/engine/records/record';
import { curveRecord, demoRecord } from '../../support/records';
import { temporaryFolder } from '../../support/temporary';
import { buildCli, coppice } from '../../support/built-cli';

describe('command line: report', function () {
  this.timeout(60_000);
  let root: string;
  let file: string;
  let out: string;

  before(buildCli);
  beforeEach(() => {
    root = temporaryFolder();
    mkdirSync(join(root, 'runs'));
    file = join(root, 'runs/run.json');
    out = join(root, 'report.html');
  });

  /** A record of an evaluation whose text lies at `place`. */
  const record = (place: string): void => {
    const inputs = [{ role: 'text', name: 'prose.txt', sha256: 'abc', place }];
    const facts = { kind: 'eval', inputs, settings: {}, results: {}, started: new Date() };
    writeFileSync(file, recordText(newRecord(facts)));
  };

  it('opens nothing outside of the folders that are the user’s', async () => {
    writeFileSync(join(root, 'prose.txt'), 'one');
    for (const place of ['../../../../../../../../dev/zero', '/dev/zero', '../prose.txt']) {
      record(place);
      const { code, stderr } = await coppice(['report', file, '--out', out]);
      assert.equal(code, 0, stderr);
      assert.match(stderr, /run\.json: prose\.txt was not checked: it is outside .*\n.*--inputs/);
      assert.doesNotMatch(readFileSync(out, 'utf8'), /class="warning"/);
    }
  });

  it('looks in the current folder, and in those that are given', async () => {
    record('../prose.txt');
    writeFileSync(join(root, 'prose.txt'), 'one');
    for (const [args, cwd] of [
      [['--inputs', root], temporaryFolder()],
      [[], root],
    ] as const) {
      const { code, stderr } = await coppice(['report', file, '--out', out, ...args], { cwd });
      assert.equal(code, 0);
      assert.match(stderr, /warning: .*run\.json: prose\.txt has changed since/);
      assert.match(readFileSync(out, 'utf8'), /prose\.txt has changed since/);
    }
  });

  it('writes before and after as a page or Markdown, and refuses records of one model', async () => {
    writeFileSync(file, recordText(demoRecord()));
    const markdown = join(root, 'decision.md');
    for (const [target, expected] of [
      [out, /<h1>toy, retrained<\/h1><div class="head-line"><p class="muted">Beside toy<\/p>/],
      [markdown, /^## toy and toy, pruned, toy, retrained\n/],
    ] as const) {
      const { code, stderr } = await coppice(['report', file, '--before-after', '--out', target]);
      assert.equal(code, 0, stderr);
      assert.match(readFileSync(target, 'utf8'), expected);
    }
    writeFileSync(file, recordText(curveRecord()));
    const { code, stderr } = await coppice(['report', file, '--before-after', '--out', out]);
    assert.equal(code, 1);
    assert.match(stderr, /no before and after to show\n +why: the records are about one model only/);
  });

  for (const [signal, exit] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`ends with ${signal} while it reads what a run read`, async () => {
      record('long.txt');
      const long = join(dirname(file), 'long.txt');
      writeFileSync(long, '');
      truncateSync(long, 4 * 2 ** 30); // a hole: it takes no room, and seconds to read
      const { code, stderr } = await coppice(['report', file, '--out', out], { interrupt: signal });
      assert.equal(code, exit);
      assert.match(stderr, /^checking prose\.txt[^]*Cancelled\.\n$/);
    });
  }
});
