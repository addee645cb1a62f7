/**
 * What a file of new weights says about itself, as a note in its safetensors header: the model that they belong to, what
 * is left out of it, how they were found, and a digest of all of it with the numbers. The tensors have the checkpoint's
 * own names.
 */
import { createHash } from 'node:crypto';
import type { TextShare } from '../../format/text-share';
import { isObject } from '../../format/json';
import { MAX_DIMENSION } from '../formats/limits';
import { type NoteKind, openNote } from './header-note';
import type { KeyedPatch } from './patches';

/** Key of the note among the header's metadata. */
export const NOTE_KEY = 'coppice.heal';

const VERSION = 1;

/** The model that new weights belong to. */
export interface PatchBase {
  /** Display name of the checkpoint. */
  readonly name: string;
  readonly identity: string;
  /** Blocks of the checkpoint, before any was left out. */
  readonly blocks: number;
}

/** What new weights are for. */
export interface PatchPurpose {
  readonly base: PatchBase;
  /** Digest of the adapter below them, which they include (adapter/adapter.ts); undefined without one. */
  readonly adapter?: string;
  /** Blocks by number, and modules by name ("12.ffn"), that the healed model leaves out. */
  readonly removed: readonly (number | string)[];
}

/** A few facts for people: "tokens", 32768. */
export type PatchFacts = Readonly<Record<string, string | number | boolean | null>>;

/** A text that new weights were fitted to. */
export interface FittedText {
  /** File name without its path. */
  readonly name: string;
  readonly sha256: string;
  /** The share of it; all of it when undefined. */
  readonly share?: TextShare;
}

export interface PatchNote extends PatchPurpose {
  /** How they were found: "refit". */
  readonly method: string;
  /** The texts of files that they were fitted to: perplexity on these is too good. */
  readonly texts: readonly FittedText[];
  readonly facts: PatchFacts;
  /** See `digestOf`. */
  readonly digest: string;
}

/** SHA-256 (hex) of everything that determines the healed model. @param tensors SHA-256 of each tensor's bytes, by name */
export function digestOf({ base, adapter, removed }: PatchPurpose, tensors: ReadonlyMap<string, string>): string {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  const all = ['coppice patch 1', base.identity, adapter ?? null, removed, sorted];
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}

/** SHA-256 (hex) of the new numbers' bytes. @throws Error for a patch that does not replace the weight */
export function sha256Of(patch: KeyedPatch[1]): string {
  if (patch.kind === 'stored') return patch.sha256;
  if (patch.kind !== 'replace') throw new Error('only new numbers have a hash');
  return sha256OfNumbers(patch.values);
}

/** SHA-256 (hex) of the bytes of some numbers. */
export const sha256OfNumbers = ({ buffer, byteOffset, byteLength }: Float32Array): string =>
  createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');

/** The note's text. */
export const noteText = (note: PatchNote): string => JSON.stringify({ version: VERSION, ...note });

const LIMITS = { depth: 3, keyLength: 64, members: 64, items: 2 * MAX_DIMENSION.blocks, uniqueKeys: true };
const MAX_NOTE_CHARACTERS = 1_000_000;
const HASH = /^[0-9a-f]{64}$/;
const MODULE = /^(0|[1-9]\d{0,5})\.(attention|ffn)$/;

const KIND: NoteKind = {
  key: NOTE_KEY,
  version: VERSION,
  limits: LIMITS,
  maxCharacters: MAX_NOTE_CHARACTERS,
  file: 'a file of healed weights',
  action: 'Name a file that healing wrote, or copy it again.',
};

/**
 * Reads the note from a header's metadata.
 * @param file names the file in messages
 * @throws DamagedFile for a missing or invalid note
 */
export function readNote(metadata: Readonly<Record<string, string>>, file: string): PatchNote {
  const { note, bad } = openNote(metadata, KIND, file);
  const { base, adapter, removed, method, texts, facts, digest } = note;
  if (!isBase(base)) throw bad('base is not a name, an identity and a number of blocks');
  if (adapter !== undefined && !isHash(adapter)) throw bad('adapter is not a digest');
  if (!isRemoved(removed, base.blocks)) throw bad('removed is not a list of its blocks and modules');
  if (typeof method !== 'string') throw bad('method is not a text');
  if (!isTexts(texts)) throw bad('texts is not a list of names and hashes');
  if (!isFacts(facts)) throw bad('facts are not texts and numbers by name');
  if (!isHash(digest)) throw bad('digest is missing');
  return { base, adapter, removed, method, texts, facts, digest };
}

export const isHash = (value: unknown): value is string => typeof value === 'string' && HASH.test(value);

export function isBase(value: unknown): value is PatchBase {
  if (!isObject(value)) return false;
  const { name, identity, blocks } = value;
  return typeof name === 'string' && isHash(identity) && isIndex(blocks, MAX_DIMENSION.blocks + 1) && blocks > 0;
}

function isRemoved(value: unknown, blocks: number): value is (number | string)[] {
  if (!Array.isArray(value)) return false;
  return value.every((entry: unknown) => {
    if (typeof entry !== 'string') return isIndex(entry, blocks);
    const block = MODULE.exec(entry)?.[1];
    return block !== undefined && Number(block) < blocks;
  });
}

const isIndex = (value: unknown, below: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < below;

export function isTexts(value: unknown): value is FittedText[] {
  if (!Array.isArray(value)) return false;
  return value.every((text: unknown) => isObject(text) && typeof text.name === 'string' && isHash(text.sha256));
}

export function isFacts(value: unknown): value is PatchFacts {
  if (!isObject(value)) return false;
  return Object.values(value).every((fact) => fact === null || ['string', 'number', 'boolean'].includes(typeof fact));
}
