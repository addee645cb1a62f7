/**
 * Every job through the command line and through the sidecar: what one prints with `--json` is what the other returns,
 * it is what the job declares, and both keep the same record. A new job takes part as soon as `every-job.ts` says what to run it with.
 */
import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { optionsFromWords } from '../../src/cli/job-command';
import { argvOf } from '../../src/jobs/argv';
import { completeOptions } from '../../src/jobs/complete';
import { JOBS } from '../../src/jobs/definitions';
import type { AnyJob } from '../../src/jobs/define';
import { formatOf } from '../../src/jobs/definitions/export';
import type { Kind } from '../../src/jobs/kinds';
import { isOfMachine } from '../../src/jobs/option';
import { changePaths } from '../../src/jobs/option-paths';
import { resultSchemaOf } from '../../src/jobs/schema';
import { writeAdapter } from '../../src/engine/adapter/files';
import { openCheckpoint, requireArchitecture } from '../../src/engine/checkpoint/open';
import { readPatchFile } from '../../src/engine/weights/patch-file';
import type { RunRecord } from '../../src/engine/records/record';
import type { JobSpec } from '../../src/protocol/jobs';
import { stepOptions } from '../../src/recipes/options';
import { parseRecipe } from '../../src/recipes/read';
import { recipeOf } from '../../src/recipes/save/save';
import { expertToy } from '../support/expert-toy';
import { randomAdapter } from '../support/adapters';
import { readJson } from '../support/cli';
import { writePatch } from '../support/patches';
import { full } from '../support/shared';
import { taskFiles } from '../support/task-files';
import { temporaryFolder } from '../support/temporary';
import { buildCli, coppice, jsonOf } from '../support/built-cli';
import { GIVEN, type Toy } from './every-job';
import { material } from './material';
import { describedClient } from './started';

/** What is measured of a run, and so differs from one to the next. */
const MEASURED =
  /seconds|rss|persecond|firsttoken|range|measured|predicted|latency|throughput|peakbytes|speedup|rates|limitbytes|load|slowdown/i;

/** Without measurements, and without the run's own folder in paths. */
function comparable(value: unknown, own: string): unknown {
  if (typeof value === 'string') return value.replaceAll(own, '');
  if (Array.isArray(value)) return value.map((item) => comparable(item, own));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => !MEASURED.test(name));
  return Object.fromEntries(entries.map(([name, inner]) => [name, comparable(inner, own)]));
}

/** Every part of `small` that `large` has otherwise or has not. A record may count what a result lists. */
function missingFrom(large: unknown, small: unknown, at = ''): string[] {
  if (Array.isArray(small) && typeof large === 'number') return large === small.length ? [] : [at];
  if (typeof small !== 'object' || small === null) return Object.is(large ?? null, small) ? [] : [at]; // JSON says null where a record says nothing
  if (typeof large !== 'object' || large === null) return [at];
  const own = new Map<string, unknown>(Object.entries(large));
  return Object.entries(small).flatMap(([name, inner]) => missingFrom(own.get(name), inner, `${at}.${name}`));
}

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
const schemas = new Map((Object.keys(JOBS) as Kind[]).map((kind) => [kind, ajv.compile(resultSchemaOf(JOBS[kind]))]));

/** Every field of the JSON is one that the job declares, and no declared one is missing. */
function assertDeclared(kind: Kind, json: unknown): void {
  const check = schemas.get(kind)!;
  assert.ok(check(json), `${kind}: ${ajv.errorsText(check.errors)}`);
}

/** What a record says, without when, where and how fast. */
function recordFacts(record: RunRecord, place: string, own: string): unknown {
  const { kind, inputs, settings, seed, device, results, notes } = record;
  const { provider } = (device ?? { provider: null }) as { readonly provider: string | null };
  const named = inputs.map(({ place: _, ...input }) => input);
  const options = keptOptions(record, place);
  return comparable({ kind, inputs: named, settings, options, seed, provider, results, notes }, own);
}

/** The options in a record, with absolute paths: with them the same run can be made again. */
const keptOptions = ({ kind, options = {} }: RunRecord, place: string): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name,
      changePaths((JOBS[kind as Kind] as AnyJob).options[name].kind, value, (path) => resolve(dirname(place), path)),
    ]),
  );

/** The options that a record must have for these: all that change a number. */
const askedFor = (job: AnyJob, given: object): object =>
  Object.fromEntries(
    Object.entries(completeOptions(job, given)).filter(
      ([name, value]) =>
        value !== undefined && !isOfMachine(job.options[name]) && job.options[name].kind.kind !== 'data',
    ),
  );

/** Options of the step of a recipe that was saved from the run. */
async function savedOptions(record: RunRecord, place: string, path: string): Promise<object> {
  const kind = record.kind as Kind;
  const checkpoint = await openCheckpoint(path);
  const { layers } = requireArchitecture(checkpoint);
  const size = { total: 2, block: 1 }; // no share is asked for
  const { identity } = checkpoint;
  const file = join(dirname(place), 'x.coppice.json');
  const model = { path, name: 'toy', identity, blocks: layers.length, size, quantized: false };
  const run = { id: basename(place), file: place, record };
  const { text } = recipeOf({ file, model, runs: [run], chosen: [run.id] });
  const { recipe, problems } = parseRecipe(text, file);
  assert.deepEqual(problems, [], text);
  const [step] = recipe!.steps;
  const options = stepOptions(step, { home: dirname(file), model: path, folder: 'steps' }, (reference) => {
    assert.equal(reference.kind, 'variable');
    return reference.kind === 'variable' ? (recipe!.variables[reference.name] ?? path) : '';
  });
  return repeated(kind, options);
}

