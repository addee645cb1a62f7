/**
 * What a file of new weights says about itself, as a note in its safetensors header: the model that they belong to, what
 * is left out of it, how they were found, and a digest of all of it with the numbers. The tensors have the checkpoint's
 * own names.
 */
import { createHash } from 'node:crypto';
import { printable } from '../formats/bounded-json';
import { MAX_DIMENSION } from '../formats/limits';
import { command } from '../option-token';
import {
  type Base,
  type BesideKind,
  type BesideNote,
  digestOfAll,
  isHash,
  isIndex,
  readDigest,
  readFinding,
} from './beside';
import type { KeyedPatch } from './patches';

/** Key of the note among the header's metadata. */
export const NOTE_KEY = 'coppice.heal';

const VERSION = 1;

/** What new weights are for. */
export interface PatchPurpose {
  readonly base: Base;
  /** Digest of the adapter below them, which they include (adapter/adapter.ts); undefined without one. */
  readonly adapter?: string;
  /** Blocks by number, and modules by name ("12.ffn"), that the healed model leaves out. */
  readonly removed: readonly (number | string)[];
}

/** The digest is that of `digestOf`. */
export type PatchNote = PatchPurpose & BesideNote;

/** SHA-256 (hex) of everything that determines the healed model. @param tensors SHA-256 of each tensor's bytes, by name */
export function digestOf({ base, adapter, removed }: PatchPurpose, tensors: ReadonlyMap<string, string>): string {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  return digestOfAll('coppice patch 1', base.identity, adapter ?? null, removed, sorted);
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

const MODULE = /^(0|[1-9]\d{0,5})\.(attention|ffn)$/;

/** A file of new weights. */
export const PATCH: BesideKind<PatchNote> = {
  key: NOTE_KEY,
  version: VERSION,
  limits: { depth: 3, keyLength: 64, members: 64, items: 2 * MAX_DIMENSION.blocks, uniqueKeys: true },
  maxCharacters: 1_000_000,
  file: 'a file of healed weights',
  action: 'Name a file that healing wrote, or copy it again.',
  isOf: 'its weights are those of',
  instead: () => `heal this model with ${command('heal')}`,
  again: 'heal the model again',
  read: (open, base) => {
    const { adapter, removed } = open.note;
    if (adapter !== undefined && !isHash(adapter)) throw open.bad('adapter is not a digest');
    if (!isRemoved(removed, base.blocks)) throw open.bad('removed is not a list of its blocks and modules');
    return { base, adapter, removed, ...readFinding(open), digest: readDigest(open) };
  },
  without: ({ removed }) => (removed.length > 0 ? `; it leaves out ${printable(removed.join(', '), 200)} itself` : ''),
};

function isRemoved(value: unknown, blocks: number): value is (number | string)[] {
  if (!Array.isArray(value)) return false;
  return value.every((entry: unknown) => {
    if (typeof entry !== 'string') return isIndex(entry, blocks);
    const block = MODULE.exec(entry)?.[1];
    return block !== undefined && Number(block) < blocks;
  });
}
