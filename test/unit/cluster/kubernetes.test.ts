/** What Kubernetes is given, by its own schemas and its own client, and what is read of its answers. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { EXIT_USAGE } from '../../../src/cli/exit-codes';
import type { ClusterRun, Submission } from '../../../src/cluster/folder';
import { jobName, podPath, readAsked } from '../../../src/cluster/kubernetes/asked';
import { jobManifest, manifestText, WRONG_USAGE } from '../../../src/cluster/kubernetes/manifest';
import { podScript } from '../../../src/cluster/kubernetes/pod-script';
import { parseIndexes, queueOf, readJobs, readPods } from '../../../src/cluster/kubernetes/queue';
import { OptionError, UserError } from '../../../src/engine/errors';
import { MAX_PARTS } from '../../../src/engine/parts/part';
import { itWith } from '../../support/consumers';
import { jobFaults, kubernetesSchemas } from '../../support/kubernetes';
import { full } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

const RUN: ClusterRun = {
  schema: 1,
  coppice: '0.1.0',
  kind: 'score',
  words: ['score', '/models/a', '--calibration', '/models/prose.txt'],
  parts: 8,
  scheduler: 'kubernetes',
  asked: {},
  command: ['coppice'],
  submissions: [],
};
const ALL = [1, 2, 3, 4, 5, 6, 7, 8];

const FEW = { 'records-claim': 'records' };
const EVERYTHING = {
  ...FEW,
  image: 'registry.example.org:5000/team/coppice@sha256:0123',
  'records-folder': 'runs/of me/one',
  'models-claim': 'models',
  'models-path': '/data/models',
  namespace: 'ml',
  parallelism: '3',
  cpus: '3.5',
  'memory-limit': '16GiB',
  gpus: '1',
  'node-selector': 'disk=yes, example.org/zone=12',
  queue: 'team-a',
  user: '2000:3000',
};

type Asked = Readonly<Record<string, string>>;
const asked = (given: Asked) => readAsked(given, '/runs/one');
const manifest = (given: Asked, run = RUN, parts: readonly number[] = ALL): object =>
  jobManifest(run, asked(given), 'coppice-one', parts);

describe('a manifest for Kubernetes', function () {
  this.timeout(60_000); // a schema takes a second to be compiled

  // The least version that it needs, the first in which all of it is stable, and the newest there is.
  for (const version of full ? ['1.29', '1.33', '1.37'] : ['1.29', '1.37']) {
    itWith(kubernetesSchemas, `is what the API of ${version} takes`, () => {
      for (const given of [FEW, EVERYTHING]) assert.deepEqual(jobFaults(version, manifest(given)), []);
      assert.deepEqual(jobFaults(version, manifest(FEW, RUN, [])), []);
    });
  }

  itWith(kubernetesSchemas, 'is checked to the last field', () => {
    const wrong = { ...manifest(FEW), spec: { ...(manifest(FEW) as { spec: object }).spec, completion: 8 } };
    assert.match(jobFaults('1.37', wrong).join(), /\/spec must NOT have additional properties.*"completion"/);
    assert.notDeepEqual(jobFaults('1.28', manifest(FEW)), []);
  });

  it('is read from YAML as it was meant, by the rules of Kubernetes', () => {
    const text = manifestText(manifest(EVERYTHING));
    assert.deepEqual(parse(text, { version: '1.1' }), manifest(EVERYTHING));
    assert.match(text, /^ +disk: "yes"$/m);
    assert.match(text, /^ +- \|\n +set -eu\n/m); // the commands of a pod, line by line
    assert.doesNotMatch(text, /[&*]a\d/);
  });

  itWith(hasKubectl(), 'is the same to kubectl', () => {
    const file = join(temporaryFolder(), 'job.yaml');
    writeFileSync(file, manifestText(manifest(EVERYTHING)));
    // The one command that reads a manifest with the types of the API and asks no server.
    const args = ['set', 'image', '--local', '-f', file, 'coppice=other', '-o', 'json'];
    const { stdout, stderr } = spawnSync('kubectl', args, { encoding: 'utf8' });
    assert.equal(stderr, '');
    assert.deepEqual(withoutImage(JSON.parse(stdout)), withoutImage(manifest(EVERYTHING)));
  });

  it('has a pod for each part, and as many at a time as asked', () => {
    const spec = (given: Asked, run = RUN, parts?: readonly number[]) =>
      (manifest(given, run, parts) as { spec: { completions: number; parallelism: number } }).spec;
    const counts = ({ completions, parallelism }: ReturnType<typeof spec>) => [completions, parallelism];
    assert.deepEqual(counts(spec(FEW)), [8, 8]);
    assert.deepEqual(counts(spec(EVERYTHING)), [8, 3]);
    assert.deepEqual(counts(spec(EVERYTHING, RUN, [3, 7])), [2, 2]);
    assert.deepEqual(counts(spec(EVERYTHING, RUN, [])), [1, 1]);
  });

  it('asks for memory as estimated, with half of it again, unless it is given', () => {
    const estimate = { seconds: 60, memoryBytes: 2 ** 30, statesBytes: 3e6, readBytes: 0 };
    const memory = (given: Asked, run: ClusterRun): string | undefined =>
      /limits:\n(?: +cpu.*\n)? +memory: (\S+)/.exec(manifestText(manifest(given, run)))?.[1];
    assert.equal(memory(FEW, RUN), undefined);
    assert.equal(memory(FEW, { ...RUN, estimate }), '1536Mi');
    assert.match(podScript({ ...RUN, estimate }, asked(FEW), ALL), / --memory 3000000 /);
    assert.equal(memory({ ...FEW, 'memory-limit': '4GiB' }, { ...RUN, estimate }), '4Gi');
  });

  it('knows the exit code of a command line that is wrong', () => {
    assert.equal(WRONG_USAGE, EXIT_USAGE);
  });
});

describe('what a pod runs', () => {
  const script = (run: ClusterRun, given: Asked = FEW, parts: readonly number[] = ALL): string =>
    podScript({ ...run, asked: given }, asked(given), parts);

  it('is one command line of Coppice, with the words of the user', () => {
    const given = { ...FEW, cpus: '3.5', 'memory-limit': '8GiB' };
    const lines = script({ ...RUN, words: [...RUN.words, '--limit', "it's"] }, given).split('\n');
    assert.ok(lines.includes('run=/records/one'));
    assert.ok(
      lines.includes(
        "  coppice score /models/a --calibration /models/prose.txt --limit 'it'\\''s' --threads 3 --memory 1073741824 \\",
      ),
    );
    assert.ok(lines.includes('    --part "$part/8" --record "$record"'));
  });

  it('has parts that go on together meet in the folder of the run', () => {
    const heal = script({ ...RUN, kind: 'heal', words: ['heal', '/models/m'] });
    assert.match(heal, /--part "\$part\/\d+" --folder "\$run"$/m);
    assert.doesNotMatch(heal, /--record/);
  });

  it('leaves threads and memory that the user gives', () => {
    const words = [...RUN.words, '--threads', '2', '--memory=1GB'];
    assert.match(script({ ...RUN, words }, EVERYTHING), /--threads 2 --memory=1GB \\\n/);
  });

  it('reaches the shell as it is written, past what Kubernetes replaces in it', () => {
    const words = ['score', '/models/$(HOME)', '/models/$$', '/models/$HOME', '/models/$'];
    assert.deepEqual(
      /coppice (.*) \\\n/.exec(expanded(script({ ...RUN, words }), { HOME: 'wrong', JOB_COMPLETION_INDEX: '3' }))?.[1],
      "score '/models/$(HOME)' '/models/$$' '/models/$HOME' '/models/$'",
    );
    assert.match(expanded(script(RUN), { JOB_COMPLETION_INDEX: '3' }), /part=\$\(\(JOB_COMPLETION_INDEX \+ 1\)\)/);
  });

  if (process.platform === 'win32') it.skip('takes its part by its index (needs a shell)');
  else {
    it('takes its part by its index, of all or of some', () => {
      const part = (index: number, parts: readonly number[]): string => {
        const text = script({ ...RUN, command: ['echo'] }, FEW, parts).replace('/records', temporaryFolder());
        const env = { PATH: process.env.PATH, JOB_COMPLETION_INDEX: String(index) };
        const { stdout, stderr } = spawnSync('sh', ['-c', text], { env, encoding: 'utf8' });
        assert.equal(stderr, '');
        return stdout.trim();
      };
      assert.match(part(0, ALL), /--part 1\/8 --record \S+\/one\/parts\/part-1\.json$/);
      assert.match(part(7, ALL), /--part 8\/8 /);
      assert.match(part(0, [3, 7]), /--part 3\/8 /);
      assert.match(part(1, [3, 7]), /--part 7\/8 --record \S+\/part-7\.json$/);
      assert.equal(part(0, []), ''); // nothing to gather yet
    });
  }
});

/** What Kubernetes does with a command before it runs: $(NAME) is replaced where NAME is known, and $$ is $. */
const expanded = (text: string, env: Readonly<Record<string, string>>): string =>
  text.replace(/\$\$|\$\(([^)]*)\)/g, (all, name?: string) =>
    name === undefined ? '$' : Object.hasOwn(env, name) ? env[name] : all,
  );