/** What a run that is made again must have: not its places, and not how it came to its end. */
function repeated(kind: Kind, given: object): object {
  const job: AnyJob = JOBS[kind];
  const asked = Object.entries(askedFor(job, given));
  // The end of a name says a format; the step's output has another name.
  const format = kind === 'export' ? { format: formatOf(given as Parameters<typeof formatOf>[0]) } : {};
  return { ...Object.fromEntries(asked.filter(([name]) => !job.options[name].writes && name !== 'resume')), ...format };
}

/** What a run gave, without measurements and places. */
interface Ran {
  readonly result: unknown;
  readonly record: unknown;
}

const isOnTheLine = (kind: Kind): boolean => !('sidecarOnly' in JOBS[kind]);

describe('every job by the command line and by the sidecar', function () {
  this.timeout(300_000);
  const client = describedClient();
  const { model, text } = material(6, 12);
  const folder = temporaryFolder();
  const toy = {
    model,
    experts: expertToy(),
    text,
    lines: join(folder, 'prompts.txt'),
    costs: join(folder, 'costs.json'),
    adapter: join(folder, 'adapter'),
    patch: join(folder, 'healed.safetensors'),
    healedAdapter: join(folder, 'healed-adapter'),
    ...taskFiles(join(folder, 'tasks')),
  };
  before(async () => {
    buildCli();
    writeFileSync(toy.costs, '{"rows": [1, 16], "v": [1, 1], "c": 0.001}');
    writeFileSync(toy.lines, 'The river\nIn the evening she\n\nA stone\n');
    const checkpoint = await openCheckpoint(model);
    const lora = randomAdapter(requireArchitecture(checkpoint), { removed: [2] });
    await writeAdapter(toy.adapter, lora, checkpoint);
    await writePatch(toy.patch, model, [2]);
    const healed = (await readPatchFile(toy.patch, checkpoint)).note.digest;
    await writeAdapter(toy.healedAdapter, { ...lora, healed }, checkpoint);
  });

  const given = (make: (toy: Toy) => object, folder: string): object => ({
    ...make({ ...toy, out: join(folder, 'out') }),
    device: 'cpu',
  });

  /** By the sidecar. The record holds all of the result. */
  async function byMessage(kind: Kind, make: (toy: Toy) => object): Promise<Ran> {
    const folder = temporaryFolder();
    const spec = { ...given(make, folder), kind, records: [join(folder, 'records')] } as unknown as JobSpec;
    const { result, record } = await client().run(spec);
    assertDeclared(kind, result);
    const kept = readJson(record!) as unknown as RunRecord;
    assert.deepEqual(missingFrom(comparable(kept.results, folder), comparable(result, folder)), []);
    assert.deepEqual(keptOptions(kept, record!), askedFor(JOBS[kind], given(make, folder)));
    if (isOnTheLine(kind))
      assert.deepEqual(
        await savedOptions(kept, record!, kind === 'experts' ? toy.experts : model),
        repeated(kind, given(make, folder)),
      );
    return { result: comparable(result, folder), record: recordFacts(kept, record!, folder) };
  }

  async function byLine(kind: Kind, make: (toy: Toy) => object): Promise<Ran> {
    const folder = temporaryFolder();
    const file = join(folder, 'record.json');
    const words = [...argvOf(JOBS[kind], given(make, folder)), '--device', 'cpu'];
    const json = jsonOf(await coppice([...words, '--json', '--record', file]));
    assertDeclared(kind, json);
    const written = readJson(file) as unknown as RunRecord;
    return { result: comparable(json, folder), record: recordFacts(written, file, folder) };
  }

  for (const kind of Object.keys(JOBS) as Kind[]) {
    for (const [at, make] of GIVEN[kind].entries()) {
      // Each kind goes both ways in its first case and its last; the JSON and the record of the others are looked at once.
      if (!full && isOnTheLine(kind) && at > 0 && at < GIVEN[kind].length - 1) {
        it(`${kind}, ${at + 1}: JSON, result and record are what the job declares`, () => byMessage(kind, make));
        continue;
      }
      const again = isOnTheLine(kind) ? byLine : byMessage; // a job of the sidecar alone is the same each time
      it(`${kind}, ${at + 1}: JSON, result and records are the same`, async () => {
        assert.deepEqual(await again(kind, make), await byMessage(kind, make));
      });
    }
  }

  it('the command line that is copied gives the options that were given', () => {
    for (const kind of (Object.keys(JOBS) as Kind[]).filter(isOnTheLine)) {
      for (const make of GIVEN[kind]) {
        const given = make({ ...toy, out: '/no/such/folder' });
        const read = optionsFromWords(JOBS[kind], argvOf(JOBS[kind], given));
        assert.deepEqual(completeOptions(JOBS[kind], read), completeOptions(JOBS[kind], given));
      }
    }
  });
});
