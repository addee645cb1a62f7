/** What can be wrong with the parts that `coppice gather` is given: each ends with the right numbers or a clear message. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../src/engine/errors';
import { shownText } from '../../src/engine/option-token';
import { digestRecord } from '../../src/jobs/digest/digest';
import { readRecord } from '../../src/engine/records/record';
import { gatherParts } from '../../src/jobs/parts/gather';
import { coppice, jsonOf } from '../support/built-cli';
import { type CliMaterial, type Json, makeCliMaterial, readJson } from '../support/cli';
import { withoutFitWarning } from '../support/fit-warning';
import { temporaryFolder } from '../support/temporary';

/** A record of a part, as far as these tests edit it. */
interface PartRecord extends Json {
  inputs: { role: string; name: string; identity?: string; sha256?: string; place?: string }[];
  settings: Json & { calibration: Json };
  versions: Json;
  started: string;
  finished: string;
  results: Json & {
    part: Json;
    frame: Json & { score: Json };
    data: { variants: Json; rows: Json; values: Record<string, unknown[]> }[];
  };
}

/** Fields of a record that no two runs have alike. */
const withoutTimes = (value: unknown): string =>
  JSON.stringify(value, (key, field: unknown) =>
    ['seconds', 'peakRssBytes', 'started', 'finished', 'precision'].includes(key) ? undefined : field,
  );

