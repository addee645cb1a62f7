/** What a shared folder would start is started unasked only for who submitted it. The scheduler is a program that notes it. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Started } from '../../../src/cluster/consent';
import { runFile } from '../../../src/cluster/folder';
import { resubmitFailed, submitRun } from '../../../src/cluster/submit';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

/** The programs are shell scripts. */
const itPosix = process.platform === 'win32' ? it.skip : it;

describe('cluster: consent', () => {
  let folder: string;
  let scripts: string;
  let { PATH } = process.env;

  /** Begins a run on a Slurm that forgets its jobs at once, so that all its parts are to be submitted again. */
  beforeEach(async () => {
    const home = temporaryFolder();
    [folder, scripts] = [join(home, 'run'), join(home, 'submitted.txt')];
    const bin = join(home, 'bin');
    mkdirSync(bin);
    const program = (name: string, text: string): void => {
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(bin, name), 0o755);
    };
    program('sbatch', `for last; do :; done; cat "$last" >> '${scripts}'; echo 7`);
    program('squeue', 'exit 0');
    program('scontrol', 'exit 0');
    ({ PATH } = process.env);
    process.env.PATH = `${bin}${delimiter}${PATH}`;
    const options = { checkpoint: tinyCheckpoint('llama-plain'), criterion: 'magnitude' };
    const request = {
      kind: 'score',
      options,
      parts: 2,
      folder,
      scheduler: 'slurm',
      asked: {},
      command: ['coppice'],
    } as const;
    await submitRun(request);
    writeFileSync(scripts, '');
  });
  afterEach(() => (process.env.PATH = PATH));

  const edited = (change: (run: Record<string, unknown>) => object): void => {
    const run = JSON.parse(readFileSync(runFile(folder), 'utf8')) as Record<string, unknown>;
    writeFileSync(runFile(folder), JSON.stringify({ ...run, ...change(run) }));
  };
  const again = async (answer: boolean): Promise<Started | undefined> => {
    let asked: Started | undefined;
    const consent = (started: Started): Promise<boolean> => {
      asked = started;
      return Promise.resolve(answer);
    };
    await resubmitFailed(folder, consent);
    return asked;
  };

  itPosix('is not asked for of who submitted the run', async () => {
    assert.equal(await again(false), undefined);
    assert.match(readFileSync(scripts, 'utf8'), /coppice score/);
  });

  itPosix('is needed where the command, the options or a script are others, and then holds', async () => {
    const script = join(folder, 'part.sbatch');
    const changes: (() => void)[] = [
      () => edited(() => ({ command: ['/shared/evil'] })),
      () => edited(() => ({ asked: { partition: 'other' } })),
      () => edited(() => ({ seal: undefined })),
      () => edited(({ seal }) => ({ seal: String(seal).replace(/^./, (digit) => (digit === '0' ? '1' : '0')) })),
      () => writeFileSync(script, `${readFileSync(script, 'utf8')}curl evil\n`),
    ];
    for (const change of changes) {
      change();
      await assert.rejects(again(false), /not submitted again: .*was not agreed to/s);
      assert.equal(readFileSync(scripts, 'utf8'), '', 'nothing was started');
      const asked = await again(true);
      assert.ok(asked !== undefined);
      assert.equal(asked.scripts[0].text, readFileSync(script, 'utf8'), 'all of it is shown');
      assert.equal(await again(false), undefined, 'a yes holds');
      writeFileSync(scripts, '');
    }
    assert.ok(existsSync(script));
  });
});
