/**
 * What a file of a width says about itself, as a note in its safetensors header: the model that it belongs to, what is
 * kept of each block, how that was found, and a digest of all of it with the biases.
 */
import { isObject } from '../../format/json';
import { requireArchitecture } from '../checkpoint/open';
import { digestOfWidth, groupsOf, isSelection, type LayerWidth, type Width } from '../checkpoint/width';
import { plainShape } from '../checkpoint/kinds/plain';
import { MAX_DIMENSION } from '../formats/limits';
import { type Base, type BesideKind, type BesideNote, digestOfAll, readDigest, readFinding, unusable } from './beside';

/** Key of the note among the header's metadata. */
export const WIDTH_NOTE_KEY = 'coppice.width';

const VERSION = 1;

/** The digest is that of `digestOfWidthFile`. */
export interface WidthNote extends BesideNote {
  readonly layers: readonly LayerWidth[];
  /** Whether the file holds biases. */
  readonly compensated: boolean;
}

/** SHA-256 (hex) of everything that determines the narrower model. */
export const digestOfWidthFile = ({ identity, blocks }: Base, width: Width): string =>
  digestOfAll('coppice width file 1', identity, blocks, digestOfWidth(width));

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

/** A file of a width. */
export const WIDTH: BesideKind<WidthNote> = {
  key: WIDTH_NOTE_KEY,
  version: VERSION,
  limits: { depth: 4, keyLength: 64, members: 64, items: 2 * MAX_DIMENSION.blocks, uniqueKeys: true },
  // A model of a hundred blocks with FFNs of 100 000 neurons has 2.5 million digits.
  maxCharacters: 16_000_000,
  file: 'a file of a width',
  action: 'Name a file that width pruning saved, or copy it again.',
  isOf: 'it keeps parts of',
  instead: () => 'prune this model in width',
  again: 'prune in width again',
  read: (open, base) => {
    const { note, bad } = open;
    const { layers, compensated } = note;
    const finding = readFinding(open);
    if (!Array.isArray(layers) || layers.length !== base.blocks)
      throw bad(`layers is not a list of ${base.blocks} blocks`);
    const read = layers.map((layer, i) => readLayer(layer) ?? fail(bad(`layers[${i}] is not what a block keeps`)));
    if (typeof compensated !== 'boolean') throw bad('compensated is neither true nor false');
    return { base, ...finding, layers: read, compensated, digest: readDigest(open) };
  },
  requireFit: ({ layers }, checkpoint, file) => {
    const own = requireArchitecture(checkpoint).layers;
    layers.forEach(({ groups, neurons }, i) => {
      const shape = plainShape(own[i]);
      const [all, { ffn }] = [groupsOf(shape), shape];
      const [what, most] = groups[groups.length - 1] >= all ? ['groups', all] : ['neurons', ffn];
      if (groups[groups.length - 1] < all && neurons[neurons.length - 1] < ffn) return;
      throw unusable(file, `layers[${i}].${what}`, `the block has ${most} of them`, WIDTH);
    });
  },
};

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
