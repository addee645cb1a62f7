/** A checkpoint whose files are written to while it is read: what is written from it, and what a run says. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  cpSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { changedFiles } from '../../../src/engine/files/stamps';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { UserError } from '../../../src/engine/errors';
import type { JobOptions } from '../../../src/engine/progress';
import { writePruned } from '../../../src/engine/write/write-pruned';
import { mergeAdapter } from '../../../src/engine/write/merge';
import { readRecord } from '../../../src/engine/records/record';
import { runSpec } from '../../../src/jobs/run-spec';
import { randomAdapter } from '../../support/adapters';
import { makeCliMaterial } from '../../support/cli';
import { FITS_NOTHING } from '../../support/fit-warning';
import { temporaryFolder } from '../../support/temporary';
import { ownTinyCheckpoint } from '../../support/tiny-models';
import { jsonOf, startCoppice } from '../../support/built-cli';

const shardOf = (folder: string): string => join(folder, 'model.safetensors');

/** Writes other weights into the file as it lies. */
function overwrite(file: string): void {
  const handle = openSync(file, 'r+');
  writeSync(handle, Buffer.alloc(64, 7), 0, 64, statSync(file).size - 64);
  closeSync(handle);
  const later = new Date(Date.now() + 2000); // the clock of a file system may tick as slowly as that
  utimesSync(file, later, later);
}

describe('files of a checkpoint', () => {
  const harms: [string, (file: string) => void, string][] = [
    ['cut', (file) => truncateSync(file, 100), 'it became shorter'],
    ['appended to', (file) => appendFileSync(file, 'x'), 'it became longer'],
    ['removed', (file) => rmSync(file), 'it was removed'],
    ['written to in place', overwrite, 'it was written to'],
    [
      'replaced by one of the same size',
      (file) => {
        cpSync(file, `${file}.new`);
        renameSync(`${file}.new`, file);
      },
      'it was replaced by another file',
    ],
  ];
  for (const [title, harm, how] of harms) {
    it(`are others once they are ${title}`, async () => {
      for (const name of ['model.safetensors', 'config.json']) {
        const folder = ownTinyCheckpoint('llama-plain');
        const { files } = await openCheckpoint(folder);
        assert.deepEqual(await changedFiles(files), []);
        harm(join(folder, name));
        assert.deepEqual(
          (await changedFiles(files)).map((change) => [change.name, change.how]),
          [[name, how]],
        );
      }
    });
  }
});

