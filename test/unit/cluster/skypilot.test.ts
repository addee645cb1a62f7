/** What SkyPilot is given, by its own validator, and what its nodes run. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ClusterRun } from '../../../src/cluster/folder';
import { skypilot } from '../../../src/cluster/skypilot';
import { nodePath, readAsked } from '../../../src/cluster/skypilot/asked';
import { nodeScript, taskOf, taskText } from '../../../src/cluster/skypilot/task';
import { OptionError, UserError } from '../../../src/engine/errors';
import { itWith } from '../../support/consumers';
import { skypilotPython, taskFault } from '../../support/skypilot';
import { temporaryFolder } from '../../support/temporary';

const RUN: ClusterRun = {
  schema: 1,
  coppice: '0.1.0',
  kind: 'score',
  words: ['score', '/models/a', '--calibration', '/models/my prose.txt'],
  parts: 5,
  scheduler: 'skypilot',
  asked: {},
  estimate: { seconds: 100, memoryBytes: 3e9, statesBytes: 1e9, readBytes: 1e9 },
  command: ['coppice'],
  submissions: [],
};
const FEW = { records: 's3://my-records' };
const EVERYTHING = {
  ...FEW,
  'records-folder': 'team/one',
  models: 'gs://my-models/smol',
  nodes: '2',
  image: 'registry.example.org/coppice:0.1.0',
  infra: 'gcp/us-central1',
  cpus: '4',
  'memory-limit': '16GiB',
  gpus: 'L4:1',
  spot: 'yes',
};

type Asked = Readonly<Record<string, string>>;
const asked = (given: Asked) => readAsked(given, '/runs/one');
const task = (given: Asked): object => taskOf(RUN, asked(given), 'coppice-one');

describe('a task for SkyPilot', function () {
  this.timeout(120_000); // its validator loads for seconds

  itWith(skypilotPython, 'is what SkyPilot takes, and a field that it does not know is not', () => {
    const files = [FEW, EVERYTHING].map((given) => taskText(task(given)));
    const wrong = taskText({ ...task(FEW), nodes: 3 });
    const [few, everything, unknown] = taskFault([...files, wrong]);
    assert.deepEqual([few, everything], ['', '']);
    assert.match(unknown, /nodes/);
  });

  it('has a node for each part or as many as asked, and the memory of the estimate or what was asked', () => {
    const { num_nodes, resources } = task(FEW) as { num_nodes: number; resources: object };
    assert.equal(num_nodes, 5);
    assert.deepEqual(resources, { image_id: 'docker:coppice:0.1.0', memory: '5+' });
    assert.deepEqual(parse(taskText(task(EVERYTHING)), { version: '1.1' }), task(EVERYTHING));
    assert.deepEqual((task(EVERYTHING) as { resources: object }).resources, {
      ...{ image_id: 'docker:registry.example.org/coppice:0.1.0', infra: 'gcp/us-central1' },
      ...{ cpus: '4+', memory: '16+', accelerators: 'L4:1', use_spot: true },
    });
    assert.equal((task({ ...FEW, nodes: '9' }) as { num_nodes: number }).num_nodes, 5);
  });

  it('is written by Coppice and launched by its user', async () => {
    const folder = temporaryFolder();
    const run = { ...RUN, asked: FEW };
    assert.deepEqual(await skypilot.write(folder, run), [join(folder, 'task.yaml')]);
    assert.match(readFileSync(join(folder, 'task.yaml'), 'utf8'), /^# Written by Coppice .*sky launch/);
    await assert.rejects(skypilot.submit(folder, run, [1]), /SkyPilot starts and ends machines that cost money/);
    await assert.rejects(skypilot.cancel(run), UserError);
    assert.equal(await skypilot.queue(run), undefined);
    assert.equal(skypilot.launch?.('one'), join('sky launch one', 'task.yaml'));
  });
});

describe('what is asked of SkyPilot', () => {
  it('is checked, and named where it is wrong', () => {
    const wrong: readonly (readonly [name: string, ...values: string[]])[] = [
      ['records', '', 'my-records', 's3://', 's3://a b', 'file:///etc', 'http://example.org/a'],
      ['models', '/models', 's3://-a'],
      ['records-folder', '', '/a', 'a/../b'],
      ['nodes', '0', 'many'],
      ['image', 'two words'],
      ['infra', 'aws/a/b/c', 'a b'],
      ['cpus', '0', 'four'],
      ['memory-limit', '8 apples'],
      ['gpus', '8', 'L4:many'],
      ['spot', 'no'],
    ];
    for (const [name, ...values] of wrong) {
      for (const value of values) {
        const isNamed = (error: unknown): boolean => error instanceof OptionError && error.what.startsWith(name);
        assert.throws(() => asked({ ...FEW, [name]: value }), isNamed, `${name} ${value}`);
      }
    }
    assert.throws(() => asked({}), /SkyPilot needs records/);
    assert.throws(() => asked({ ...FEW, partition: 'a' }), /SkyPilot has no option partition/);
  });

  it('takes paths as nodes see them', () => {
    assert.equal(nodePath('/models/a/'), '/models/a');
    for (const path of ['a', '/data/a', '/models/../etc/a']) assert.throws(() => nodePath(path), UserError, path);
  });
});

describe('what a node runs', () => {
  if (process.platform === 'win32') it.skip('are its parts (needs bash)');
  else {
    it('are its parts, but for those that are there; the last node gathers', () => {
      const records = temporaryFolder();
      const bin = temporaryFolder();
      const said = join(records, 'said.txt');
      // Says what it was asked, and writes the file that it was asked for.
      const program = `#!/bin/bash\nprintf '%s|' "$@" >> '${said}'; echo >> '${said}'\necho made > "\${!#}"\n`;
      writeFileSync(join(bin, 'coppice'), program);
      chmodSync(join(bin, 'coppice'), 0o755);
      mkdirSync(join(records, 'one', 'parts'), { recursive: true });
      writeFileSync(join(records, 'one', 'parts', 'part-3.json'), 'there');
      const script = nodeScript(RUN, asked(FEW)).replaceAll('/records/', `${records}/`);
      const node = (rank: number): void => {
        const env = { PATH: `${bin}:${process.env.PATH}`, SKYPILOT_NODE_RANK: String(rank), SKYPILOT_NUM_NODES: '2' };
        execFileSync('bash', ['-c', script], { env });
      };
      node(1);
      assert.deepEqual(readdirSync(join(records, 'one', 'parts')).sort(), [
        'part-2.json',
        'part-3.json',
        'part-4.json',
      ]);
      assert.ok(!existsSync(join(records, 'one', 'record.json')));
      node(0);
      assert.equal(readFileSync(join(records, 'one', 'record.json'), 'utf8'), 'made\n');
      assert.equal(readFileSync(join(records, 'one', 'parts', 'part-3.json'), 'utf8'), 'there');
      const lines = readFileSync(said, 'utf8').trim().split('\n');
      assert.match(lines[0], /^score\|\/models\/a\|--calibration\|\/models\/my prose.txt\|--part\|2\/5\|--record\|/);
      assert.deepEqual(
        lines.map((line) => /\|(\d)\/5\|/.exec(line)?.[1] ?? line.split('|')[0]),
        ['2', '4', '1', '5', 'gather'],
      );
    });
  }
});