describe('gather: faults of the parts', function () {
  this.timeout(120_000);
  let material: CliMaterial;
  let score: string[];
  let folder: string;
  let parts: string[];
  let whole: string;

  before(async () => {
    material = makeCliMaterial();
    score = ['score', material.model, '--calibration', material.rows, '--device', 'cpu'];
    folder = temporaryFolder();
    parts = [1, 2, 3].map((number) => join(folder, `part-${number}.json`));
    for (const [i, part] of parts.entries()) {
      const { code, stderr } = await coppice([...score, '--part', `${i + 1}/3`, '--record', part]);
      assert.equal(code, 0, stderr);
    }
    whole = join(temporaryFolder(), 'whole.json');
  });

  const read = (file: string): PartRecord => JSON.parse(readFileSync(file, 'utf8')) as PartRecord;

  /** A copy of a part with an edit, in a folder of its own. */
  function edited(number: number, edit: (part: PartRecord) => void, name = 'edited.json'): string {
    const part = read(parts[number - 1]);
    edit(part);
    const file = join(temporaryFolder(), name);
    writeFileSync(file, JSON.stringify(part));
    return file;
  }

  /** The message of a gather that must fail, as the terminal shows it. */
  async function refusalOf(files: readonly string[]): Promise<string> {
    const error = await gatherParts(files, folder).then(
      () => assert.fail('it did not fail'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof UserError, String(error));
    const { what, why, action } = error.texts;
    return [what, why, action].map(shownText).join('\n');
  }

  it('none: what one process gives, on stdout and in the record', async () => {
    const one = await coppice([...score, '--json', '--record', whole]);
    const out = join(temporaryFolder(), 'scores.json');
    const gathered = await coppice(['gather', ...parts.toReversed(), '--out', out, '--json']);
    assert.equal(withoutFitWarning(gathered.stderr), '');
    assert.equal(withoutTimes(jsonOf(gathered)), withoutTimes(jsonOf(one)));
    assert.equal(withoutTimes(await readRecord(out)), withoutTimes(await readRecord(whole)));
    const seconds = parts.map((part) => read(part).results.seconds as number);
    assert.equal(
      jsonOf(gathered).seconds,
      seconds.reduce((sum, each) => sum + each, 0),
    );
  });

  it('says what was gathered; a second gather leaves the file as it is, and one of other parts is refused', async () => {
    const out = join(temporaryFolder(), 'scores.json');
    const first = await coppice(['gather', folder, '--out', out]);
    assert.equal(first.code, 0, first.stderr);
    assert.match(
      first.stdout,
      /^run +score\nmodel +\S+\nparts +3\ntime +.* in all parts, .* in the slowest\nrecord +\S+\n$/,
    );
    const text = readFileSync(out, 'utf8');
    const again = await coppice(['gather', ...parts, '--out', out]);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, /is there already, with the same contents/);
    const other = edited(2, ({ results }) => (results.seconds = 12));
    const refused = await coppice(['gather', parts[0], other, parts[2], '--out', out]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /scores\.json exists already\n.*not the record of these parts/);
    assert.equal(readFileSync(out, 'utf8'), text);
  });

  it('two gathers at once end well, with the same file', async () => {
    const out = join(temporaryFolder(), 'scores.json');
    const both = await Promise.all([0, 1].map(() => coppice(['gather', ...parts, '--out', out])));
    assert.deepEqual(
      both.map(({ code }) => code),
      [0, 0],
      both.map(({ stderr }) => stderr).join(''),
    );
    const { record } = await gatherParts(parts, join(out, '..'));
    assert.deepEqual(readJson(out), JSON.parse(JSON.stringify(record)));
    assert.deepEqual(readdirSync(join(out, '..')), ['scores.json']);
  });

  it('the record may lie among the parts; --record is refused, and so is a part as the file', async () => {
    const mixed = temporaryFolder();
    for (const [i, part] of parts.entries()) copyFileSync(part, join(mixed, `part-${i}.json`));
    writeFileSync(join(mixed, 'part-9.json.progress'), '{}');
    const out = join(mixed, 'all.json');
    for (const words of [/^$/, /with the same contents/]) {
      const { code, stderr } = await coppice(['gather', mixed, '--out', out]);
      assert.equal(code, 0, stderr);
      assert.match(withoutFitWarning(stderr), words);
    }
    const record = await coppice(['gather', mixed, '--out', out, '--record', join(mixed, 'b.json')]);
    assert.equal(record.code, 2);
    assert.match(record.stderr, /takes no --record/);
    const onPart = await coppice(['gather', ...parts, '--out', parts[0]]);
    assert.match(onPart.stderr, /the run reads that file/);
    assert.equal(read(parts[0]).kind, 'part');
  });

  it('a part twice counts once if its numbers are the same, whatever the order; other numbers are refused', async () => {
    const slower = edited(2, ({ results }) => (results.seconds = 1e6), 'slower.json');
    const [one, two] = await Promise.all(
      [
        [...parts, slower],
        [slower, ...parts],
      ].map((files) => gatherParts(files, folder)),
    );
    assert.deepEqual(one.record, two.record);
    assert.equal(one.notes.length, 1);
    assert.match(
      one.notes[0],
      /slower\.json is the same part as .*part-2\.json, with the same numbers: it counts once/,
    );
    const other = edited(2, ({ results }) => (Object.values(results.data[0].values)[0][0] = 1), 'other.json');
    const message = await refusalOf([...parts, other]);
    assert.match(message, /other\.json and .*part-2\.json are the same part with different numbers\n.*part 2\/3/);
  });

  it('missing parts are named', async () => {
    assert.match(await refusalOf([parts[1]]), /not complete\nparts 1, 3 of 3 are missing\n.*--part 1\/3 and so on/);
    const { code, stderr } = await coppice(['gather', ...parts.slice(1), '--out', join(folder, 'no', 'x.json')]);
    assert.equal(code, 1, stderr);
    assert.ok(!existsSync(join(folder, 'no')));
  });

  it('a part of another run: the difference is told in words', async () => {
    const hash = '0'.repeat(64);
    const differences: readonly (readonly [RegExp, (part: PartRecord) => void])[] = [
      [/the job: eval instead of score/, ({ results }) => (results.part.job = 'eval')],
      [/the number of parts: 4 instead of 3\n.*have the same n/, ({ results }) => (results.part.of = 4)],
      [/version of Coppice: 9\.9\.9 instead of .*\n.*same version/, ({ versions }) => (versions.coppice = '9.9.9')],
      [/version of onnxruntime: 1\.0\.0/, ({ versions }) => (versions.onnxruntime = '1.0.0')],
      [/the contents of model \(.*\)\n/, ({ inputs }) => (inputs[0].identity = hash)],
      [/model: other instead of /, ({ inputs }) => (inputs[0].name = 'other')],
      [/the contents of calibration \(rows\.json\)\n/, ({ inputs }) => (inputs[1].sha256 = hash)],
      [
        /what they read: model, calibration, patch instead of/,
        ({ inputs }) => inputs.push({ role: 'patch', name: 'p' }),
      ],
      [/--criterion: kl instead of ppl/, ({ settings }) => (settings.criterion = 'kl')],
      [/--samples: 3 instead of 4/, ({ settings }) => (settings.calibration.samples = 3)],
      [/--seed: 2 instead of 1234/, ({ settings }) => (settings.calibration.seed = 2)],
      [/--remove: \[2\] instead of \[\]/, ({ settings }) => (settings.removed = [2])],
      [/the setting whatever: 7 instead of nothing/, ({ settings }) => (settings.whatever = 7)],
      [/--precision: int8 instead of float32/, (part) => (part.precision = 'int8')],
      [/--device: cuda instead of cpu/, (part) => (part.device = { provider: 'cuda' })],
      [
        /what their numbers mean \(frame\.score\.rows\): 5 instead of 4/,
        ({ results }) => (results.frame.score.rows = 5),
      ],
    ];
    for (const [words, edit] of differences) {
      const message = await refusalOf([parts[0], edited(2, edit), parts[2]]);
      assert.match(message, /edited\.json is not a part of the same run as .*part-1\.json\nthey differ in /);
      assert.match(message, words);
    }
  });

  it('what differs between machines is no difference; other processors are noted', async () => {
    const elsewhere = edited(2, ({ settings, results, inputs }) => {
      [settings.threads, settings.memory, settings.device] = [64, 2 ** 40, 'cpu'];
      results.path = '/somewhere/else';
      inputs[0].place = '../elsewhere';
      results.processor = 'Another Processor';
    });
    const { notes, record } = await gatherParts([parts[0], elsewhere, parts[2]], folder);
    assert.match(notes.join('\n'), /^the parts are of 2 kinds of processors, whose last bits may differ: .*; Another/);
    const { record: expected } = await gatherParts(parts, folder);
    assert.equal(withoutTimes(record), withoutTimes(expected));
  });

  it('files that are no parts', async () => {
    const own = temporaryFolder();
    const file = (name: string, text = ''): string => {
      writeFileSync(join(own, name), text);
      return join(own, name);
    };
    const text = readFileSync(parts[1], 'utf8');
    const large = file('large.json');
    truncateSync(large, 401 * 2 ** 20);
    const pipe = join(own, 'pipe.json');
    execFileSync('mkfifo', [pipe]);
    const faults: readonly (readonly [string, RegExp])[] = [
      [file('cut.json', text.slice(0, text.length / 2)), /cut\.json is not a part\nit is not JSON/],
      [file('empty.json'), /not JSON/],
      [file('list.json', '[]'), /not a JSON object/],
      [file('other.json', '{"a": 1}'), /schema is undefined/],
      [file('whole.json', readFileSync(whole, 'utf8')), /it is the record of a whole run \(score\)/],
      [large, /large\.json is not a part\nit has 401\.0 MiB, more than the 400 MiB allowed/],
      [pipe, /not a regular file/],
      ['/dev/zero', /not a regular file/],
      [join(own, 'nothing.json'), /there is no such file/],
    ];
    for (const [given, words] of faults) assert.match(await refusalOf([parts[0], given, parts[2]]), words);
    const result = await coppice(['gather', parts[0], faults[0][0], parts[2], '--out', join(own, 'out.json')]);
    assert.deepEqual([result.code, existsSync(join(own, 'out.json'))], [1, false]);
    const empty = join(own, 'empty');
    mkdirSync(empty);
    assert.match((await coppice(['gather', empty, '--out', join(own, 'x')])).stderr, /empty has no part/);
  });

  it('numbers that are missing, twice, or only claimed: nothing is allocated for them', async () => {
    const faults: readonly (readonly [RegExp, (part: PartRecord) => void])[] = [
      [/no numbers in place 0/, ({ results }) => Object.values(results.data[0].values)[0].pop()],
      [/no numbers in place 0/, ({ results }) => (Object.values(results.data[0].values)[0][0] = 'many')],
      [/no numbers in place 0/, ({ results }) => (results.data[0].rows.to = 1e9)],
      [/no numbers in place 0/, ({ results }) => (results.data[0].variants = { from: 0, to: 1e15 })],
      [/is there twice/, ({ results }) => results.data.push(results.data[0])],
      [/missing/, ({ results }) => results.data.splice(0)],
      [
        /missing/,
        ({ results }) => (results.data[0] = { ...results.data[0], rows: { from: 0, to: 0 }, values: { nll: [] } }),
      ],
      [/data 2 is not a list/, ({ results }) => (results.data = 7 as never)],
    ];
    for (const [words, edit] of faults) {
      const message = await refusalOf([parts[0], edited(2, edit), parts[2]]);
      assert.match(message, /cannot be joined\ntheir numbers do not fit together/);
      assert.match(message, words);
    }
    for (const rows of [1e9, 1e15, -1, 1.5, 'four', null, undefined]) {
      const all = [1, 2, 3].map((number) => edited(number, ({ results }) => (results.frame.score.rows = rows)));
      assert.match(await refusalOf(all), /cannot be joined/, String(rows));
    }
  });

  it('clocks that jump: the numbers are right, and readers take the record', async () => {
    const jumped = [
      edited(1, (part) => ([part.started, part.finished] = ['2099-01-01T00:00:00.000Z', '1970-01-01T00:00:00.000Z'])),
      edited(2, (part) => ([part.started, part.finished] = ['2026-05-02T00:00:00+12:00', '2026-05-01T00:00:00.000Z'])),
      parts[2],
    ];
    const out = join(temporaryFolder(), 'scores.json');
    assert.equal((await coppice(['gather', ...jumped, '--out', out])).code, 0);
    const record = await readRecord(out);
    assert.deepEqual([record.started, record.finished], ['1970-01-01T00:00:00.000Z', '2099-01-01T00:00:00.000Z']);
    assert.equal(digestRecord(record).score?.blocks.length, 4);
    const { record: expected } = await gatherParts(parts, join(out, '..'));
    assert.equal(withoutTimes(record), withoutTimes(JSON.parse(JSON.stringify(expected))));
  });

  it('whatever a field holds: a record or a message, never another error', async () => {
    const odd: readonly unknown[] = [null, -1, 1e300, 'x', [], {}, [[[]]], { length: 1e9 }];
    const fields = fieldsOf(read(parts[1]), (key) => key !== 'data' && key !== 'steps');
    assert.ok(fields.length > 60);
    const file = join(temporaryFolder(), 'odd.json');
    for (const [i, path] of fields.entries()) {
      for (const value of [odd[i % odd.length], odd[(i + 3) % odd.length]]) {
        // In all parts, for otherwise they would only not be of one run.
        const files = parts.map((part, at) => {
          const changed = read(part);
          put(changed, path, value);
          writeFileSync(`${file}.${at}`, JSON.stringify(changed));
          return `${file}.${at}`;
        });
        await gatherParts(files, folder).catch((error: unknown) => {
          const stack = error instanceof Error ? error.stack : String(error);
          assert.ok(error instanceof UserError, `${path.join('.')} = ${JSON.stringify(value)}: ${stack}`);
        });
      }
    }
  });
});

type Path = readonly (string | number)[];

/** Paths of all fields of a JSON value, but those inside of some. */
function fieldsOf(value: unknown, enters: (key: string) => boolean, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, field]): Path[] => {
    const here = [...path, Array.isArray(value) ? Number(key) : key];
    return [here, ...(enters(key) ? fieldsOf(field, enters, here) : [])];
  });
}

function put(value: unknown, path: Path, field: unknown): void {
  const last = path[path.length - 1];
  let at = value as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  at[last] = field;
}
