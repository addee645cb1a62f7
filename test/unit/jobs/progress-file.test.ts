/** The file that says how far a part is: written rarely, complete or not there, and never in the way of the part. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CancelledError } from '../../../src/engine/errors';
import { type PartProgress, PartProgressFile, progressFileOf } from '../../../src/jobs/parts/progress-file';
import { temporaryFolder } from '../../support/temporary';

const PART = { job: 'score', number: 3, of: 8 } as const;
const root = resolve(import.meta.dirname, '../../..');

describe('progress file of a part', () => {
  let file: string;
  const read = (): PartProgress => JSON.parse(readFileSync(file, 'utf8')) as PartProgress;

  beforeEach(() => {
    file = progressFileOf(join(temporaryFolder(), 'part.json'));
  });

  /** Waits for a beat that has the wanted. */
  async function until(isThere: (progress: PartProgress) => boolean): Promise<PartProgress> {
    for (;;) {
      if (existsSync(file) && isThere(read())) return read();
      await pause(5);
    }
  }

  it('is there from the start, and is not written with each piece of work', async () => {
    const progress = await PartProgressFile.begin(file, PART);
    const told: number[] = [];
    const { onProgress } = progress.around({ onProgress: ({ done }) => told.push(done) });
    for (let done = 1; done <= 10_000; done++) onProgress!({ label: 'row', done, total: 10_000, unit: 'items' });
    await pause(50);
    assert.deepEqual([read().beat, read().progress], [1, undefined]);
    assert.equal(told.length, 10_000);
    await progress.end();
    assert.ok(!existsSync(file));
  });

  it('beats with the latest progress, and is always whole', async () => {
    const progress = await PartProgressFile.begin(file, PART, 5);
    progress.around({}).onProgress!({ label: 'row', done: 7, total: 9, unit: 'items' });
    const { state, part, progress: shown } = await until(({ beat }) => beat > 5);
    assert.deepEqual([state, part, shown], ['running', PART, { label: 'row', done: 7, total: 9, unit: 'items' }]);
    await progress.end();
    await pause(50);
    assert.deepEqual(readdirSync(dirname(file)), [], 'no beat after the end');
  });

  it('keeps the last state: of a failure, a cancellation, an error of the system', async () => {
    const full = Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC', path: '/data' });
    const ends: readonly (readonly [unknown, boolean, Partial<PartProgress>])[] = [
      [new CancelledError(), false, { state: 'cancelled' }],
      [new Error('aborted'), true, { state: 'cancelled' }],
      [new Error('boom'), false, { state: 'failed', error: { what: 'Unexpected failure', why: 'boom', action: '' } }],
      [
        full,
        false,
        {
          state: 'failed',
          error: { what: '/data', why: 'the disk is full', action: 'Free some space or choose another disk.' },
        },
      ],
    ];
    for (const [error, isCancelled, expected] of ends) {
      const progress = await PartProgressFile.begin(file, PART, 1);
      await until(({ beat }) => beat > 2);
      await progress.fail(error, isCancelled);
      await pause(20);
      assert.deepEqual({ state: read().state, error: read().error }, { error: undefined, ...expected });
    }
  });

  it('survives a file system that fails: a folder that goes and comes, and one for good', async () => {
    const folder = dirname(file);
    const progress = await PartProgressFile.begin(file, PART, 2);
    renameSync(folder, join(temporaryFolder(), 'gone')); // at once, whatever is being written into it
    await pause(30);
    mkdirSync(folder);
    await until(({ state }) => state === 'running');
    renameSync(folder, join(temporaryFolder(), 'gone'));
    writeFileSync(folder, 'a file in place of the folder');
    await pause(30);
    await progress.fail(new Error('boom'));
    await progress.end();
  });

  it('keeps no process alive', () => {
    const module = join(root, 'src/jobs/parts/progress-file.ts');
    const code = `import { PartProgressFile } from ${JSON.stringify(module)};
      await PartProgressFile.begin(${JSON.stringify(file)}, ${JSON.stringify(PART)}, 50);`;
    const words = ['--import', 'tsx', '--input-type=module', '-e', code];
    execFileSync(process.execPath, words, { cwd: root, timeout: 60_000 });
    assert.equal(read().state, 'running', 'as after a process that was killed');
  });
});
