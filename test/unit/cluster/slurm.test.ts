/** What Coppice writes for Slurm, and what it reads from it. A real Slurm: test/cli/slurm.test.ts. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import type { ClusterRun } from '../../../src/cluster/folder';
import { arrayOf, parseRows, queueOf } from '../../../src/cluster/slurm';
import { checkAsked, submitEnvironment } from '../../../src/cluster/slurm-options';
import { partScriptText } from '../../../src/cluster/slurm-script';

const submission = { at: '2026-01-01T00:00:00.000Z' };
const run: ClusterRun = {
  schema: 1,
  coppice: '0.1.0',
  kind: 'score',
  words: ['score', "/models/it's", '--calibration', '/a b.txt'],
  parts: 8,
  scheduler: 'slurm',
  asked: { partition: 'gpu', sbatch: '--exclude=n3\n--constraint="a&b"' },
  command: ['/opt/my coppice'],
  submissions: [
    { id: '10', gather: '11', parts: [1, 2, 3], ...submission },
    { id: '12', gather: '13', parts: [2, 3], ...submission },
  ],
};
const estimate = { seconds: 600, memoryBytes: 2 ** 30, readBytes: 1, statesBytes: 3e6 };

describe('cluster: slurm', () => {
  it('reads what squeue says, and nothing else', () => {
    assert.deepEqual(parseRows('10|1|RUNNING|None|n1\n10|2|PENDING|Resources|\n11|N/A|TIMEOUT|TimeLimit|n2\n'), [
      { id: '10', task: 1, state: 'running', host: 'n1' },
      { id: '10', task: 2, state: 'waiting', reason: 'Resources' },
      { id: '11', state: 'ended', reason: 'TIMEOUT', host: 'n2' },
    ]);
    for (const line of ['10|[1-3]|PENDING|None|', '10_1|1|RUNNING|None|n1', 'squeue: hello', '10|1|running|None|n1']) {
      assert.throws(() => parseRows(line), /squeue gives an answer/, line);
    }
  });

  it('of a part that was submitted twice, what lives counts, else the last', () => {
    const rows = parseRows(
      '10|1|FAILED|x|n1\n10|2|TIMEOUT|x|n1\n10|3|RUNNING|None|n1\n11|N/A|CANCELLED|x|\n12|2|OUT_OF_MEMORY|x|n2\n12|3|FAILED|x|n2\n13|N/A|PENDING|Dependency|\n',
    );
    const { parts, gather } = queueOf(run, rows);
    assert.deepEqual(parts.get(1), { state: 'ended', host: 'n1' });
    assert.equal(parts.get(2)?.reason, 'OUT_OF_MEMORY');
    assert.equal(parts.get(3)?.state, 'running');
    assert.deepEqual(gather, { state: 'waiting', reason: 'Dependency' });
  });

  it('names parts of an array', () => {
    assert.equal(arrayOf([10, 1, 2, 3, 9, 5]), '1-3,5,9-10');
  });

  it('writes a script whose words a shell reads as they are', () => {
    const text = partScriptText(`/runs/a 'b' "c" 5% @`, run, true);
    assert.match(text, /^#SBATCH --output="\/runs\/a 'b' \\"c\\" 5%% @\/logs\/part-%a\.log"$/m);
    for (const line of ['--array=1-8', '--partition=gpu', '--exclude=n3', '--constraint="a&b"', '--requeue']) {
      assert.ok(text.split('\n').includes(`#SBATCH ${line}`), line);
    }
    assert.doesNotMatch(text, /--mem|--time/);
    // In place of the program, one that prints its arguments.
    const printing = text.replace(
      "exec '/opt/my coppice'",
      `exec ${process.execPath} -e 'console.log(JSON.stringify(process.argv.slice(1)))' --`,
    );
    const env = { PATH: process.env.PATH, SLURM_ARRAY_TASK_ID: '3', SLURM_CPUS_PER_TASK: '4' };
    assert.deepEqual(JSON.parse(execFileSync('bash', { input: printing, env, encoding: 'utf8' })), [
      ...run.words,
      ...['--threads', '4', '--part', '3/8', '--record', `/runs/a 'b' "c" 5% @/parts/part-3.json`],
    ]);
    assert.throws(() => partScriptText('/runs/a\nb', run, true), /cannot be the folder/);
  });

  it('asks for what is estimated, where the user says nothing', () => {
    const estimated = partScriptText('/r', { ...run, estimate }, true);
    assert.match(estimated, /^#SBATCH --mem=1280M\n#SBATCH --time=60$/m);
    assert.match(estimated, /^ {2}--memory 3000000 \\$/m);
    assert.doesNotMatch(partScriptText('/r', { ...run, estimate }, false), /^#SBATCH --mem/m);
    const asked = partScriptText('/r', { ...run, estimate, asked: { mem: '16G', sbatch: '-t 5' } }, true);
    assert.match(asked, /^#SBATCH --mem=16G$/m);
    assert.doesNotMatch(asked, /1280M|--time/);
  });

  it('refuses options that would break the script or the run', () => {
    const faults: Record<string, string>[] = [
      { partition: 'a\nrm' },
      { partition: '' },
      { mem: '1 G' },
      { nice: '1' },
      { sbatch: 'rm -r' },
      { sbatch: '--exclude=n3\n--array=1-2' },
      { sbatch: '-o x' },
      ...['--out=/x', '--err=/x', '--clu=other', '--exclude=n3 --dep=1'].map((sbatch) => ({ sbatch })),
    ];
    for (const asked of faults) assert.throws(() => checkAsked(asked), /cannot be used/, JSON.stringify(asked));
    checkAsked({ partition: 'gpu,cpu', time: '1-12:00:00', sbatch: '--exclude=n[3-5] --array-job-is-another=1' });
  });

  it("a variable of the user's profile does not win over what is asked", () => {
    process.env.SBATCH_PARTITION = 'other';
    process.env.SBATCH_QOS = 'low';
    try {
      const env = submitEnvironment({ partition: 'gpu' });
      assert.deepEqual([env.SBATCH_PARTITION, env.SBATCH_QOS], [undefined, 'low']);
    } finally {
      delete process.env.SBATCH_PARTITION;
      delete process.env.SBATCH_QOS;
    }
  });
});
