/**
 * Hands a training over to another program: writes a folder with all that it needs. The folder is complete or not there. The
 * jobs that write models are the usual ones, and the data are chosen by the code of `retrain`.
 */
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { version } from '../../package.json';
import { isGgufCheckpoint } from '../engine/checkpoint/gguf/name';
import { foldersOf } from '../engine/checkpoint/folders';
import { openCheckpoint, requireArchitecture } from '../engine/checkpoint/open';
import type { Checkpoint } from '../engine/checkpoint/types';
import { UserError } from '../engine/errors';
import { hashFile } from '../engine/files/regular-file';
import { claimTarget } from '../engine/files/target';
import { openModel } from '../engine/model/model';
import { option } from '../engine/option-token';
import { inPhases, type JobOptions, type Phase } from '../engine/progress';
import { originalOf } from '../engine/records/original';
import { modelName, recordIn } from '../engine/records/record';
import type { Example } from '../engine/retrain/data/example';
import { dataInputs, type TrainingData } from '../engine/retrain/data/load';
import { runData } from '../engine/retrain/data/run-data';
import { type FirstLoss, firstLoss } from '../engine/retrain/first-loss';
import { trainOptions } from '../engine/retrain/settings';
import { requireSameTokens } from '../engine/retrain/teacher/tokens';
import { optionalTokenizer } from '../engine/tokenizer/optional';
import type { Tokenizer } from '../engine/tokenizer/tokenizer';
import { stringifyJson } from '../format/json';
import { completeOptions } from '../jobs/complete';
import { JOBS } from '../jobs/definitions';
import type { GivenFor, OptionsFor } from '../jobs/kinds';
import { settingsOf, teacherWeightOf } from '../jobs/retrain-settings';
import type { RunPart } from '../jobs/run';
import { withApplication } from '../jobs/application';
import { trainingConfig } from './config';
import {
  CHECKPOINT,
  HELD_OUT_ROWS,
  MANIFEST,
  type Manifest,
  ORIGINAL,
  RESULT,
  type Target,
  TRAIN_ROWS,
} from './manifest';
import { readme, requirements } from './readme';
import { rowLines } from './rows';
import { firstRows, inFirstOrder } from './order';
import { templatesFor } from './templates';
import { writeStudent } from './student';

export interface HandOverRequest {
  readonly to: Target;
  /** Options of `retrain`. */
  readonly given: GivenFor<'retrain'>;
  /** Copy the original into the folder, in place of a reference to it. */
  readonly copyOriginal: boolean;
}

export interface HandOverContext {
  readonly job: JobOptions;
  readonly run: RunPart;
  readonly warn: (text: string) => void;
}

export interface HandedOver {
  readonly out: string;
  readonly manifest: Manifest;
}

/**
 * How far transformers may be from Coppice's first loss in float32. The largest difference that was measured is a sixth of it
 * (docs/design/training.md); a row or a weight that differs moves it more, and files are compared by their hashes too.
 */
const TOLERANCE = 2e-5;

/** @throws UserError when the options, the model or the data cannot be used; CancelledError. No partial output remains */
export async function handOver(
  { to, given, copyOriginal }: HandOverRequest,
  { job, run, warn }: HandOverContext,
): Promise<HandedOver> {
  const source = await openCheckpoint(given.checkpoint);
  const original = await originalFor(given, source);
  const options = withApplication(JOBS.retrain, completeOptions(JOBS.retrain, { ...given, teacher: original.path }));
  const weight = teacherWeightOf(options);
  const settings = settingsOf(options);
  const [writing, copying, gathering, measuring] = inPhases(job, PHASES);
  const target = await claimTarget(options.out, [...foldersOf(source), ...foldersOf(original)], 0);
  const inside = (name: string): string => join(target.temporary, name);
  try {
    await writeStudent(options, inside(CHECKPOINT), { job: writing, run, warn });
    const copied = copyOriginal || isGgufCheckpoint(original);
    if (copied) {
      const whole = { checkpoint: original.path, format: 'safetensors', out: inside(ORIGINAL), verify: false } as const;
      await run('export', whole, { job: copying });
    }
    const student = await openCheckpoint(inside(CHECKPOINT));
    const teacher = copied ? await openCheckpoint(inside(ORIGINAL)) : original;
    const tokenizer = await requireTokenizer(student, to, gathering);
    const compute = { device: 'cpu', threads: options.threads, memory: options.memory } as const;
    const model = await openModel(student, compute);
    const taught = await openModel(teacher, compute).catch(async (error: unknown) => {
      await model.close();
      throw error;
    });
    try {
      await requireSameTokens(teacher, tokenizer, gathering);
      const cache = inside('own-text');
      const gathered = await runData(model, settings, { tokenizer, teacher: taught, removed: [], cache }, gathering);
      await rm(cache, { recursive: true, force: true });
      const train = trainOptions(settings, gathered);
      const data: TrainingData = { ...gathered, train: inFirstOrder(gathered, train) };
      const rows = firstRows(data.train, train.batch);
      const loss = await firstLoss(model, { model: taught, weight }, rows, measuring);
      const place = copied ? ORIGINAL : resolve(teacher.path);
      await writeRows(target.temporary, data, tokenizer);
      const manifest = await manifestOf(target.temporary, {
        ...{ to, source, student, options, data, rows, loss },
        teacher: { place, identity: teacher.identity, weight },
        seed: train.seed,
      });
      const config = trainingConfig(settings, data, requireArchitecture(student), { place, weight });
      const texts = new Map([
        ...(await templatesFor(to)),
        ['config.json', `${JSON.stringify(config, null, 2)}\n`],
        ['requirements.txt', requirements(to)],
        ['README.md', readme(manifest)],
        [MANIFEST, `${stringifyJson(manifest, 2)}\n`],
      ]);
      for (const [name, text] of texts) await writeFile(inside(name), text, { flush: true });
      await target.commit();
      return { out: target.out, manifest };
    } finally {
      await taught.close();
      await model.close();
    }
  } catch (error) {
    await target.discard().catch(() => undefined); // the first failure is reported
    // The user knows only the name that it would have got.
    throw error instanceof UserError
      ? error.withTexts((words) => words.replaceAll(target.temporary, target.out))
      : error;
  }
}

