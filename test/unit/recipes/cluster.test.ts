/** A recipe on a cluster: its jobs, what each waits for, its scripts, and what is handed over again. A real Slurm: test/cli/slurm.test.ts. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { MachineSpeeds } from '../../../src/estimates/machine';
import type { JsonObject } from '../../../src/format/json';
import { cutKindOf, type JobStep, jobsOf } from '../../../src/recipes/cluster/jobs';
import { lookAtRecipe } from '../../../src/recipes/cluster/status';
import { resubmitRecipe, submitRecipe, writeRecipeScripts } from '../../../src/recipes/cluster/submit';
import { readRecipe } from '../../../src/recipes/read';
import type { RecipeStep } from '../../../src/recipes/recipe';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

const step = (name: string, job: RecipeStep['job'], options: JsonObject = {}): RecipeStep => ({
  name,
  job,
  options,
  limits: {},
  after: [],
});

describe('recipes: jobs of a cluster', () => {
  const cut = (kind: 'score' | 'eval' | 'heal'): JobStep['cut'] => ({ kind, parts: 4 });

  it('a step waits for those that it needs and for those with limits; steps between cuts share a job', () => {
    const jobs = jobsOf([
      { step: step('scores', 'score'), limited: false, cut: cut('score') },
      { step: step('plan', 'prune', { scores: '${steps.scores}' }), limited: false },
      { step: step('text', 'generate'), limited: false },
      { step: step('healed', 'heal', { remove: '${steps.plan.removed}' }), limited: false, cut: cut('heal') },
      { step: step('original', 'eval'), limited: false, cut: cut('eval') },
      { step: step('quality', 'eval', { checkpoint: '${steps.healed}' }), limited: true, cut: cut('eval') },
      { step: step('shipped', 'export', { checkpoint: '${steps.healed}' }), limited: false },
      { step: step('ends', 'eval', { checkpoint: '${steps.done}' }), limited: false },
    ]);
    assert.deepEqual(
      jobs.map(({ name, steps, after, cut: parts }) => [name, steps, after, parts?.parts]),
      [
        ['scores', ['scores'], [], 4],
        ['plan', ['plan', 'text'], ['scores'], undefined],
        ['healed', ['healed'], ['plan'], 4],
        ['original', ['original'], [], 4],
        ['quality', ['quality'], ['healed'], 4],
        ['shipped', ['shipped', 'ends'], ['healed', 'quality'], undefined],
      ],
    );
  });

  it('a step whose options need the whole is not cut', () => {
    assert.equal(cutKindOf(step('a', 'score'), { checkpoint: '/m', criterion: 'ppl' }), 'score');
    assert.equal(cutKindOf(step('a', 'score'), { checkpoint: '/m', criterion: 'greedy' }), undefined);
    assert.equal(cutKindOf(step('a', 'heal'), { checkpoint: '/m', data: ['self'] }), undefined);
    assert.equal(cutKindOf(step('a', 'eval'), { checkpoint: '/m', repetition: 4 }), undefined);
    assert.equal(cutKindOf(step('a', 'prune'), {}), undefined);
  });
});

/** The programs are shell scripts. */
const onPosix = process.platform === 'win32' ? describe.skip : describe;

