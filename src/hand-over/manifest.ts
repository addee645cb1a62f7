/**
 * The manifest of a hand-over, `hand-over.json`: what was handed to another program, so that its result can be taken back and
 * judged. Nothing about a hand-over is kept anywhere else.
 */
import { join } from 'node:path';
import { UserError } from '../engine/errors';
import { readTextFile } from '../engine/files/text-file';
import type { RunInput } from '../engine/records/record';
import type { DataDescription } from '../engine/retrain/data/load';
import { isObject, type JsonObject } from '../format/json';

/** Programs that Coppice hands a training to. */
export const TARGETS = ['trl', 'modelopt'] as const;
export type Target = (typeof TARGETS)[number];

export const MANIFEST = 'hand-over.json';
/** Places in the folder. */
export const CHECKPOINT = 'checkpoint';
export const ORIGINAL = 'original';
export const TRAIN_ROWS = 'data/train.jsonl';
export const HELD_OUT_ROWS = 'data/held-out.jsonl';
export const RESULT = 'result';

export interface Manifest {
  readonly schema: 1;
  /** Version of Coppice that wrote it. */
  readonly coppice: string;
  readonly to: Target;
  /** What was cut: the model, and its blocks that are left out of the checkpoint. */
  readonly plan: { readonly model: string; readonly identity: string; readonly removed: readonly number[] };
  /** The model that is trained, in the folder `checkpoint`. */
  readonly checkpoint: { readonly identity: string };
  /** The original. `place` is a folder inside, or an absolute path. */
  readonly teacher: { readonly place: string; readonly identity: string; readonly weight: number };
  readonly data: DataDescription;
  /** The files of data, as inputs of the record. */
  readonly inputs: readonly RunInput[];
  /** Seed of the split and of the order. */
  readonly seed: number;
  readonly firstLoss: {
    /** The first rows of `data/train.jsonl`. */
    readonly rows: number;
    readonly targets: number;
    readonly loss: number;
    readonly crossEntropy: number;
    /** How far another program may be from it, in float32 on the CPU. */
    readonly tolerance: number;
  };
  /** SHA-256 by name, of every file that must not change. */
  readonly files: Readonly<Record<string, string>>;
  /** Folder for the result: a PEFT adapter, or a checkpoint. */
  readonly result: typeof RESULT;
}

const MAX_BYTES = 64 * 2 ** 20;

/** @throws UserError when the folder has none, or one that this version cannot read; it names the field */
export async function readManifest(folder: string): Promise<Manifest> {
  const refuse = (why: string, cause?: unknown): UserError =>
    new UserError(`${folder} is not a hand-over`, why, 'Name the folder that coppice hand-over wrote.', { cause });
  let value: unknown;
  try {
    value = JSON.parse((await readTextFile(join(folder, MANIFEST), MAX_BYTES, 'It has a few kilobytes.')).text);
  } catch (error) {
    throw refuse(error instanceof UserError ? error.texts.why : `${MANIFEST} is not JSON`, error);
  }
  const fault = faultOf(value);
  if (fault !== undefined) throw refuse(`${MANIFEST}: ${fault}`);
  return value as Manifest;
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isCount = (value: unknown): boolean => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isFinite = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const isInside = (name: string): boolean =>
  /^(?:checkpoint|original|data)\/[^/\\]+$/.test(name) && !/\/\.+$/.test(name);

/** What each field has to be, by its path. */
const FIELDS: readonly (readonly [path: string, is: (value: unknown) => boolean, words: string])[] = [
  ['coppice', isText, 'a text'],
  ['to', (value) => TARGETS.some((name) => name === value), `one of ${TARGETS.join(', ')}`],
  ['plan.model', isText, 'a text'],
  ['plan.identity', isText, 'a text'],
  ['plan.removed', (value) => Array.isArray(value) && value.every(isCount), 'a list of blocks'],
  ['checkpoint.identity', isText, 'a text'],
  ['teacher.place', isText, 'a text'],
  ['teacher.identity', isText, 'a text'],
  ['teacher.weight', (value) => isFinite(value) && Number(value) > 0 && Number(value) <= 1, 'above 0 and at most 1'],
  ['data.length', isCount, 'a whole number'],
  ['data.files', Array.isArray, 'a list'],
  ['data.train', isObject, 'an object'],
  ['data.heldOut', isObject, 'an object'],
  ['inputs', isInputs, 'a list of inputs'],
  ['seed', isCount, 'a whole number'],
  ['firstLoss.loss', isFinite, 'a number'],
  ['files', isFiles, 'hashes of files in checkpoint, original and data'],
  ['result', (value) => value === RESULT, `"${RESULT}"`],
];

function isInputs(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => isObject(each) && isText(each.role) && isText(each.name));
}

function isFiles(value: unknown): boolean {
  return (
    isObject(value) &&
    Object.entries(value).every(([name, hash]) => isInside(name) && /^[0-9a-f]{64}$/.test(String(hash)))
  );
}

function faultOf(value: unknown): string | undefined {
  if (!isObject(value)) return 'it is not an object';
  if (value.schema !== 1) return `schema is ${JSON.stringify(value.schema)}, this version reads 1`;
  const wrong = FIELDS.find(([path, is]) => !is(at(value, path)));
  return wrong && `${wrong[0]} is not ${wrong[2]}`;
}

const at = (value: JsonObject, path: string): unknown =>
  path.split('.').reduce<unknown>((part, name) => (isObject(part) ? part[name] : undefined), value);
