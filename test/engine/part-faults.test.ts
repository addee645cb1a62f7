/** What can happen to a part while it runs: it ends with its record, or with a reason and nothing half written. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../src/engine/errors';
import type { JobOptions } from '../../src/engine/progress';
import { completeOptions } from '../../src/jobs/complete';
import { JOBS } from '../../src/jobs/definitions';
import { gatherParts } from '../../src/jobs/parts/gather';
import { type PartProgress, progressFileOf } from '../../src/jobs/parts/progress-file';
import { type PartOutcome, runPart } from '../../src/jobs/parts/run-part';
import { fileFor } from '../../src/jobs/run-job';
import { brokenCheckpoint } from '../support/broken';
import { runOn } from '../support/jobs';
import { itFull } from '../support/shared';
import { describeSmallDisk } from '../support/small-disk';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';

const DOWN = 'model.layers.2.mlp.down_proj.weight';

describe('a part that runs', function () {
  this.timeout(60_000);
  let rows: string;

  before(() => {
    rows = join(temporaryFolder(), 'rows.json');
    const row = (seed: number): number[] => Array.from({ length: 24 }, (_, i) => 3 + ((i * 37 + seed * 101) % 250));
    writeFileSync(rows, JSON.stringify({ rows: [0, 1, 2, 3].map(row) }));
  });

  interface Given {
    readonly checkpoint?: string;
    readonly calibration?: string;
    readonly number?: number;
    readonly of?: number;
    readonly job?: JobOptions;
  }

  /** Runs a part of a score of a toy. @param record its file */
  function part(record: string, { number = 1, of = 2, job = {}, ...given }: Given = {}): Promise<PartOutcome> {
    const checkpoint = given.checkpoint ?? tinyCheckpoint('llama-gqa-tied', { tokenizer: true });
    const calibration = given.calibration ?? rows;
    const options = completeOptions(JOBS.score, { checkpoint, calibration, device: 'cpu', threads: 1 });
    const around = { job, hooks: {}, place: fileFor(record), progressFile: progressFileOf(record) };
    return runPart('score', options, { number, of }, around);
  }

  /** Calls `act` at the first piece of work that is done. */
  function atFirst(act: () => void): JobOptions {
    let isFirst = true;
    return {
      onProgress: () => {
        if (isFirst) act();
        isFirst = false;
      },
    };
  }

  const progressOf = (record: string): PartProgress =>
    JSON.parse(readFileSync(progressFileOf(record), 'utf8')) as PartProgress;

  async function failureOf(running: Promise<unknown>): Promise<Error> {
    const error = await running.then(
      () => assert.fail('it did not fail'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof Error);
    return error;
  }

  it('has a progress file while it runs, and only its record afterwards', async () => {
    const folder = temporaryFolder();
    const record = join(folder, 'part.json');
    let during: PartProgress | undefined;
    await part(record, { job: atFirst(() => (during = progressOf(record))) });
    const { state, part: which, pid, beat } = during!;
    assert.deepEqual([state, which, pid, beat], ['running', { job: 'score', number: 1, of: 2 }, process.pid, 1]);
    assert.deepEqual(readdirSync(folder), ['part.json']);
  });

  it('that is cancelled says so and leaves no record; running it again works', async () => {
    const folder = temporaryFolder();
    const record = join(folder, 'part.json');
    const abort = new AbortController();
    const job = { ...atFirst(() => abort.abort()), signal: abort.signal };
    assert.equal((await failureOf(part(record, { job }))).name, 'CancelledError');
    assert.deepEqual(readdirSync(folder), ['part.json.progress']);
    const { state, error } = progressOf(record);
    assert.deepEqual([state, error], ['cancelled', undefined]);
    await part(record);
    assert.deepEqual(readdirSync(folder), ['part.json']);
  });

  it('that fails leaves its reason, in the words of the terminal', async () => {
    const folder = temporaryFolder();
    const [record, short] = [join(folder, 'part.json'), join(temporaryFolder(), 'short.txt')];
    writeFileSync(short, 'Short.');
    const thrown = await failureOf(part(record, { calibration: short }));
    assert.ok(thrown instanceof UserError);
    const { state, error } = progressOf(record);
    assert.deepEqual([state, error], ['failed', { what: thrown.what, why: thrown.why, action: thrown.action }]);
    assert.doesNotMatch(JSON.stringify(error), /⟦/);
    const many = await failureOf(part(record, { of: 1000 }));
    assert.match(many.message, /cannot be cut into 1000 parts/);
    assert.match(progressOf(record).error!.what, /cannot be cut into 1000 parts/);
    assert.deepEqual(readdirSync(folder), ['part.json.progress']);
  });

  it('whose folder is deleted ends with a reason', async () => {
    const folder = join(temporaryFolder(), 'parts');
    mkdirSync(folder);
    const job = atFirst(() => rmSync(folder, { recursive: true }));
    const error = await failureOf(part(join(folder, 'part.json'), { job }));
    assert.match(error.message, /run record .*part\.json cannot be written: its folder does not exist/);
    assert.ok(!existsSync(folder));
  });

  it('replaces no file of others beside its record', async () => {
    const record = join(temporaryFolder(), 'part.json');
    for (const content of ['mine', '{"part": 3}', '']) {
      writeFileSync(progressFileOf(record), content);
      const error = await failureOf(part(record));
      assert.match(error.message, /part\.json\.progress exists already: a part keeps its progress there/);
      assert.equal(readFileSync(progressFileOf(record), 'utf8'), content);
    }
    rmSync(progressFileOf(record));
    mkdirSync(progressFileOf(record));
    assert.match((await failureOf(part(record))).message, /exists already/);
    const nowhere = await failureOf(part(join(record, 'no', 'part.json')));
    assert.match(nowhere.message, /cannot be written: there is no such file or folder/);
  });

  describeSmallDisk('on a small disk', 1, (disk) => {
    const filler = (): string => join(disk(), 'filler');

    function fill(): void {
      for (const bytes of [2 ** 16, 2 ** 12, 2 ** 8, 1]) {
        try {
          for (;;) appendFileSync(filler(), Buffer.alloc(bytes));
        } catch {
          // full for pieces of this size
        }
      }
    }

    beforeEach(() => readdirSync(disk()).forEach((name) => rmSync(join(disk(), name))));

    it('that is full at the start, it does not begin', async () => {
      fill();
      let hasBegun = false;
      const error = await failureOf(part(join(disk(), 'part.json'), { job: atFirst(() => (hasBegun = true)) }));
      assert.match(error.message, /part\.json\.progress cannot be written: the disk is full/);
      assert.equal(hasBegun, false);
      assert.deepEqual(readdirSync(disk()), ['filler']);
    });

    it('that fills up, it ends with the reason and without a record; with room again it works', async () => {
      const record = join(disk(), 'part.json');
      const error = await failureOf(part(record, { job: atFirst(fill) }));
      assert.match(error.message, /run record .* cannot be written: the disk is full/);
      assert.deepEqual(readdirSync(disk()).sort(), ['filler', 'part.json.progress']);
      assert.equal(progressOf(record).state, 'running', 'there was no room for the reason');
      rmSync(filler());
      await part(record);
      assert.deepEqual(readdirSync(disk()), ['part.json']);
    });

    it('that was full for a while, it has its record', async () => {
      const record = join(disk(), 'part.json');
      const job: JobOptions = {
        onProgress: ({ done, total }) => {
          if (done < total) fill();
          else rmSync(filler(), { force: true });
        },
      };
      await part(record, { job });
      assert.deepEqual(
        readdirSync(disk()).filter((name) => name !== 'filler'),
        ['part.json'],
      );
    });
  });

  const PLACES = [
    ['model.embed_tokens.weight', NaN, /hidden states are not finite after the embedding/],
    [DOWN, Infinity, /hidden states are not finite after block 2/],
    ['lm_head.weight', NaN, /mean loss of the model on this text is NaN/],
  ] as const;
  for (const [i, [name, value, words]] of PLACES.entries()) {
    // One shows that it works; the others break elsewhere.
    (i === 1 ? it : itFull)(`of a model with ${value} in ${name}: gathered, it is what one process gives`, async () => {
      const element = name.startsWith('model.embed') ? 64 * 40 + 5 : 7;
      const checkpoint = await brokenCheckpoint(name, [element], value);
      const files: string[] = [];
      const folder = temporaryFolder();
      for (const number of [1, 2]) {
        files.push(join(folder, `${number}.json`));
        await part(files[number - 1], { checkpoint, number });
      }
      const gathered = await gatherParts(files, folder);
      const one = await runOn('score', { checkpoint, calibration: rows, precision: 'float32' });
      const timeless = (of: object): object => ({ ...of, seconds: 0, peakRssBytes: 0 });
      assert.deepEqual(timeless(gathered.result), timeless(one.result), name);
      assert.deepEqual(timeless(gathered.record.results), timeless(one.results), name);
      assert.match(gathered.warnings.join('\n'), words, name);
      assert.match(gathered.warnings.join('\n'), /the scores have no order/, name);
    });
  }
});
