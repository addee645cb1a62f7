/** `coppice tasks --probes` at the command line: no data, one model or several, alone or beside tasks, and in a recipe. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PROBE_NAMES } from '../../src/format/probes';
import { modelCard } from '../../src/engine/records/model-card';
import { digestRecord } from '../../src/jobs/digest/digest';
import type { RunRecord } from '../../src/engine/records/record';
import type { ModelTasks, TasksComparison } from '../../src/jobs/results/tasks';
import { buildCli, coppice, jsonOf } from '../support/built-cli';
import { readJson, run } from '../support/cli';
import { temporaryFolder } from '../support/temporary';

const sample = resolve(import.meta.dirname, '../../media/sample');

describe('command line: probes', function () {
  this.timeout(240_000);
  before(() => buildCli());

  const tasks = async <T>(...args: string[]): Promise<T> =>
    (await run('tasks', ...args, '--device', 'cpu')) as unknown as T;

  it('ask one model without any data; alone the flag means all of them', async () => {
    const { probes, tasks: none, average } = await tasks<ModelTasks>(sample, '--probes', '--limit', '2');
    assert.deepEqual(Object.keys(probes!), PROBE_NAMES);
    assert.deepEqual([none, average], [[], null]);
    for (const { items, score, chance, sha256, results } of Object.values(probes!)) {
      assert.deepEqual([items, results.length], [2, 2]);
      assert.ok(score >= 0 && score <= 1 && chance < 1);
      assert.match(sha256, /^[0-9a-f]{64}$/);
    }
    const [text] = probes!.repeat!.results;
    assert.ok('text' in text && text.text.length > 100 && text.fresh !== undefined);
  });

  it('compare models in pairs, keep the average to tasks, and are in the record and the card', async () => {
    const record = join(temporaryFolder(), 'record.json');
    const own = join(sample, 'stories.coppice-tasks.json');
    const given = [sample, sample, '--remove', '1,2', '--probes', 'end,copy', '--own', own, '--limit', '8'];
    const found = await tasks<TasksComparison>(...given, '--record', record);
    const [first, other] = found.models;
    assert.deepEqual([Object.keys(first.probes!), first.tasks.length], [['copy', 'end'], 1]);
    assert.equal(first.average, first.tasks[0].acc);
    const [{ probes, probeLoss }] = found.differences;
    for (const name of ['copy', 'end'] as const) {
      const [was, is, each] = [first.probes![name]!, other.probes![name]!, probes![name]!];
      assert.equal(was.sha256, is.sha256);
      assert.ok(Math.abs(is.score - was.score - each.difference) < 1e-12);
      assert.equal(each.loss, was.able ? Math.max(0, was.score - is.score) : null);
    }
    // The sample model ends its lines, and has never seen a list to copy.
    assert.equal(first.probes!.copy!.able, false);
    assert.equal(probes!.copy!.loss, null);
    assert.equal(probeLoss, probes!.end!.loss);
    const { settings } = readJson(record) as { settings: Record<string, unknown> };
    assert.deepEqual([settings.probes, settings.seed], [['copy', 'end'], 0]);
    const card = modelCard([digestRecord(readJson(record) as unknown as RunRecord)]);
    assert.match(card, /Probe: copying .*the original cannot do this either/);
    assert.match(card, /Probe: ending/);
    const { stdout } = await coppice(['tasks', ...given, '--device', 'cpu']);
    assert.match(stdout, /^copy +8 .* the original cannot do this either$/m);
  });

  it('change with the seed', async () => {
    const texts = async (...seed: string[]): Promise<string> => {
      const { probes } = await tasks<ModelTasks>(sample, '--probes', 'sums', '--limit', '2', ...seed);
      return probes!.sums!.sha256;
    };
    const usual = await texts();
    assert.equal(await texts('--seed', '0'), usual);
    assert.notEqual(await texts('--seed', '1'), usual);
  });

  it('refuse a name that is none, and a seed without them', async () => {
    const typo = await coppice(['tasks', sample, '--probes', 'copy,recal']);
    assert.notEqual(typo.code, 0);
    assert.match(typo.stderr, /names of probes separated by commas: copy, recall, brackets/);
    const seed = await coppice(['tasks', sample, '--seed', '1']);
    assert.notEqual(seed.code, 0);
    assert.match(seed.stderr, /--probes/);
  });

  it('keep a recipe to its limits, of one probe and of all', async () => {
    const folder = temporaryFolder();
    const recipe = async (limits: object, probes: readonly string[]) => {
      const file = join(folder, 'probes.coppice.json');
      const options = { checkpoints: [sample, sample], remove: [1, 2, 3], probes, limit: 16, device: 'cpu' };
      writeFileSync(
        file,
        JSON.stringify({ coppice: 1, model: sample, steps: { judge: { job: 'tasks', options, limits } } }),
      );
      return coppice(['run', file, '--json']);
    };
    const kept = await recipe({ maxProbeLoss: 1, 'maxProbeLoss.end': 1 }, ['end']);
    assert.equal(kept.code, 0, kept.stderr);
    const { limits } = jsonOf(kept) as unknown as { limits: { limit: string; measured: number; kept: boolean }[] };
    assert.deepEqual(
      limits.map(({ limit, kept: is }) => [limit, is]),
      [
        ['maxProbeLoss', true],
        ['maxProbeLoss.end', true],
      ],
    );
    assert.equal(limits[0].measured, limits[1].measured);
    const unable = await recipe({ 'maxProbeLoss.copy': 0.1 }, ['copy']);
    assert.notEqual(unable.code, 0);
    assert.match(unable.stderr + unable.stdout, /the original cannot do it either/);
    const typo = await recipe({ 'maxProbeLoss.cpoy': 0.1 }, ['copy']);
    assert.match(typo.stderr + typo.stdout, /There is no limit “maxProbeLoss\.cpoy”/);
  });
});
