/**
 * Every job through the command line and through the sidecar: what one prints with `--json` is what the other returns,
 * it is what the job declares, and both keep the same record. A new job takes part as soon as `GIVEN` says what to run it with.
 */
import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020';
import { writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { optionsFromWords } from '../../src/cli/job-command';
import { argvOf } from '../../src/jobs/argv';
import { completeOptions } from '../../src/jobs/complete';
import { JOBS } from '../../src/jobs/definitions';
import type { AnyJob } from '../../src/jobs/define';
import { formatOf } from '../../src/jobs/definitions/export';
import type { GivenFor, Kind } from '../../src/jobs/kinds';
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
import { randomAdapter } from '../support/adapters';
import { readJson } from '../support/cli';
import { writePatch } from '../support/patches';
import { full } from '../support/shared';
import { taskFiles } from '../support/task-files';
import { temporaryFolder } from '../support/temporary';
import { buildCli, coppice, jsonOf } from '../support/built-cli';
import { material } from './material';
import { describedClient } from './started';

/** What a job runs on. `out` is a folder that does not exist. */
interface Toy {
  readonly model: string;
  readonly text: string;
  /** A file of prompts. */
  readonly lines: string;
  /** Folder of an adapter of the model. */
  readonly adapter: string;
  /** File of healed weights of the model, and an adapter on top of them. */
  readonly patch: string;
  readonly healedAdapter: string;
  /** Folder of task data, and a file of own questions. */
  readonly data: string;
  readonly own: string;
  readonly out: string;
}

/** A way to run each job, or several. */
const GIVEN: { readonly [K in Kind]: readonly ((toy: Toy) => GivenFor<K>)[] } = {
  score: [
    ({ model, text }) => ({ checkpoint: model, calibration: text, samples: 3, length: 16, remove: [1, '2.ffn'] }),
    ({ model }) => ({ checkpoint: model, criterion: 'magnitude', norm: 'l2' }),
    ({ model, patch }) => ({ checkpoint: model, criterion: 'magnitude', heal: patch }),
    ({ model, text, patch }) => ({
      checkpoint: model,
      criterion: 'taylor',
      calibration: text,
      samples: 2,
      length: 12,
      heal: patch,
    }),
    ({ model, text }) => ({
      checkpoint: model,
      calibration: text,
      samples: 2,
      length: 12,
      seed: 3,
      criterion: 'greedy',
      count: 2,
      keep: [0, 5],
    }),
    ({ model, text }) => ({
      checkpoint: model,
      calibration: text,
      samples: 2,
      length: 12,
      criterion: 'search',
      count: 2,
      generations: 2,
    }),
  ],
  retrain: [
    ({ model, text, out }) => ({
      checkpoint: model,
      out,
      remove: [2],
      data: [text],
      rank: 2,
      targets: ['q', 'up_proj'],
      length: 24,
      batch: 2,
      steps: 3,
      heldOut: 4,
      lr: 0.01,
    }),
    ({ model, text, out }) => ({
      checkpoint: model,
      out,
      remove: [2],
      data: [text],
      teacher: model,
      merge: true,
      dtype: 'f16',
      length: 24,
      batch: 2,
      steps: 2,
    }),
    ({ model, patch, out }) => ({
      checkpoint: model,
      heal: patch,
      out,
      data: ['self'],
      selfTokens: 200,
      rank: 2,
      length: 24,
      batch: 2,
      steps: 2,
    }),
    ({ model, text, patch, out }) => ({
      checkpoint: model,
      heal: patch,
      out,
      data: [text],
      teacher: model,
      merge: true,
      length: 24,
      batch: 2,
      steps: 2,
    }),
  ],
  heal: [
    ({ model, text, out }) => ({
      checkpoint: model,
      out,
      remove: [2],
      calibration: text,
      tokens: 160,
      length: 16,
      heldOut: 0.2,
    }),
    ({ model, text, adapter, out }) => ({
      checkpoint: model,
      adapter,
      patch: `${out}.safetensors`,
      remove: ['4.ffn'],
      data: [text],
      tokens: 160,
      length: 16,
      method: 'fold',
      ridge: 0.5,
      heldOut: 0,
    }),
  ],
  curve: [
    ({ model, text }) => ({
      checkpoint: model,
      calibration: text,
      samples: 2,
      length: 12,
      keepEnds: false,
      keep: [0],
      measure: 'kl',
      maxKl: 1,
    }),
    ({ model, text }) => ({
      checkpoint: model,
      criterion: 'deepest',
      keepEnds: false,
      most: 2,
      text,
      window: 16,
      limit: 2,
    }),
    ({ model, text, patch, data }) => ({
      checkpoint: model,
      heal: patch,
      criterion: 'deepest',
      keepEnds: false,
      most: 1,
      measure: 'tasks',
      data,
      tasks: ['piqa'],
      limit: 1,
      calibration: text,
      samples: 2,
      length: 12,
    }),
  ],
  generate: [
    ({ model }) => ({ checkpoint: model, prompt: 'The river', maxNewTokens: 7, remove: [1] }),
    ({ model }) => ({
      checkpoint: model,
      ids: [3, 40, 5],
      maxNewTokens: 5,
      temperature: 0.8,
      topK: 20,
      ignoreEos: true,
    }),
    ({ model, lines }) => ({ checkpoint: model, prompts: lines, maxNewTokens: 4, batch: 2, seed: 4 }),
    ({ model }) => ({
      checkpoint: model,
      prompt: 'The river',
      chat: true,
      system: 'Be short.',
      maxNewTokens: 5,
      seed: 4,
    }),
    ({ model, patch, healedAdapter }) => ({
      checkpoint: model,
      prompt: 'The river',
      maxNewTokens: 5,
      heal: patch,
      adapter: healedAdapter,
    }),
  ],
  prune: [
    ({ model, out }) => ({ checkpoint: model, blocks: [1, 4], out }),
    ({ model, text, out }) => ({
      checkpoint: model,
      criterion: 'block-influence',
      calibration: text,
      samples: 2,
      length: 16,
      count: 2,
      keepEnds: false,
      keep: [3],
      out,
    }),
    ({ model, out }) => ({ checkpoint: model, criterion: 'magnitude', ratio: 0.2, keepEnds: false, out }),
    ({ model, text, out }) => ({
      checkpoint: model,
      criterion: 'ppl',
      calibration: text,
      samples: 2,
      length: 16,
      count: 2,
      keepEnds: false,
      rounds: 2,
      tokens: 256,
      heldOut: 0,
      out,
    }),
  ],
  width: [
    ({ model, text, out }) => ({
      checkpoint: model,
      method: 'flap',
      ratio: 0.25,
      calibration: text,
      samples: 3,
      length: 16,
      save: `${out}.width.safetensors`,
    }),
    ({ model, text, out }) => ({
      checkpoint: model,
      method: 'llm-pruner',
      asLargeAs: [1, '2.ffn'],
      range: [1, 2, 3],
      salience: 'mix',
      multiple: 8,
      calibration: text,
      samples: 2,
      length: 12,
      out,
    }),
  ],
  tasks: [
    ({ model, data }) => ({ checkpoints: [model], data, tasks: ['piqa', 'arc_easy'], from: 1, limit: 2, remove: [1] }),
    ({ model, data, own, patch }) => ({ checkpoints: [model, model], data, own: [own], heal: patch }),
    ({ model, data, adapter }) => ({
      columns: [
        { label: 'whole', checkpoint: model },
        { label: 'retrained', checkpoint: model, adapter },
      ],
      data,
      limit: 1,
    }),
  ],
  iterate: [
    ({ model, text, out }) => ({
      checkpoint: model,
      calibration: text,
      samples: 2,
      length: 12,
      count: 1,
      keepEnds: false,
      steps: 2,
      batch: 2,
      trainLength: 16,
      heldOut: 0,
      rank: 2,
      oneShot: true,
      out,
    }),
    ({ model, text, out }) => ({
      checkpoint: model,
      criterion: 'magnitude',
      calibration: text,
      samples: 2,
      length: 12,
      maxKl: 1000,
      count: 1,
      keepEnds: false,
      keep: [1],
      method: 'fold',
      tokens: 120,
      heldOut: 0,
      dtype: 'bf16',
      out,
    }),
  ],
  merge: [
    ({ model, adapter, out }) => ({ checkpoint: model, adapter, out }),
    ({ model, adapter, out }) => ({ checkpoint: model, adapter, out, dtype: 'bf16' }),
    ({ model, patch, healedAdapter, out }) => ({ checkpoint: model, heal: patch, adapter: healedAdapter, out }),
  ],
  export: [
    ({ model, text, out }) => ({
      checkpoint: model,
      remove: [1],
      format: 'safetensors',
      out,
      text,
      window: 16,
      limit: 2,
    }),
    ({ model, adapter, out }) => ({ checkpoint: model, adapter, format: 'safetensors', type: ['f16'], out }),
    ({ model, patch, out }) => ({ checkpoint: model, heal: patch, out: `${out}.gguf`, modelfile: true }),
    ({ model, out }) => ({ checkpoint: model, format: 'onnx', type: ['q8'], target: 'webgpu', out }),
  ],
  verify: [({ model }) => ({ output: model, against: model })],
  bench: [
    ({ model }) => ({ checkpoint: model, promptTokens: 4, newTokens: 3, repeats: 1, remove: [1] }),
    ({ model, adapter }) => ({ checkpoint: model, adapter, promptTokens: 4, newTokens: 3, repeats: 2, seed: 3 }),
    ({ model, patch }) => ({ checkpoint: model, heal: patch, promptTokens: 4, newTokens: 3, repeats: 1 }),
    ({ model }) => ({ checkpoint: model, promptTokens: 4, newTokens: 2, repeats: 1, byWidth: true }),
  ],
  grid: [
    ({ model, adapter }) => ({
      checkpoints: [model, model],
      adapter,
      remove: [1],
      batch: [1, 2],
      newTokens: [2],
      runs: 2,
      warmup: 0,
      limitMemory: 1e15,
    }),
  ],
  versus: [
    ({ model, text }) => ({
      checkpoint: model,
      calibration: text,
      samples: 2,
      length: 12,
      methods: ['flap'],
      plan: [1],
      newTokens: 2,
      runs: 1,
      warmup: 0,
    }),
    ({ model, text, own }) => ({
      checkpoint: model,
      calibration: text,
      samples: 2,
      length: 12,
      methods: ['ppl', 'wanda-sp'],
      counts: [2, 5],
      keep: [0, 1],
      keepEnds: false,
      multiple: 8,
      text,
      window: 16,
      limit: 2,
      own: [own],
      items: 1,
      speed: false,
    }),
  ],
  speeds: [
    ({ model, adapter, patch }) => ({
      columns: [
        { label: 'whole', checkpoint: model },
        { label: 'shorter', checkpoint: model, remove: [1, '2.ffn'] },
        { label: 'healed', checkpoint: model, heal: patch },
        { label: 'retrained', checkpoint: model, adapter },
        { label: 'gone', checkpoint: join(model, 'gone') },
      ],
      promptTokens: 4,
      newTokens: 3,
      repeats: 1,
    }),
  ],
  samples: [
    ({ model, adapter, patch, healedAdapter }) => ({
      prompts: ['The river', 'In the evening'],
      columns: [
        { label: 'whole', checkpoint: model },
        { label: 'healed', checkpoint: model, heal: patch, adapter: healedAdapter },
        { label: 'retrained', checkpoint: model, adapter },
        { label: 'gone', checkpoint: join(model, 'gone') },
      ],
      maxNewTokens: 5,
      temperature: 0.8,
      seed: 3,
    }),
  ],
  eval: [
    ({ model, text }) => ({ checkpoint: model, text, window: 24, limit: 3, remove: [1, '4.attention'] }),
    ({ model, text }) => ({ checkpoint: model, text, bos: 'window', window: 32, limit: 2 }),
    ({ model, text }) => ({ checkpoint: model, calibration: text, samples: 3, length: 16, seed: 5 }),
    ({ model, text, patch }) => ({ checkpoint: model, text, window: 24, limit: 2, heal: patch, remove: ['4.ffn'] }),
  ],
};

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
  const model = { path, name: 'toy', identity, blocks: layers.length, size, quantised: false };
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
  const { model, text } = material();
  const folder = temporaryFolder();
  const toy = {
    model,
    text,
    lines: join(folder, 'prompts.txt'),
    adapter: join(folder, 'adapter'),
    patch: join(folder, 'healed.safetensors'),
    healedAdapter: join(folder, 'healed-adapter'),
    ...taskFiles(join(folder, 'tasks')),
  };
  before(async () => {
    buildCli();
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
      assert.deepEqual(await savedOptions(kept, record!, model), repeated(kind, given(make, folder)));
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