/** The student, the original, the data, and the first loss: a guess. */
const PHASES: readonly Phase[] = [
  { share: 50, unpaced: true },
  { share: 5, unpaced: true },
  { share: 30, unpaced: true },
  { share: 15, unpaced: true },
];

/** The teacher that is named, the model itself where a plan of it is trained, or the original of a written model. */
async function originalFor(
  { teacher, remove, heal, width }: GivenFor<'retrain'>,
  source: Checkpoint,
): Promise<Checkpoint> {
  if (teacher !== undefined) return openCheckpoint(teacher);
  const isPlan = (remove !== undefined && remove.length > 0) || (heal !== undefined && heal !== 'none');
  if (isPlan || width !== undefined) return source;
  const found = await originalOf(source);
  if (found?.checkpoint) return found.checkpoint;
  throw new UserError(
    `No original that could teach ${modelName(source)} is known`,
    found ? `its record names ${found.name}, which is not beside it` : 'no record says what it was made from',
    `Name it with ${option('teacher', 'CHECKPOINT')}, or the blocks to leave out with ${option('remove')}.`,
  );
}

async function requireTokenizer(checkpoint: Checkpoint, to: Target, job: JobOptions): Promise<Tokenizer> {
  const tokenizer = await optionalTokenizer(checkpoint.home, job);
  if (tokenizer) return tokenizer;
  throw new UserError(
    `${modelName(checkpoint)} cannot be handed over to ${to}`,
    'it has no tokenizer that Coppice can use, and the program needs one',
    'Copy tokenizer.json into the folder of the model.',
  );
}

async function writeRows(folder: string, data: TrainingData, tokenizer: Tokenizer): Promise<void> {
  await mkdir(join(folder, 'data'));
  const files = [
    [TRAIN_ROWS, await rowLines(data.train, 'train', tokenizer)],
    [HELD_OUT_ROWS, await rowLines(data.heldOut, 'held-out', tokenizer)],
  ];
  for (const [name, text] of files) await writeFile(join(folder, name), text, { flush: true });
}

interface Written {
  readonly to: Target;
  readonly source: Checkpoint;
  readonly student: Checkpoint;
  readonly options: OptionsFor<'retrain'>;
  readonly data: TrainingData;
  readonly rows: readonly Example[];
  readonly loss: FirstLoss;
  readonly teacher: Manifest['teacher'];
  readonly seed: number;
}

async function manifestOf(
  folder: string,
  { to, source, student, data, rows, loss, teacher, seed }: Written,
): Promise<Manifest> {
  const removed = (await recordIn(join(folder, CHECKPOINT)))?.results.removed;
  return {
    schema: 1,
    coppice: version,
    to,
    plan: {
      model: modelName(source),
      identity: source.identity,
      removed: Array.isArray(removed) ? removed.filter((each): each is number => typeof each === 'number') : [],
    },
    checkpoint: { identity: student.identity },
    teacher,
    data: data.describe,
    inputs: dataInputs(data.describe.files),
    seed,
    firstLoss: { rows: rows.length, ...loss, tolerance: TOLERANCE },
    files: await hashesIn(folder),
    result: RESULT,
  };
}

/** SHA-256 of every file in the folders whose files must not change. */
async function hashesIn(folder: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const part of [CHECKPOINT, ORIGINAL, 'data']) {
    const names = await readdir(join(folder, part)).catch((): string[] => []);
    for (const name of names.sort()) {
      const path = join(folder, part, name);
      if ((await stat(path)).isFile()) hashes[`${part}/${name}`] = await hashFile(path);
    }
  }
  return hashes;
}
