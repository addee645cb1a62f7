/** A run on Kubernetes from the command line to the record: what pods run is run here, by the shell of this machine. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { buildCli, builtProgram, coppice, jsonOf } from '../support/built-cli';
import { type Json, readJson, run } from '../support/cli';
import { itFull } from '../support/shared';
import { temporaryFolder } from '../support/temporary';

const MEDIA = resolve(import.meta.dirname, '../../media');
const PARTS = 3;
const SCORE = ['--samples', '4', '--length', '24', '--precision', 'float32'];

/** The shell line of a pod. */
interface Manifest {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly [{ readonly args: readonly [string] }] } };
  };
}

describe('coppice submit kubernetes', () => {
  before(buildCli);

  const submit = (folder: string, ...more: string[]): string[] => {
    const [model, text] = ['/models/sample', '/models/sample/calibration.txt'];
    const job = ['submit', 'kubernetes', 'score', model, '--calibration', text, ...SCORE];
    return [...job, '--parts', String(PARTS), '--records-claim', 'records', '--folder', folder, ...more];
  };
  const scriptOf = (file: string): string =>
    (parse(readFileSync(file, 'utf8'), { version: '1.1' }) as Manifest).spec.template.spec.containers[0].args[0];

  if (process.platform === 'win32') it.skip('the pods of a run give the record of one process (needs a shell)');
  else {
    it('the pods of a run, two at a time, give the record of one process; a part that is there is not run again', async () => {
      const records = temporaryFolder();
      const folder = join(records, 'one');
      await run(...submit(folder, '--cpus', '1', '--write'));
      // The volumes are folders of this machine.
      const script = scriptOf(join(folder, 'job.yaml'))
        .replaceAll('/models/', `${MEDIA}/`)
        .replaceAll('/records/', `${records}/`);
      const pod = podsHere(script);
      await Promise.all([pod(0), pod(1)]);
      const parts = (): string[] => readdirSync(join(folder, 'parts')).sort();
      assert.deepEqual(parts(), ['part-1.json', 'part-2.json']);
      assert.ok(!existsSync(join(folder, 'record.json')));

      const [first, again] = await Promise.all([pod(2), pod(0)]);
      assert.match(first, /part +3 of 3/);
      assert.doesNotMatch(again, /part +1 of 3/);
      assert.deepEqual(parts(), ['part-1.json', 'part-2.json', 'part-3.json']);

      const alone = join(temporaryFolder(), 'one');
      mkdirSync(alone);
      const model = join(MEDIA, 'sample');
      const words = ['score', model, '--calibration', join(model, 'calibration.txt'), ...SCORE, '--threads', '1'];
      await run(...words, '--record', join(alone, 'record.json'));
      assert.deepEqual(
        comparable(readJson(join(folder, 'record.json'))),
        comparable(readJson(join(alone, 'record.json'))),
      );

      // Whoever is late, gathers again, and two at once do no harm.
      const before = readFileSync(join(folder, 'record.json'), 'utf8');
      await Promise.all([pod(0), pod(1)]);
      assert.equal(readFileSync(join(folder, 'record.json'), 'utf8'), before);
    });

    itFull('the pods of a healing meet in the folder of the run, and write the model of one process', async () => {
      const records = temporaryFolder();
      const folder = join(records, 'one');
      const alone = join(temporaryFolder(), 'healed');
      const [model, text] = ['/models/sample', '/models/sample/calibration.txt'];
      const words = ['heal', model, '--remove', '4-6', '--data', text, '--tokens', '4096', '--out'];
      const volumes = ['--parts', '2', '--records-claim', 'records', '--folder', folder];
      await run('submit', 'kubernetes', ...words, '/records/healed', ...volumes, '--cpus', '1', '--write');
      const here = (text: string): string =>
        text.replaceAll('/models/', `${MEDIA}/`).replaceAll('/records/', `${records}/`);
      const pod = podsHere(here(scriptOf(join(folder, 'job.yaml'))));
      await Promise.all([pod(0), pod(1)]);
      await run(...words.map(here), alone, '--threads', '1');
      const [parts, one] = [join(records, 'healed'), alone].map((out) => readFileSync(join(out, 'model.safetensors')));
      assert.ok(parts.equals(one));
      assert.equal(readJson(join(folder, 'record.json')).kind, 'heal');
    });
  }

  it('refuses what pods do not see, before it writes anything', async () => {
    const folder = join(temporaryFolder(), 'one');
    const there = ['--calibration', '/models/a.txt', '--parts', '2', '--records-claim', 'r', '--folder', folder];
    const { code, stderr } = await coppice(['submit', 'kubernetes', 'score', 'sample', ...there]);
    assert.equal(code, 1);
    assert.match(stderr, /Pods do not see sample\n.*at \/models, that of records at \/records/);
    assert.ok(!existsSync(folder));
  });

  it('leaves no folder where there is no kubectl', async () => {
    const folder = join(temporaryFolder(), 'one');
    const { code, stderr } = await coppice(submit(folder), { env: { PATH: temporaryFolder() } });
    assert.equal(code, 1);
    assert.match(stderr, /cannot be handed to Kubernetes\n.*kubectl is not on this machine\n.*--write/);
    assert.ok(!existsSync(folder));
    assert.deepEqual(jsonOf(await coppice([...submit(folder), '--write', '--json'])).scheduler, 'kubernetes');
  });
});

/** A pod by its index: the script in a shell, with `coppice` on its path. @returns what it prints */
function podsHere(script: string): (index: number) => Promise<string> {
  const { file, env } = builtProgram();
  const bin = temporaryFolder();
  const program = join(bin, 'coppice');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${file}' "$@"\n`);
  chmodSync(program, 0o755);
  return async (index) => {
    const around = { ...env, PATH: `${bin}:${env.PATH}`, JOB_COMPLETION_INDEX: String(index) };
    return (await promisify(execFile)('sh', ['-c', script], { env: around, cwd: temporaryFolder() })).stdout;
  };
}

/** Times and memory differ from run to run. */
const CHANGING = /seconds|rss|^(started|finished)$/i;
const comparable = (record: Json): unknown =>
  JSON.parse(JSON.stringify(record, (name, value: unknown) => (CHANGING.test(name) ? undefined : value)));
