/** The job "tasks" in parts: gathered, they are the record of one process, to the last bit. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../../src/engine/errors';
import type { RunRecord } from '../../src/engine/records/record';
import { completeOptions } from '../../src/jobs/complete';
import { JOBS } from '../../src/jobs/definitions';
import type { GivenFor } from '../../src/jobs/kinds';
import { gatherParts } from '../../src/jobs/parts/gather';
import { runPart } from '../../src/jobs/parts/run-part';
import { fileFor, runJob } from '../../src/jobs/run-job';
import type { TasksComparison } from '../../src/jobs/results/tasks';
import { uniform } from '../support/random';
import { itShared, shared } from '../support/shared';
import { temporaryFolder } from '../support/temporary';

type Given = GivenFor<'tasks'>;

const sample = resolve(import.meta.dirname, '../../media/sample');
const stories = join(sample, 'stories.coppice-tasks.json');
const around = { job: {}, hooks: {} };
const complete = (given: Given) => completeOptions(JOBS.tasks, { ...given, device: 'cpu', threads: 1 });

/** Questions of both kinds, with answers of two lengths. */
function ownTask(): string {
  const next = uniform(3);
  const words = (most: number): string =>
    Array.from(
      { length: 1 + Math.floor(next() * most) },
      () => ['cat', 'ball', 'sun', 'red'][Math.floor(next() * 4)],
    ).join(' ');
  const written = Array.from({ length: 36 }, (_, i) => ({
    ...{ prompt: `Once upon a time there was a ${words(12)}`, expected: ['a', 'the'], match: 'contains' },
    maxTokens: i % 3 === 0 ? 7 : 4,
  }));
  const choices = Array.from({ length: 12 }, () => ({
    context: `The bird saw a ${words(30)} and`,
    ...{ choices: ['flew', 'was very, very happy', 'sat'], answer: 0 },
  }));
  const file = join(temporaryFolder(), 'own.json');
  writeFileSync(file, JSON.stringify({ name: 'own', items: [...written, ...choices] }));
  return file;
}

async function whole(given: Given): Promise<RunRecord> {
  const file = join(temporaryFolder(), 'whole.json');
  await runJob('tasks', complete(given), { ...around, emit: () => undefined, place: fileFor(file) });
  return JSON.parse(readFileSync(file, 'utf8')) as RunRecord;
}

/** Runs the parts, the last one first. @returns their files */
async function partFiles(given: Given, of: number): Promise<string[]> {
  const folder = temporaryFolder();
  const files: string[] = [];
  for (let number = of; number >= 1; number--) {
    const file = join(folder, `part-${number}.json`);
    const place = { place: fileFor(file), progressFile: `${file}.progress` };
    await runPart('tasks', complete(given), { number, of }, { ...around, ...place });
    files.push(file);
  }
  return files;
}

/** The record as it is read again, without what time, places and memory make. */
function timeless(record: RunRecord): unknown {
  const { started: _, finished: __, options: ___, inputs, settings, ...others } = record;
  const plain = {
    ...others,
    settings: { ...settings, memory: null },
    inputs: inputs.map(({ place: ____, ...input }) => input),
  };
  return JSON.parse(JSON.stringify(plain, (key, value: unknown) => (key === 'seconds' ? undefined : value)));
}

async function gathered(given: Given, of: number): Promise<unknown> {
  return timeless((await gatherParts(await partFiles(given, of), temporaryFolder())).record);
}