describe('writing from a checkpoint that changes meanwhile', function () {
  this.timeout('2m');

  const pruned = (source: Checkpoint, out: string, options: JobOptions): Promise<unknown> =>
    writePruned(source, [1], out, { ...options, bufferBytes: 4096 });
  const merged = (source: Checkpoint, out: string, options: JobOptions): Promise<unknown> =>
    mergeAdapter(source, randomAdapter(requireArchitecture(source), { removed: [1] }), out, options);

  const ways: [string, typeof pruned][] = [
    ['prune', pruned],
    ['merge', merged],
  ];
  for (const [name, write] of ways) {
    it(`${name} says what happened to which file, whenever it is cut short, and leaves nothing`, async () => {
      const moments = await count((options) => attempt(write, () => undefined, options));
      assert.ok(moments > 10);
      for (let moment = 1; moment <= moments; moment++) {
        const { error, left, source } = await attempt(write, (file) => truncateSync(file, 2000), { at: moment });
        assert.ok(error instanceof UserError, `${moment}: ${String(error)}`);
        assert.match(`${error.what}: ${error.why}`, new RegExp(`${shardOf(source)}.*became shorter`));
        assert.deepEqual(left, [], `at ${moment}`);
      }
    });
  }

  it('prune says that the copy would be of two files, where one takes the place of the other', async () => {
    const replace = (file: string): void => {
      cpSync(file, `${file}.new`);
      overwrite(`${file}.new`);
      renameSync(`${file}.new`, file);
    };
    const { error, left } = await attempt(pruned, replace, { at: 3 });
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.why, /replaced by another file/);
    assert.deepEqual(left, []);
  });

  it('prune notes in the record that weights were written to', async () => {
    const source = ownTinyCheckpoint('llama-plain');
    const out = join(temporaryFolder(), 'out');
    // Bytes that are copied last, while the first are: the copy has the new ones.
    let done = false;
    const onProgress = (): void => {
      if (!done) overwrite(shardOf(source));
      done = true;
    };
    await pruned(await openCheckpoint(source), out, { onProgress });
    const { notes = [] } = await readRecord(join(out, 'coppice.json'));
    assert.equal(notes.length, 1);
    assert.match(notes[0], /^model\.safetensors of .* changed during the run: it was written to/);
  });

  interface Attempt {
    readonly error: unknown;
    readonly left: readonly string[];
    readonly source: string;
  }

  /** Writes from a new source, which `harm` gets at the report of progress number `at`. */
  async function attempt(
    write: typeof pruned,
    harm: (file: string) => void,
    { at, onProgress }: { at?: number } & JobOptions,
  ): Promise<Attempt> {
    const source = ownTinyCheckpoint('llama-plain');
    const place = temporaryFolder();
    let reports = 0;
    const report: JobOptions['onProgress'] = (progress) => {
      onProgress?.(progress);
      if (++reports === at) harm(shardOf(source));
    };
    const error = await write(await openCheckpoint(source), join(place, 'out'), { onProgress: report }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return { error, left: readdirSync(place), source };
  }

  async function count(run: (options: JobOptions) => Promise<unknown>): Promise<number> {
    let reports = 0;
    await run({ onProgress: () => reports++ });
    return reports;
  }
});

describe('runs over weights that are written to', function () {
  this.timeout('2m');

  it('are warned of in the outcome of the job and in its record', async () => {
    const model = ownTinyCheckpoint('llama-gqa-tied', { tokenizer: true });
    const { rows } = makeCliMaterial();
    const records = join(temporaryFolder(), 'runs');
    const spec = {
      ...({ kind: 'score', checkpoint: model, device: 'cpu', criterion: 'ppl', records: [records] } as const),
      calibration: rows,
      samples: 2,
      length: 24,
      seed: 1,
    };
    const outcomeOf = (onProgress: () => void) =>
      runSpec(spec, { job: { onProgress }, hooks: {}, emit: () => undefined });
    const others = (warnings: readonly string[] = []): string[] =>
      warnings.filter((each) => !each.startsWith(FITS_NOTHING));
    const quiet = await outcomeOf(() => undefined);
    assert.deepEqual(others(quiet.warnings), []);
    assert.deepEqual(others((await readRecord(quiet.record!)).notes), []);
    const { warnings, record } = await outcomeOf(() => overwrite(shardOf(model)));
    assert.equal(others(warnings).length, 1);
    assert.match(others(warnings)[0], /^model\.safetensors of .* changed during the run: it was written to/);
    assert.deepEqual(others((await readRecord(record!)).notes), others(warnings));
  });

  it('are warned of on stderr', async () => {
    makeCliMaterial();
    const model = ownTinyCheckpoint('llama-gqa-tied', { tokenizer: true });
    const record = join(temporaryFolder(), 'record.json');
    // Work of a second or two: it is far from done when its first words are heard.
    const rows = join(temporaryFolder(), 'rows.json');
    const row = (seed: number): number[] => Array.from({ length: 32 }, (_, i) => 3 + ((i * 37 + seed * 101) % 250));
    writeFileSync(rows, JSON.stringify({ rows: Array.from({ length: 1500 }, (_, r) => row(r)) }));
    const args = ['score', model, '--calibration', rows, '--device', 'cpu', '--threads', '1', '--json'];
    const running = startCoppice([...args, '--record', record], { onBegin: () => overwrite(shardOf(model)) });
    const result = await running.result;
    jsonOf(result);
    assert.match(result.stderr, /^warning: model\.safetensors of .* changed during the run: it was written to/m);
    assert.equal((await readRecord(record)).notes?.length, 1);
  });
});
