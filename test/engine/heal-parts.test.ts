/** The job "heal" in parts: the record, the model and the patch of one process. A process computes what no other one does. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { CancelledError } from '../../src/engine/errors';
import { shownText } from '../../src/engine/option-token';
import { readRecord } from '../../src/engine/records/record';
import type { GivenFor } from '../../src/jobs/kinds';
import { healFault } from '../../src/jobs/parts/faults';
import { partFilesIn } from '../../src/jobs/parts/files';
import { gatherParts, type GatheredRun } from '../../src/jobs/parts/gather';
import type { PartOutcome } from '../../src/jobs/parts/run-part';
import { runSharedPart } from '../../src/jobs/parts/run-shared';
import { fileFor, runJob } from '../../src/jobs/run-job';
import { cutOptions } from '../support/parts';
import { randomRows } from '../support/random';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';

describe('healing in parts', () => {
  const rows = join(temporaryFolder(), 'rows.json');
  const given: GivenFor<'heal'> = { checkpoint: tinyCheckpoint('llama-bias'), calibration: rows, remove: [1] };
  before(() => writeFileSync(rows, JSON.stringify({ rows: randomRows(380, 12, 288, 61).map((row) => [...row]) })));

  interface Around {
    readonly signal?: AbortSignal;
    readonly said?: (label: string) => void;
    readonly patience?: number;
  }

  const run = (folder: string, number: number, more: object, around: Around = {}): Promise<PartOutcome | undefined> => {
    const { signal, said, patience = 0 } = around;
    const job = { signal, onProgress: ({ label }: { label: string }) => said?.(label) };
    const options = cutOptions('heal', { ...given, ...more });
    return runSharedPart('heal', options, { number, of: 2 }, { folder, patience, job, hooks: {} });
  };

  async function gathered(folder: string): Promise<GatheredRun> {
    return gatherParts(await partFilesIn([join(folder, 'parts')]), folder);
  }

  /** Of what no two runs have alike: times, memory, and the folder of the outputs. */
  const same = (value: unknown, folder: string): string =>
    JSON.stringify(value, (key, field: unknown) =>
      ['seconds', 'peakRssBytes', 'started', 'finished'].includes(key) ? undefined : field,
    ).replaceAll(folder, 'FOLDER');

  it('by one process that does what no other one does gives the record, the model and the patch of a whole run', async () => {
    const [one, many] = [temporaryFolder(), temporaryFolder()];
    const outputs = (folder: string) => ({ out: join(folder, 'healed'), patch: join(folder, 'new.patch.safetensors') });
    const options = cutOptions('heal', { ...given, ...outputs(one) });
    const record = join(one, 'record.json');
    await runJob('heal', options, { job: {}, hooks: {}, emit: () => undefined, place: fileFor(record) });
    // As if part 1 had begun elsewhere and died there.
    mkdirSync(join(many, 'parts'));
    const dead = {
      schema: 1,
      part: { job: 'heal', number: 1, of: 2 },
      state: 'running',
      host: hostname(),
      pid: 2 ** 22 + 1,
    };
    writeFileSync(join(many, 'parts/part-1.json.progress'), JSON.stringify({ ...dead, beat: 1 }));
    const outcome = await run(many, 2, outputs(many));
    assert.equal(outcome?.results.part.number, 2);
    const { record: found } = await gathered(many);
    const whole = await readRecord(record);
    assert.equal(same(found.results, many), same(whole.results, one));
    assert.equal(same(found.settings, many), same(whole.settings, one));
    for (const file of ['healed/model.safetensors', 'new.patch.safetensors'])
      assert.ok(readFileSync(join(many, file)).equals(readFileSync(join(one, file))), file);
    const left = readdirSync(join(many, 'state')).filter((name) => !name.endsWith('.json'));
    assert.deepEqual(left, [], 'weights are not kept twice');
    // What is done is not done again.
    assert.equal(await run(many, 1, outputs(many)), undefined);
  });

  it('takes what an attempt wrote that died before its record for its own, and nothing else', async () => {
    const [folder, other, third] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
    const outputs = { out: join(folder, 'healed'), patch: join(folder, 'new.patch.safetensors') };
    // Two attempts are on their way when one like them writes the model.
    for (const each of [other, third]) {
      const stop = new AbortController();
      const said = (label: string): unknown => label === 'block 3' && stop.abort();
      await assert.rejects(run(each, 1, outputs, { signal: stop.signal, said }), CancelledError);
    }
    await run(folder, 1, outputs);
    const files = [join(outputs.out, 'model.safetensors'), outputs.patch];
    const bytes = files.map((file) => readFileSync(file));
    await run(other, 1, outputs);
    assert.equal(same((await gathered(other)).result, folder), same((await gathered(folder)).result, folder));
    files.forEach((file, i) => assert.ok(readFileSync(file).equals(bytes[i]), file));
    // Another model is refused, and stays.
    const [model] = files;
    const text = bytes[0].toString('latin1');
    const digest = /"coppice.healed":"([0-9a-f]{64})"/.exec(text)![1];
    const changed = text.replace(
      digest,
      digest.replace(/^./, (c) => (c === '0' ? '1' : '0')),
    );
    writeFileSync(model, Buffer.from(changed, 'latin1'));
    await assert.rejects(run(third, 1, outputs), /healed exists already/);
    assert.equal(readFileSync(model, 'latin1'), changed);
  });

  it('ends where what a finished part left is gone', async () => {
    const folder = temporaryFolder();
    await run(folder, 1, {});
    rmSync(join(folder, 'parts/part-1.json')); // its weights have gone since
    await assert.rejects(run(folder, 1, {}), /What part 2\/2 left for the others is gone.*its record is there/s);
  });

  it('goes on where it was killed', async () => {
    const folder = temporaryFolder();
    const stop = new AbortController();
    const said = (label: string): unknown => label === 'block 3' && stop.abort();
    await assert.rejects(run(folder, 1, {}, { signal: stop.signal, said }), CancelledError);
    const sites = readdirSync(join(folder, 'state')).filter((name) => /_proj\.\w+\.safetensors$/.test(name));
    assert.ok(sites.length >= 1 && sites.length < 5, sites.join());
    assert.ok(!existsSync(join(folder, 'parts/part-1.json')));
    await run(folder, 1, {});
    const { result } = await gathered(folder);
    const { result: whole } = await runJob('heal', cutOptions('heal', given), {
      job: {},
      hooks: {},
      emit: () => undefined,
    });
    assert.equal(same({ ...result, writingSeconds: 0 }, folder), same(whole, folder));
  });

  it('ends where another part fails, and says why; a folder has one healing', async () => {
    const folder = temporaryFolder();
    const failed = { schema: 1, part: { job: 'heal', number: 2, of: 2 }, state: 'failed', host: 'n2', pid: 1, beat: 1 };
    const error = { what: 'The disk is full', why: '/scratch has no room', action: '' };
    const said = (label: string): void => {
      if (label.includes('waiting'))
        writeFileSync(join(folder, 'parts/part-2.json.progress'), JSON.stringify({ ...failed, error }));
    };
    await assert.rejects(run(folder, 1, {}, { said, patience: 1e6 }), /Part 2\/2 has failed.*The disk is full/s);
    await assert.rejects(run(folder, 1, { ridge: 2 }), /has the state of another healing.*they differ in: settings/s);
  });

  it('needs a text that is there', () => {
    const words = (more: Partial<GivenFor<'heal'>>): string => {
      const { calibration: _, ...rest } = given;
      const fault = healFault(cutOptions('heal', { ...rest, ...more }));
      return fault ? shownText(`${fault.what}: ${fault.why}. ${fault.action}`) : '';
    };
    assert.match(words({}), /^Text that the original writes cannot be used with parts.*--data FILE/);
    assert.match(words({ data: ['a.txt', 'self'] }), /^Text that the original writes/);
    assert.equal(words({ data: ['a.txt'] }), '');
  });
});