describe('tasks in parts', function () {
  this.timeout(180_000);

  it('of one model: all of its answers, and the same accuracies', async () => {
    const given: Given = { checkpoints: [sample], own: [stories] };
    const record = timeless(await whole(given));
    assert.deepEqual(await gathered(given, 3), record);
  });

  it('of several models: differences, and texts of the questions on which they differ', async () => {
    const given: Given = {
      checkpoints: [sample, sample],
      remove: [1],
      own: [stories, ownTask()],
      from: 2,
      limit: 20,
      bos: 'window',
    };
    const record = await whole(given);
    const { differences, questions } = record.results as unknown as TasksComparison;
    assert.ok(differences[0].tasks.every(({ differing }) => differing.length > 0) && questions.length > 2);
    assert.deepEqual(await gathered(given, 4), timeless(record));
  });

  it('of probes, which are written and chosen, beside questions of a file', async () => {
    const given: Given = {
      checkpoints: [sample, sample],
      remove: [1],
      own: [stories],
      probes: ['end', 'sums'],
      limit: 5,
    };
    const record = await whole(given);
    const { models, questions } = record.results as unknown as TasksComparison;
    assert.deepEqual(Object.keys(models[1].probes!), ['sums', 'end']);
    assert.ok(questions.some(({ task }) => task === 'probe:sums' || task === 'probe:end'));
    assert.deepEqual(await gathered(given, 3), timeless(record));
  });

  it('go on from answers that were kept, in files of their own', async () => {
    const given: Given = { checkpoints: [sample], own: [stories, ownTask()], limit: 20 };
    const record = timeless(await whole(given));
    const answers = join(temporaryFolder(), 'answers.jsonl');
    await whole({ ...given, answers });
    const [header, ...lines] = readFileSync(answers, 'utf8').trimEnd().split('\n');
    assert.equal(lines.length, 40);
    writeFileSync(answers, `${[header, ...lines.filter((_, i) => i % 3 > 0)].join('\n')}\n`);
    assert.deepEqual(await gathered({ ...given, answers }, 2), record);
    for (const number of [1, 2]) assert.ok(existsSync(`${answers}.part-${number}-of-2`));
    assert.equal(readFileSync(answers, 'utf8').split('\n').length, 28);
    assert.deepEqual(timeless(await whole({ ...given, answers })), record);
  });

  itShared('of data sets: questions of many lengths, with less memory too', async () => {
    const given: Given = {
      checkpoints: [sample],
      data: shared('data/zeroshot'),
      tasks: ['piqa', 'winogrande'],
      limit: 12,
    };
    assert.deepEqual(await gathered({ ...given, memory: 1_000_000 }, 5), timeless(await whole(given)));
  });

  it('are at most as many as there are bundles of questions', async () => {
    const given: Given = { checkpoints: [sample, sample], own: [stories] };
    const refused = async (of: number): Promise<string> => {
      const error: unknown = await partFiles(given, of).catch((thrown: unknown) => thrown);
      return error instanceof UserError ? error.texts.action : 'nothing';
    };
    const [, most] = /^Take at most (\d+) parts\.$/.exec(await refused(1000)) ?? [];
    assert.ok(Number(most) >= 4, most);
    assert.equal(await refused(Number(most) + 1), `Take at most ${most} parts.`);
  });

  it('that were changed are refused', async () => {
    const files = await partFiles({ checkpoints: [sample], own: [stories], limit: 8 }, 2);
    const original = readFileSync(files[0], 'utf8');
    interface Changed {
      results: { frame: object; data: { answers: { results: { item: number; gold: unknown }[] }[]; texts: unknown } };
    }
    for (const [change, why] of [
      [({ results }: Changed) => results.data.answers[0].results.pop(), /8 items of stories are wanted/],
      [({ results }: Changed) => (results.data.answers[0].results[0].item = 90), /8 items of stories are wanted/],
      [({ results }: Changed) => results.data.answers.push(results.data.answers[0]), /is there twice/],
      [({ results }: Changed) => (results.data.answers[0].results[0].gold = 'x'), /has no answers/],
      [({ results }: Changed) => (results.data.texts = {}), /has no answers/],
    ] as const) {
      const record = JSON.parse(original) as Changed;
      change(record);
      writeFileSync(files[0], JSON.stringify(record));
      await assert.rejects(gatherParts(files, temporaryFolder()), why);
    }
    for (const file of files) {
      const record = JSON.parse(readFileSync(file, 'utf8')) as Changed;
      writeFileSync(file, JSON.stringify({ ...record, results: { ...record.results, frame: { models: [] } } }));
    }
    await assert.rejects(gatherParts(files, temporaryFolder()), /the frame names no models and tasks/);
  });
});
