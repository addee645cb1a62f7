/**
 * A safetensors file that belongs to a checkpoint: new weights, or what a narrower model keeps. A note in its header says to
 * which model it belongs, how it was found, and a digest of all of it with the numbers.
 */
import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';
import { isObject } from '../../format/json';
import type { TextShare } from '../../format/text-share';
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { systemErrorCode, UserError } from '../errors';
import { printable } from '../formats/bounded-json';
import { MAX_DIMENSION } from '../formats/limits';
import { readShardHeader } from '../formats/safetensors/file';
import type { TensorInfo } from '../formats/tensor';
import { baseName, modelName } from '../records/record';
import { type NoteKind, type OpenNote, openNote } from './header-note';

/** The model that a file belongs to. */
export interface Base {
  /** Display name of the checkpoint. */
  readonly name: string;
  readonly identity: string;
  /** Blocks of the checkpoint, before any was left out. */
  readonly blocks: number;
}

/** A text that numbers were fitted to, or that decided what is kept. */
export interface FittedText {
  /** File name without its path. */
  readonly name: string;
  readonly sha256: string;
  /** The share of it; all of it when undefined. */
  readonly share?: TextShare;
}

/** A few facts for people: "tokens", 32768. */
export type Facts = Readonly<Record<string, string | number | boolean | null>>;

/** How the content of a file was found. */
export interface Finding {
  /** "refit", "flap" */
  readonly method: string;
  /** The texts of files that it was found with: perplexity on these is too good. */
  readonly texts: readonly FittedText[];
  readonly facts: Facts;
}

export interface BesideNote extends Finding {
  readonly base: Base;
  /** SHA-256 (hex) of everything that determines the changed model. */
  readonly digest: string;
}

/** A kind of such files. */
export interface BesideKind<N extends BesideNote> extends NoteKind {
  /** What is the matter with a file of another model, before the model's name: "its weights are those of". */
  readonly isOf: string;
  /** What gives this model such a file: "heal this model with …". */
  readonly instead: () => string;
  /** What gives a damaged file again: "heal the model again". */
  readonly again: string;
  /** Reads what the note says besides. @throws DamagedFile */
  readonly read: (open: OpenNote, base: Base) => N;
  /** What else the model that the file belongs to needs to know: "; it leaves out 12 itself". */
  readonly without?: (note: N) => string;
  /** @throws UserError where what the note says does not fit the model that it belongs to */
  readonly requireFit?: (note: N, checkpoint: Checkpoint, file: string) => void;
}

export interface BesideFile<N extends BesideNote> {
  /** File name without its path, for messages. */
  readonly name: string;
  /** Of the file's bytes; links resolved. */
  readonly file: string;
  readonly note: N;
  readonly tensors: readonly TensorInfo[];
}

/**
 * Reads the header of the file `path`.
 * @throws UserError when its note is damaged, or of another model than `checkpoint`
 */
export async function readBeside<N extends BesideNote>(
  path: string,
  checkpoint: Checkpoint,
  kind: BesideKind<N>,
): Promise<BesideFile<N>> {
  const name = basename(path);
  const { shard, tensors } = await readShardHeader(resolve(path), name);
  const open = openNote(shard.metadata, kind, name);
  const { base } = open.note;
  if (!isBase(base)) throw open.bad('base is not a name, an identity and a number of blocks');
  const note = kind.read(open, base);
  requireBase(note, checkpoint, kind, name);
  kind.requireFit?.(note, checkpoint, name);
  return { name, file: shard.file, note, tensors };
}

/** Whether a file belongs to the checkpoint, by its header alone. False for any other file. */
export async function isBeside<N extends BesideNote>(
  path: string,
  checkpoint: Checkpoint,
  kind: BesideKind<N>,
): Promise<boolean> {
  try {
    await readBeside(path, checkpoint, kind);
    return true;
  } catch (error) {
    if (error instanceof UserError || systemErrorCode(error) !== undefined) return false;
    throw error;
  }
}

function requireBase<N extends BesideNote>(note: N, checkpoint: Checkpoint, kind: BesideKind<N>, file: string): void {
  const { base } = note;
  if (checkpoint.identity === base.identity && requireArchitecture(checkpoint).layers.length === base.blocks) return;
  const name = printable(base.name, 80);
  throw new UserError(
    `${file} does not belong to ${modelName(checkpoint)}`,
    `${kind.isOf} ${name}, ${differingFiles(base, checkpoint)}`,
    `Use it with ${name}${kind.without?.(note) ?? ''}, or ${kind.instead()}.`,
  );
}

/** "whose files differ (identity 0123456789ab, here ba9876543210)" */
export const differingFiles = (base: Pick<Base, 'identity'>, here: Pick<Checkpoint, 'identity'>): string =>
  `whose files differ (identity ${base.identity.slice(0, 12)}, here ${here.identity.slice(0, 12)})`;

/** What the note says of the checkpoint that a file belongs to. */
export const baseOf = (checkpoint: Checkpoint): Base => ({
  name: baseName(checkpoint),
  identity: checkpoint.identity,
  blocks: requireArchitecture(checkpoint).layers.length,
});

/** How the content was found, from the note. @throws DamagedFile */
export function readFinding({ note: { method, texts, facts }, bad }: OpenNote): Finding {
  if (typeof method !== 'string') throw bad('method is not a text');
  if (!isTexts(texts)) throw bad('texts is not a list of names and hashes');
  if (!isFacts(facts)) throw bad('facts are not texts and numbers by name');
  return { method, texts, facts };
}

/** The digest, from the note. @throws DamagedFile */
export function readDigest({ note: { digest }, bad }: OpenNote): string {
  if (!isHash(digest)) throw bad('digest is missing');
  return digest;
}

/** SHA-256 (hex) of values, in their order. */
export const digestOfAll = (...values: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(values)).digest('hex');

/** @param why what differs from what was written */
export const damaged = (file: string, why: string, { again }: NamesAgain): UserError =>
  new UserError(`${file} is damaged`, why, `Copy the file again, or ${again}.`);

/** @param field a tensor, or a field of the note */
export const unusable = (file: string, field: string, why: string, { again }: NamesAgain): UserError =>
  new UserError(`${file}: "${printable(field, 120)}" cannot be used`, why, `Copy the file again, or ${again}.`);

type NamesAgain = Pick<BesideKind<never>, 'again'>;

const HASH = /^[0-9a-f]{64}$/;

/** Whether a value is a SHA-256 in hexadecimal digits. */
export const isHash = (value: unknown): value is string => typeof value === 'string' && HASH.test(value);

/** Whether a value is a whole number from 0 to below another. */
export const isIndex = (value: unknown, below: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < below;

function isBase(value: unknown): value is Base {
  if (!isObject(value)) return false;
  const { name, identity, blocks } = value;
  return typeof name === 'string' && isHash(identity) && isIndex(blocks, MAX_DIMENSION.blocks + 1) && blocks > 0;
}

function isTexts(value: unknown): value is FittedText[] {
  if (!Array.isArray(value)) return false;
  return value.every((text: unknown) => isObject(text) && typeof text.name === 'string' && isHash(text.sha256));
}

function isFacts(value: unknown): value is Facts {
  if (!isObject(value)) return false;
  return Object.values(value).every((fact) => fact === null || ['string', 'number', 'boolean'].includes(typeof fact));
}
