/** `coppice submit slurm` and `coppice status` on a real Slurm: the numbers of one process, whatever happens to the nodes. */
import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtProgram, type CliResult, coppice, jsonOf } from '../support/built-cli';
import { type CliMaterial, type Json, makeCliMaterial, readJson } from '../support/cli';
import { noSlurm, TestSlurm } from '../support/slurm';
import { itFull } from '../support/shared';
import { temporaryFolder } from '../support/temporary';
import { until } from '../support/until';

const SAMPLE = join(import.meta.dirname, '../../media/sample');

/** Fields of a record that differ between runs, or between places and machines. */
const OF_THE_RUN = [
  'seconds',
  'peakRssBytes',
  'started',
  'finished',
  'place',
  'threads',
  'memory',
  'options',
  'precision',
  'out',
];

const numbersOf = (file: string): unknown =>
  JSON.parse(JSON.stringify(readJson(file), (key, field: unknown) => (OF_THE_RUN.includes(key) ? undefined : field)));

interface PartState extends Json {
  readonly number: number;
  readonly state: string;
  readonly host?: string;
  readonly error?: string;
}

const missing = noSlurm();
(missing === undefined ? describe : describe.skip)(`slurm${missing === undefined ? '' : ` (${missing})`}`, function () {
  this.timeout(300_000);
  let slurm: TestSlurm;
  let material: CliMaterial;
  let folder: string;

  before(() => {
    material = makeCliMaterial();
    slurm = new TestSlurm();
  });
  after(() => slurm.stop());
  beforeEach(() => (folder = temporaryFolder()));

  const run = (...args: string[]): Promise<CliResult> => coppice(args, { cwd: folder, env: slurm.env });
  const status = async (): Promise<{ parts: PartState[]; counts: Json; gather: Json; record: string | null }> => {
    const { stdout } = await run('status', 'run', '--json');
    return JSON.parse(stdout) as Awaited<ReturnType<typeof status>>;
  };
  const record = (): string => join(folder, 'run/record.json');

  /** What a part runs: it says where it is, and begins when it may. */
  function holding(): string {
    const file = join(folder, 'hold.sh');
    const lines = [
      '#!/bin/bash',
      `echo $$ > ${folder}/begun-\${SLURM_ARRAY_TASK_ID:-0}-$SLURMD_NODENAME.new`,
      `mv ${folder}/begun-\${SLURM_ARRAY_TASK_ID:-0}-$SLURMD_NODENAME{.new,}`,
      `while [ ! -e ${folder}/go ]; do sleep 0.1; done`,
      `exec ${process.execPath} ${builtProgram().file} "$@"`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    chmodSync(file, 0o755);
    return file;
  }
  const begun = (): string[] => readdirSync(folder).filter((name) => /^begun-\d+-n\d$/.test(name));
  const go = (): void => writeFileSync(join(folder, 'go'), '');

  async function oneProcess(score: readonly string[]): Promise<string> {
    const file = join(folder, 'one.json');
    jsonOf(await run(...score, '--record', file, '--json'));
    return file;
  }

  it('eight parts give the record of one process, in a folder with any name', async () => {
    const score = [
      'score',
      SAMPLE,
      '--calibration',
      join(SAMPLE, 'calibration.txt'),
      '--samples',
      '4',
      '--length',
      '32',
    ];
    const one = await oneProcess([...score, '--precision', 'float32', '--threads', '1']);
    const name = "it's 100% #1";
    const submitted = await run('submit', 'slurm', ...score, '--parts', '8', '--folder', name, '--partition', 'test');
    assert.equal(submitted.code, 0, submitted.stderr);
    const ended = await run('status', name, '--wait', '--json');
    const found = jsonOf(ended);
    assert.deepEqual(found.counts, { done: 8, running: 0, waiting: 0, failed: 0 });
    assert.equal(found.progress, 1);
    assert.equal(found.record, join(folder, name, 'record.json'));
    assert.deepEqual(numbersOf(found.record), numbersOf(one));
    // What is done is not done again.
    const again = jsonOf(await run('status', name, '--resubmit', '--json'));
    assert.deepEqual(again.resubmitted, { parts: [] });
    const twice = await run('submit', 'slurm', ...score, '--parts', '8', '--folder', name);
    assert.equal(twice.code, 1);
    assert.match(twice.stderr, /is not empty/);
  });

  itFull(
    'a recipe in parts gives what one process gives, also after a killed part and a step that failed',
    async () => {
      const text = join(folder, 'evaluation.txt');
      cpSync(join(SAMPLE, 'evaluation.txt'), text);
      const calibration = join(SAMPLE, 'calibration.txt');
      const precision = 'float32';
      const steps = {
        scores: { job: 'score', options: { calibration, samples: 4, length: 32, precision } },
        plan: { job: 'prune', options: { scores: '${steps.scores}', count: 2, dryRun: true } },
        healed: { job: 'heal', options: { remove: '${steps.plan.removed}', data: [calibration], tokens: 2048 } },
        quality: {
          job: 'eval',
          options: { checkpoint: '${steps.healed}', text, limit: 4, precision },
          limits: { maxPpl: 1000 },
        },
        shipped: { job: 'export', options: { checkpoint: '${steps.healed}', format: 'onnx', type: ['q8'] } },
      };
      writeFileSync(join(folder, 'a.coppice.json'), JSON.stringify({ coppice: 1, model: SAMPLE, steps }));
      const inOne = ['run', 'a.coppice.json', '--folder', 'one', '--threads', '1', '--device', 'cpu'];
      jsonOf(await run(...inOne, '--json'));
      const words = ['a.coppice.json', '--folder', 'run', '--parts', '2', '--command', holding(), '--json'];
      const { submissions } = jsonOf(await run('submit', 'slurm', 'run', ...words)) as { submissions: Json[] };
      await until('both nodes have a part', () => begun().length === 2);
      const stepsOf = async (...more: string[]): Promise<Record<string, Json>> => {
        const found = JSON.parse((await run('status', 'run', '--json', ...more)).stdout) as { steps: Json[] };
        return Object.fromEntries(found.steps.map((each) => [String(each.name), each]));
      };
      const before = await stepsOf();
      assert.equal(before.scores.state, 'running');
      assert.equal(before.plan.error, 'after scores');

      slurm.run('scancel', `${String(submissions[0].array)}_1`);
      go();
      const killed = await stepsOf('--wait');
      assert.match(String(killed.scores.error), /^part 1: CANCELLED/);
      for (const name of ['plan', 'healed', 'quality', 'shipped'])
        assert.deepEqual([killed[name].state, killed[name].error], ['failed', 'because scores failed']);

      renameSync(text, `${text}.away`);
      const failed = await stepsOf('--resubmit', '--wait');
      assert.deepEqual(
        Object.values(failed).map(({ state }) => state),
        ['done', 'done', 'done', 'failed', 'failed'],
      );
      assert.match(String(failed.quality.error), /^part \d: .*Cannot read .*evaluation\.txt: it is not there$/);
      assert.equal(failed.shipped.error, 'because quality failed');
      await until('nothing stays in the queue', () => slurm.run('squeue', '-h').trim() === '', 120_000);

      renameSync(`${text}.away`, text);
      const state = (name: string): Record<string, Json> =>
        Object.fromEntries(
          (readJson(join(folder, name, 'state.json')).steps as Json[]).map((each) => [String(each.name), each]),
        );
      const kept = state('run');
      const ended = await run('status', 'run', '--resubmit', '--wait', '--json');
      assert.deepEqual(jsonOf(ended).counts, { done: 5, running: 0, waiting: 0, failed: 0 });
      assert.equal((jsonOf(ended).report as Json).state, 'done');
      for (const name of ['scores', 'plan', 'healed']) assert.deepEqual(state('run')[name], kept[name], name);

      const again = jsonOf(await run('run', 'a.coppice.json', '--folder', 'run', '--json'));
      assert.equal(again.ran, 0);
      for (const name of Object.keys(steps)) {
        const [many, one] = ['run', 'one'].map((each) => join(folder, each, name, 'result.json'));
        assert.deepEqual(numbersOf(many), numbersOf(one), name);
      }
      for (const file of ['model.safetensors', 'config.json'])
        assert.ok(
          readFileSync(join(folder, 'run/healed/healed', file)).equals(
            readFileSync(join(folder, 'one/healed/healed', file)),
          ),
          file,
        );
    },
  );

  itFull('a node that dies in the middle loses nothing', async () => {
    const score = ['score', material.model, '--calibration', material.rows, '--precision', 'float32'];
    const one = await oneProcess(score);
    jsonOf(await run('submit', 'slurm', ...score, '--parts', '3', '--folder', 'run', '--command', holding(), '--json'));
    await until('both nodes have a part', () => begun().length === 2);
    const running = await status();
    assert.deepEqual(running.counts, { done: 0, running: 2, waiting: 1, failed: 0 });
    const lost = begun().find((name) => name.endsWith('n2'))!;
    slurm.cutPower('n2', Number(readFileSync(join(folder, lost), 'utf8')));
    // What an operator does; Slurm finds it by itself a few minutes later.
    slurm.run('scontrol', 'update', 'nodename=n2', 'state=down', 'reason=power');
    const number = Number(lost.split('-')[1]);
    await until('the part waits again', async () => (await status()).parts[number - 1].state === 'waiting');
    // Slurm waits two minutes before it begins a part again.
    slurm.run(
      'scontrol',
      'update',
      `jobid=${slurm
        .run('squeue', '-h', '-r', '-t', 'PD', '-o', '%i')
        .split('\n')
        .find((id) => id.endsWith(`_${number}`))}`,
      'StartTime=now',
    );
    go();
    const ended = await run('status', 'run', '--wait', '--json');
    assert.equal(jsonOf(ended).record, record());
    assert.ok(existsSync(join(folder, `begun-${number}-n1`)), 'the other node did it');
    assert.deepEqual(numbersOf(record()), numbersOf(one));
  });

  itFull('a healing whose parts wait for each other needs no slot for each, and no node in the end', async () => {
    // The test before has left one without power.
    if (!slurm.isIdle()) slurm.repair('n2');
    await until('both nodes are there', () => slurm.isIdle(), 60_000);
    const data = join(SAMPLE, 'calibration.txt');
    const heal = ['heal', SAMPLE, '--remove', '4-6', '--data', data, '--tokens', '8192', '--device', 'cpu'];
    const one = jsonOf(await run(...heal, '--threads', '1', '--out', join(folder, 'one'), '--json'));
    const out = join(folder, 'many');
    const words = [...heal, '--out', out, '--parts', '3', '--folder', 'run', '--command', holding()];
    jsonOf(await run('submit', 'slurm', ...words, '--json'));
    await until('both nodes have a part', () => begun().length === 2);
    go();
    const sites = (): number =>
      readdirSync(join(folder, 'run/state')).filter((name) => /_proj\.\w+\.safetensors$/.test(name)).length;
    await until('some sites are healed', () => existsSync(join(folder, 'run/state')) && sites() >= 2, 120_000);
    const lost = begun().find((name) => name.endsWith('n2'))!;
    slurm.cutPower('n2', Number(readFileSync(join(folder, lost), 'utf8')));
    slurm.run('scontrol', 'update', 'nodename=n2', 'state=down', 'reason=power');
    await until('the model is healed', () => existsSync(join(out, 'model.safetensors')), 200_000);
    for (const file of ['model.safetensors', 'config.json'])
      assert.ok(readFileSync(join(out, file)).equals(readFileSync(join(folder, 'one', file))), file);
    await until('all records are there', () => readdirSync(join(folder, 'run/parts')).length === 3, 60_000);
    const gathered = jsonOf(await run('gather', 'run/parts', '--out', 'all.json', '--json'));
    for (const name of ['steps', 'fit', 'heldOut', 'weights']) assert.deepEqual(gathered[name], one[name], name);
  });

  itFull('a part that fails says why, and is submitted again alone', async () => {
    const score = ['score', material.model, '--calibration', material.rows, '--precision', 'float32'];
    const one = await oneProcess(score);
    jsonOf(await run('submit', 'slurm', ...score, '--parts', '2', '--folder', 'run', '--json'));
    await until('the run is over', async () => (await status()).record !== null, 60_000);
    // As if the second part had found no text.
    for (const name of ['record.json', 'parts/part-2.json'])
      renameSync(join(folder, 'run', name), join(folder, name.replace('/', '-')));
    renameSync(material.rows, `${material.rows}.away`);
    assert.equal((await run('status', 'run')).code, 1, 'its record is gone');
    await run('status', 'run', '--resubmit', '--json');
    const failed = await run('status', 'run', '--wait', '--json');
    assert.equal(failed.code, 1);
    const { parts, counts, gather } = JSON.parse(failed.stdout) as Awaited<ReturnType<typeof status>>;
    assert.deepEqual(counts, { done: 1, running: 0, waiting: 0, failed: 1 });
    assert.match(parts[1].error ?? '', /rows\.json.*no/);
    assert.notEqual(gather.state, 'done');
    assert.match((await run('status', 'run')).stdout, /^2 .*rows\.json/m);
    renameSync(`${material.rows}.away`, material.rows);
    const first = readFileSync(join(folder, 'run/parts/part-1.json'), 'utf8');
    const again = jsonOf(await run('status', 'run', '--resubmit', '--wait', '--json'));
    assert.deepEqual((again.resubmitted as Json).parts, [2]);
    assert.deepEqual(numbersOf(record()), numbersOf(one));
    assert.equal(readFileSync(join(folder, 'run/parts/part-1.json'), 'utf8'), first);
  });

  it('what Slurm refuses leaves nothing behind', async () => {
    const score = ['score', material.model, '--calibration', material.rows, '--parts', '2', '--folder', 'run'];
    const refused = await run('submit', 'slurm', ...score, '--partition', 'nowhere');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /sbatch says: .*invalid partition/i);
    assert.ok(!existsSync(join(folder, 'run')));
    const many = await run('submit', 'slurm', ...score.with(-3, '5000'));
    assert.match(many.stderr, /MaxArraySize=1001|cannot be cut into 5000/);
  });
});