describe('a job in a queue of Kueue', () => {
  it('names it in the label that Kueue reads, of the job alone', () => {
    const labelsOf = (given: Asked): object => (manifest(given) as { metadata: { labels: object } }).metadata.labels;
    const label = 'kueue.x-k8s.io/queue-name';
    assert.deepEqual(labelsOf({ ...FEW, queue: 'team-a' }), { ...labelsOf(FEW), [label]: 'team-a' });
    assert.ok(!JSON.stringify((manifest(EVERYTHING) as { spec: object }).spec).includes(label));
  });
});

describe('what is asked of Kubernetes', () => {
  it('is checked, and named where it is wrong', () => {
    const wrong: readonly (readonly [name: string, ...values: string[]])[] = [
      ['image', '', 'two words', '-x'],
      ['records-claim', '', 'Upper', 'a/b', '-a'],
      ['records-folder', '', '/a', 'a/../b', 'a//b', 'a\nb'],
      ['models-claim', 'a_b'],
      ['models-path', 'models', '/', '/records', '/records/models', '/tmp', '/a/', '/a/../b', '/a:b'],
      ['namespace', 'A'],
      ['queue', 'A', 'a b', 'a'.repeat(64)],
      ['parallelism', '0', '-1', '1.5', 'many', String(MAX_PARTS + 1)],
      ['cpus', '0', 'four', '1e9', '-1'],
      ['memory-limit', '8', '8 apples'],
      ['gpus', '0', 'a100'],
      ['node-selector', 'disk', 'a=b=c', 'a b=c', '=c'],
      ['user', '0:0', '1000', 'me:me'],
    ];
    for (const [name, ...values] of wrong) {
      for (const value of values) {
        const isNamed = (error: unknown): boolean => error instanceof OptionError && error.what.startsWith(name);
        assert.throws(() => asked({ ...FEW, [name]: value }), isNamed, `${name} ${value}`);
      }
    }
    assert.throws(() => asked({}), /Kubernetes needs records-claim/);
    assert.throws(() => asked({ ...FEW, partition: 'a' }), /no option partition/);
  });

  it('names a job after the folder of its run', () => {
    assert.equal(jobName('/records/team/Smol_score 1', 0), 'coppice-smol-score-1');
    assert.equal(jobName('/records/one', 2), 'coppice-one-3');
    const long = [jobName(`/records/${'a'.repeat(80)}`, 999), jobName(`/records/${'a'.repeat(81)}`, 999)];
    assert.notEqual(long[0], long[1]);
    for (const name of [...long, jobName('/records/模型', 0), jobName('/records/...', 0)]) {
      assert.match(name, /^coppice-[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
      assert.ok(`${name}-${MAX_PARTS}`.length <= 63, name); // the name of a pod's host
    }
  });

  it('takes paths as pods see them', () => {
    assert.equal(podPath('/models/a/', {}), '/models/a');
    assert.equal(podPath('/records/one/scores.json', {}), '/records/one/scores.json');
    assert.equal(podPath('/data/a', { 'models-path': '/data' }), '/data/a');
    for (const path of ['a', './models/a', '/modelsx/a', '/models/../etc/a', '/data/a', 'C:\\models\\a'])
      assert.throws(() => podPath(path, {}), UserError, path);
  });
});

describe('what Kubernetes answers', () => {
  it('has indexes, ascending and below their number', () => {
    const read = (text: unknown): number[] | undefined => {
      const found = parseIndexes(text, 8);
      return found && [...found];
    };
    assert.deepEqual(read(''), []);
    assert.deepEqual(read('1,3-5,7'), [1, 3, 4, 5, 7]);
    for (const text of ['8', '3-8', '5-3', '3,3', '3,1', '1-3,3', 'a', '1,', ',1', '-1', '1-', ' 1', '1-2-3', 7, null])
      assert.equal(read(text), undefined, String(text));
  });

  it('says of each part whether it runs, waits or ended, where and why', () => {
    const jobs = readJobs(list(job('coppice-one', 5, { completedIndexes: '0', failedIndexes: '1' })));
    const pods = readPods(
      list(
        pod('coppice-one', 0, 'Succeeded', { host: 'n1' }),
        pod('coppice-one', 1, 'Failed', { host: 'n1', ended: 'OOMKilled' }),
        pod('coppice-one', 2, 'Failed', { host: 'n1', ended: 'Error' }),
        pod('coppice-one', 2, 'Running', { host: 'n2', created: '2026-01-01T00:00:01Z' }),
        pod('coppice-one', 3, 'Pending', { waits: 'ImagePullBackOff', host: 'n2' }),
        pod('other', 4, 'Running', { host: 'n3' }),
      ),
    );
    const submission = { id: 'coppice-one', parts: [1, 2, 4, 5, 8], at: '' };
    const { parts, gather } = queueOf([submission], jobs, pods);
    assert.deepEqual(
      [...parts],
      [
        [1, { state: 'ended', host: 'n1' }],
        [2, { state: 'ended', host: 'n1', reason: 'OOMKilled' }],
        [4, { state: 'running', host: 'n2' }],
        [5, { state: 'waiting', reason: 'ImagePullBackOff' }],
        [8, { state: 'waiting' }],
      ],
    );
    assert.deepEqual(gather, { state: 'waiting' });
  });

  it('of a job that Kueue has suspended, says that its parts wait, and why', () => {
    const suspended = JSON.parse(job('coppice-one', 1)) as { spec: object };
    const jobs = readJobs(JSON.stringify({ ...suspended, spec: { ...suspended.spec, suspend: true } }));
    const { parts } = queueOf([{ id: 'coppice-one', parts: [1], at: '' }], jobs, []);
    assert.deepEqual([...parts], [[1, { state: 'waiting', reason: 'Suspended' }]]);
  });

  it('of a part that was handed over again, counts where it was last', () => {
    const first: Submission = { id: 'a', parts: [1, 2], at: '' };
    const later: readonly Submission[] = [first, { id: 'a-2', parts: [2], at: '' }, { id: 'a-3', parts: [], at: '' }];
    const ended = job('a', 2, { completedIndexes: '0', failedIndexes: '1', ended: 'FailedIndexes' });
    const jobs = readJobs(list(ended, job('a-2', 1), job('a-3', 1)));
    const gathering = readPods(list(pod('a-3', 0, 'Running', { host: 'n1' })));
    const states = (submissions: readonly Submission[]) => {
      const { parts, gather } = queueOf(submissions, jobs, gathering);
      return [parts.get(1)?.state, parts.get(2)?.state, gather?.state];
    };
    assert.deepEqual(states([first]), ['ended', 'ended', 'ended']);
    assert.deepEqual(states(later.slice(0, 2)), ['ended', 'waiting', 'waiting']);
    assert.deepEqual(states(later), ['ended', 'waiting', 'running']);
    assert.deepEqual([...queueOf(later, [], []).parts], []); // all jobs are deleted
  });

  it('is refused where it is not what Kubernetes writes', () => {
    const [named] = readJobs(job('a', 2)); // kubectl prints no list of one
    assert.equal(named.name, 'a');
    assert.deepEqual(readJobs('\n'), []);
    for (const text of ['no', '[]', '{}', list('{}'), job('a', 0), job('a', 2, { completedIndexes: '2' })])
      assert.throws(() => readJobs(text), UserError, text);
    const strange = JSON.stringify({ metadata: { name: 'a' }, spec: {}, status: {} });
    assert.throws(() => readPods(list(strange)), /a is no pod of an indexed job/);
  });
});

const list = (...items: readonly string[]): string => `{"kind":"List","items":[${items.join(',')}]}`;

interface JobEnd {
  readonly completedIndexes?: string;
  readonly failedIndexes?: string;
  readonly ended?: string;
}

function job(name: string, completions: number, { ended, ...indexes }: JobEnd = {}): string {
  const conditions = ended === undefined ? [] : [{ type: 'Failed', status: 'True', reason: ended }];
  return JSON.stringify({
    kind: 'Job',
    metadata: { name },
    spec: { completions },
    status: { ...indexes, conditions },
  });
}

interface PodPlace {
  readonly host?: string;
  readonly created?: string;
  readonly waits?: string;
  readonly ended?: string;
}

function pod(of: string, index: number, phase: string, place: PodPlace): string {
  const { host, created = '2026-01-01T00:00:00Z', waits, ended } = place;
  const state = {
    ...(waits !== undefined && { waiting: { reason: waits } }),
    ...(ended !== undefined && { terminated: { exitCode: 137, reason: ended } }),
  };
  return JSON.stringify({
    kind: 'Pod',
    metadata: {
      name: `${of}-${index}`,
      creationTimestamp: created,
      labels: { 'batch.kubernetes.io/job-name': of },
      annotations: { 'batch.kubernetes.io/job-completion-index': String(index) },
    },
    spec: { nodeName: host },
    status: { phase, containerStatuses: [{ state }] },
  });
}

function hasKubectl(): string | undefined {
  return spawnSync('kubectl', ['version', '--client']).status === 0 ? 'kubectl' : undefined;
}

/** Without what `kubectl set image` changes, and fields that are empty because no server filled them. */
const withoutImage = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (name, each: unknown) =>
      name === 'image' || name === 'status' || each === null ? undefined : each,
    ),
  );
