/**
 * What a file of a width says about itself, as a note in its safetensors header: the model that it belongs to, what is
 * kept of each block, how that was found, and a digest of all of it with the biases.
 */
import { createHash } from 'node:crypto';
import { isObject } from '../../format/json';
import { digestOfWidth, isSelection, type LayerWidth, type Width } from '../checkpoint/width';
import { MAX_DIMENSION } from '../formats/limits';
import { type NoteKind, openNote } from './header-note';
import { type FittedText, isBase, isFacts, isHash, isTexts, type PatchBase, type PatchFacts } from './patch-note';

/** Key of the note among the header's metadata. */
export const WIDTH_NOTE_KEY = 'coppice.width';

const VERSION = 1;

/** How a width was found. */
export interface WidthOrigin {
  /** "flap" */
  readonly method: string;
  /** The texts of files that decided what is kept. */
  readonly texts: readonly FittedText[];
  readonly facts: PatchFacts;
}

export interface WidthNote extends WidthOrigin {
  readonly base: PatchBase;
  readonly layers: readonly LayerWidth[];
  /** Whether the file holds biases. */
  readonly compensated: boolean;
  /** See `digestOfWidthFile`. */
  readonly digest: string;
}

/** SHA-256 (hex) of everything that determines the narrower model. */
export function digestOfWidthFile({ identity, blocks }: PatchBase, width: Width): string {
  const all = ['coppice width file 1', identity, blocks, digestOfWidth(width)];
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}

/** The note's text. Neurons are hexadecimal digits of four each, the lowest in the top bit. */
export const widthNoteText = ({ layers, ...note }: WidthNote, { ffn }: { readonly ffn: readonly number[] }): string =>
  JSON.stringify({
    version: VERSION,
    ...note,
    layers: layers.map(({ groups, neurons }, i) => ({ groups, ffn: ffn[i], neurons: hexOf(neurons, ffn[i]) })),
  });

/** Numbers below `count` as hexadecimal digits of four each, the lowest in the top bit. */
export function hexOf(kept: readonly number[], count: number): string {
  const digits = new Uint8Array(Math.ceil(count / 4));
  for (const n of kept) digits[n >> 2] |= 8 >> (n & 3);
  return Array.from(digits, (digit) => digit.toString(16)).join('');
}

/** The numbers of `hexOf`, ascending; undefined for a text that no list below `count` gives. */
export function numbersOf(hex: string, count: number): number[] | undefined {
  if (hex.length !== Math.ceil(count / 4) || !/^[0-9a-f]*$/.test(hex)) return undefined;
  const numbers: number[] = [];
  for (let n = 0; n < 4 * hex.length; n++) {
    if ((parseInt(hex[n >> 2], 16) & (8 >> (n & 3))) === 0) continue;
    if (n >= count) return undefined;
    numbers.push(n);
  }
  return numbers;
}

const LIMITS = { depth: 4, keyLength: 64, members: 64, items: 2 * MAX_DIMENSION.blocks, uniqueKeys: true };
/** A model of a hundred blocks with FFNs of 100 000 neurons has 2.5 million digits. */
const MAX_NOTE_CHARACTERS = 16_000_000;

const KIND: NoteKind = {
  key: WIDTH_NOTE_KEY,
  version: VERSION,
  limits: LIMITS,
  maxCharacters: MAX_NOTE_CHARACTERS,
  file: 'a file of a width',
  action: 'Name a file that width pruning saved, or copy it again.',
};

/**
 * Reads the note from a header's metadata.
 * @param file names the file in messages
 * @throws DamagedFile for a missing or invalid note
 */
export function readWidthNote(metadata: Readonly<Record<string, string>>, file: string): WidthNote {
  const { note, bad } = openNote(metadata, KIND, file);
  const { base, method, texts, facts, layers, compensated, digest } = note;
  if (!isBase(base)) throw bad('base is not a name, an identity and a number of blocks');
  if (typeof method !== 'string') throw bad('method is not a text');
  if (!isTexts(texts)) throw bad('texts is not a list of names and hashes');
  if (!isFacts(facts)) throw bad('facts are not texts and numbers by name');
  if (!Array.isArray(layers) || layers.length !== base.blocks)
    throw bad(`layers is not a list of ${base.blocks} blocks`);
  const read = layers.map((layer, i) => readLayer(layer) ?? fail(bad(`layers[${i}] is not what a block keeps`)));
  if (typeof compensated !== 'boolean') throw bad('compensated is neither true nor false');
  if (!isHash(digest)) throw bad('digest is missing');
  return { base, method, texts, facts, layers: read, compensated, digest };
}

function fail(error: Error): never {
  throw error;
}

function readLayer(value: unknown): LayerWidth | undefined {
  if (!isObject(value)) return undefined;
  const { groups, ffn, neurons: hex } = value;
  if (!Array.isArray(groups) || !isSelection(groups as number[], MAX_DIMENSION.heads)) return undefined;
  if (typeof ffn !== 'number' || !Number.isInteger(ffn) || ffn < 1 || ffn > MAX_DIMENSION.ffn) return undefined;
  const neurons = typeof hex === 'string' ? numbersOf(hex, ffn) : undefined;
  return neurons && neurons.length > 0 ? { groups: groups as number[], neurons } : undefined;
}
