/** Evaluate Tasks… gets questions: a template that can be run, and downloads that begin with a yes, from a server on this machine. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { type ConsentQuestion, consentQuestion, fetchTasks } from '../../../src/commands/fetch-tasks';
import { CancelledError } from '../../../src/engine/errors';
import type { DownloadPlan } from '../../../src/engine/evaluate/tasks/download-plan';
import { planDownload } from '../../../src/engine/evaluate/tasks/download-plan';
import { readOwnTask } from '../../../src/engine/evaluate/tasks/own';
import { dataFolder } from '../../../src/host/ask/task-places';
import { setChoices } from '../../../src/host/ask/task-sets';
import { questionTemplate } from '../../../src/host/question-template';
import { temporaryFolder } from '../../support/temporary';

const CONTENT = Buffer.from('{"goal": "x"}\n');

function planOf(folder: string): DownloadPlan {
  const file = {
    task: 'piqa' as const,
    url: 'https://data.example/piqa/valid.jsonl',
    bytes: CONTENT.length,
    sha256: createHash('sha256').update(CONTENT).digest('hex'),
    file: 'piqa_valid.jsonl',
    path: join(folder, 'piqa_valid.jsonl'),
    state: 'missing' as const,
  };
  return { folder, files: [file], byHand: [], found: [], bytes: file.bytes };
}

describe('questions for Evaluate Tasks…', () => {
  let server: Server;
  let asked: string[];
  before((done) => {
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end(CONTENT);
    });
    server.listen(0, '127.0.0.1', done);
  });
  beforeEach(() => {
    asked = [];
  });
  after((done) => {
    server.close(done);
  });
  const open = (url: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${new URL(url).pathname}`);

  it('are not fetched before a yes to host, size and digest', async () => {
    const plan = planOf(temporaryFolder());
    let question: ConsentQuestion | undefined;
    const consent = (yes: boolean) => (each: ConsentQuestion) => {
      question = each;
      assert.deepEqual(asked, []);
      return Promise.resolve(yes);
    };
    await assert.rejects(fetchTasks(plan, { consent: consent(false), open }), CancelledError);
    assert.deepEqual([asked, existsSync(plan.files[0].path)], [[], false]);
    assert.equal(question!.question, 'Download 1 file (14 B) from data.example?');
    for (const part of ['piqa_valid.jsonl · 14 B · data.example', 'license AFL 3.0', plan.files[0].sha256.slice(0, 16)])
      assert.ok(question!.detail.includes(part), question!.detail);
    assert.deepEqual(await fetchTasks(plan, { consent: consent(true), open }), [plan.files[0].path]);
    assert.deepEqual([asked, readFileSync(plan.files[0].path)], [['/piqa/valid.jsonl'], CONTENT]);
  });

  it('that are there need no question', async () => {
    const { files, ...plan } = planOf(temporaryFolder());
    const there = { ...plan, files: files.map((file) => ({ ...file, state: 'there' as const })) };
    assert.deepEqual(await fetchTasks(there, { consent: () => assert.fail('it asks'), open }), []);
    assert.deepEqual(asked, []);
  });

  it('that are got by hand say how, and are found where they lie, also as their archive lays them out', async () => {
    const [own, workspace] = [temporaryFolder(), temporaryFolder()];
    const nameOf = (folder: string): string => basename(folder);
    const choiceOf = async (task: string) => {
      const others = existsSync(join(workspace, 'data')) ? [join(workspace, 'data')] : [];
      return (await setChoices({ own, others, nameOf })).find(({ value }) => value === task)!;
    };
    const missing = await choiceOf('arc_easy');
    assert.equal(missing.group, 'By hand');
    assert.match(missing.refused!, /^Put its file into the workspace.*ARC-Easy-Test\.jsonl out of it/s);
    const inside = join(workspace, 'data/ARC-V1-Feb2018-2/ARC-Easy');
    mkdirSync(inside, { recursive: true });
    writeFileSync(join(inside, 'ARC-Easy-Test.jsonl'), '{}\n');
    assert.equal(dataFolder(join(inside, 'ARC-Easy-Test.jsonl')), join(workspace, 'data'));
    const { group, refused } = await choiceOf('arc_easy');
    assert.deepEqual([group, refused], ['There already', 'In data: go back, and select that folder.']);
    writeFileSync(join(own, 'arc_easy_test.jsonl'), '{}\n');
    const fetched = await choiceOf('arc_easy');
    assert.deepEqual([fetched.refused, fetched.description], [undefined, 'there already']);
    assert.equal((await choiceOf('piqa')).refused, undefined);
  });

  it('name each known set with its size before anything is fetched', async () => {
    const plan = await planDownload(temporaryFolder(), ['boolq', 'piqa', 'openbookqa']);
    const { question, detail } = consentQuestion(plan, 'here');
    assert.match(question, /^Download 4 files \(4\.2 MB\) from raw\.githubusercontent\.com, ai2-public-datasets\.s3/);
    assert.equal(detail.match(/SHA-256/g)?.length, 4);
  });

  it('have a template that is read as it is', async () => {
    const file = join(temporaryFolder(), 'questions.coppice-tasks.json');
    writeFileSync(file, questionTemplate());
    const { choiceItems, writtenItems } = await readOwnTask(file);
    assert.deepEqual([choiceItems.length, writtenItems.length], [1, 1]);
  });
});