onPosix('recipes: on a Slurm that notes what it is given', () => {
  let home: string;
  let { PATH } = process.env;

  beforeEach(() => {
    home = temporaryFolder();
    const bin = join(home, 'bin');
    mkdirSync(bin);
    const program = (name: string, text: string): void => {
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(bin, name), 0o755);
    };
    program('sbatch', `echo "$@" >> '${home}/calls'; echo x >> '${home}/ids'; wc -l < '${home}/ids'`);
    program('squeue', `cat '${home}/rows' 2>/dev/null; exit 0`);
    program('scontrol', 'exit 0');
    program('scancel', `echo "$@" >> '${home}/cancelled'`);
    ({ PATH } = process.env);
    process.env.PATH = `${bin}${delimiter}${PATH}`;
    const steps = {
      scores: { job: 'score', options: { criterion: 'magnitude' } },
      pruned: { job: 'prune', options: { scores: '${steps.scores}', count: 1, keepEnds: false } },
      other: { job: 'score', options: { criterion: 'magnitude' } },
    };
    const recipe = { coppice: 1, model: tinyCheckpoint('llama-plain'), steps };
    writeFileSync(join(home, 'a.coppice.json'), JSON.stringify(recipe));
  });
  afterEach(() => (process.env.PATH = PATH));

  const asks = async (more: object = {}) => ({
    request: { recipe: await readRecipe(join(home, 'a.coppice.json')), folder: join(home, 'run'), ...more },
    parts: 2,
    asked: { partition: 'p' },
    command: ['coppice'],
    speeds: await MachineSpeeds.open(),
  });
  const calls = (): string[] =>
    readFileSync(join(home, 'calls'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.replaceAll(`${home}/run/cluster/`, '').replace('--parsable ', ''));
  const cluster = (name: string): string => readFileSync(join(home, 'run/cluster', name), 'utf8');
  const rows = (text: string): void => writeFileSync(join(home, 'rows'), text);
  const states = async () =>
    (await lookAtRecipe(join(home, 'run'))).status.steps.map(({ state, error }) => [state, error]);
  const nobody = (): Promise<boolean> => Promise.resolve(false);

  it('only writes what it is asked to write', async () => {
    const { run, files } = await writeRecipeScripts(await asks({ quick: true }));
    assert.ok(!existsSync(join(home, 'calls')));
    assert.equal(files.length, 6);
    assert.deepEqual(run.submissions, []);
    const part = cluster('scores/part.sbatch');
    assert.match(part, /^#SBATCH --array=1-2$/m);
    assert.match(part, /^#SBATCH --mem=\d+M$/m);
    assert.match(
      part,
      /^exec coppice run .*a\.coppice\.json \\\n {2}--quick \\\n {2}--folder .*run \\\n {2}--step scores \\\n {2}--alone \\\n/m,
    );
    assert.match(part, /--part "\$SLURM_ARRAY_TASK_ID\/2"$/m);
    assert.match(cluster('scores/gather.sbatch'), /--gather 2$/m);
    assert.deepEqual(await states(), Array(3).fill(['waiting', 'not submitted']));
  });

  it('hands jobs over with what each waits for, and those that write the state one after another', async () => {
    await submitRecipe(await asks());
    const kill = '--kill-on-invalid-dep=yes';
    assert.deepEqual(calls(), [
      '--array=1-2 scores/part.sbatch',
      `--dependency=afterok:1 ${kill} scores/gather.sbatch`,
      `--dependency=afterok:2 ${kill} pruned/steps.sbatch`,
      '--array=1-2 other/part.sbatch',
      `--dependency=afterok:4,afterany:3 ${kill} other/gather.sbatch`,
      `--dependency=afterok:2,afterok:3,afterok:5 ${kill} report.job/steps.sbatch`,
    ]);
    rows(
      '1|1|RUNNING|None|n1\n1|2|PENDING|Resources|\n2|N/A|PENDING|Dependency|\n3|N/A|PENDING|Dependency|\n4|1|PENDING|Priority|\n4|2|PENDING|Priority|\n5|N/A|PENDING|Dependency|\n6|N/A|PENDING|Dependency|\n',
    );
    assert.deepEqual(await states(), [
      ['running', undefined],
      ['waiting', 'after scores'],
      ['waiting', 'Priority'],
    ]);
    await assert.rejects(asks().then(submitRecipe), /is on the cluster already/);
  });

  it('what follows a failed step failed because of it, and both are handed over again without the rest', async () => {
    await submitRecipe(await asks());
    const other = '4|1|PENDING|Priority|\n4|2|PENDING|Priority|\n5|N/A|PENDING|Dependency|\n';
    rows(
      `1|1|TIMEOUT|x|n1\n1|2|RUNNING|None|n2\n2|N/A|PENDING|DependencyNeverSatisfied|\n3|N/A|PENDING|Dependency|\n${other}`,
    );
    assert.deepEqual((await states())[0], ['running', undefined]);
    rows(`1|1|TIMEOUT|x|n1\n1|2|FAILED|x|n2\n2|N/A|CANCELLED|x|\n3|N/A|PENDING|Dependency|\n${other}`);
    assert.deepEqual(await states(), [
      ['failed', 'part 1: TIMEOUT'],
      ['failed', 'because scores failed'],
      ['waiting', 'Priority'],
    ]);
    writeFileSync(join(home, 'calls'), '');
    const again = await resubmitRecipe(join(home, 'run'), nobody);
    assert.deepEqual(again.steps, ['scores', 'pruned']);
    assert.deepEqual(calls(), [
      '--array=1-2 scores/part.sbatch',
      '--dependency=afterok:7,afterany:5 --kill-on-invalid-dep=yes scores/gather.sbatch',
      '--dependency=afterok:8 --kill-on-invalid-dep=yes pruned/steps.sbatch',
      '--dependency=afterok:8,afterok:9,afterok:5 --kill-on-invalid-dep=yes report.job/steps.sbatch',
    ]);
    assert.equal(readFileSync(join(home, 'cancelled'), 'utf8'), '-- 3\n');
  });

  it('parts that wait for a failed step are handed over again, although Slurm still has them', async () => {
    const recipe = JSON.parse(readFileSync(join(home, 'a.coppice.json'), 'utf8')) as { steps: object };
    const judged = { job: 'score', options: { checkpoint: '${steps.pruned}', criterion: 'magnitude' } };
    const { other: _, ...steps } = recipe.steps as Record<string, object>;
    writeFileSync(join(home, 'a.coppice.json'), JSON.stringify({ ...recipe, steps: { ...steps, judged } }));
    await submitRecipe(await asks());
    rows(
      '1|1|FAILED|x|n1\n1|2|FAILED|x|n2\n2|N/A|CANCELLED|x|\n3|N/A|CANCELLED|x|\n4|1|PENDING|Dependency|\n4|2|PENDING|Dependency|\n5|N/A|PENDING|Dependency|\n6|N/A|PENDING|Dependency|\n',
    );
    writeFileSync(join(home, 'calls'), '');
    await resubmitRecipe(join(home, 'run'), nobody);
    const kill = '--kill-on-invalid-dep=yes';
    assert.deepEqual(calls().slice(2, 5), [
      `--dependency=afterok:8 ${kill} pruned/steps.sbatch`,
      `--array=1-2 --dependency=afterok:9 ${kill} judged/part.sbatch`,
      `--dependency=afterok:9,afterok:10 ${kill} judged/gather.sbatch`,
    ]);
    assert.equal(readFileSync(join(home, 'cancelled'), 'utf8'), '-- 4 5 6\n');
  });

  it('starts nothing unasked that somebody else wrote into the folder or the recipe', async () => {
    await submitRecipe(await asks());
    writeFileSync(join(home, 'run/cluster/pruned/steps.sbatch'), 'rm -rf ~\n');
    writeFileSync(join(home, 'calls'), '');
    let shown = '';
    const asked = resubmitRecipe(join(home, 'run'), (started) => {
      shown = started.scripts.map(({ text }) => text).join('');
      return Promise.resolve(false);
    });
    await assert.rejects(asked, /were not submitted again/);
    assert.match(shown, /rm -rf ~/);
    assert.match(shown, /"criterion":"magnitude"/);
    assert.equal(readFileSync(join(home, 'calls'), 'utf8'), '');
  });
});
