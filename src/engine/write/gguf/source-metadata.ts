/**
 * The metadata of a GGUF file that becomes another one: entries that describe the whole model follow the removed blocks,
 * those that say what the file is follow what was done, and all others stay byte for byte. A list with a number for each
 * block must have as many as there are blocks, or llama.cpp refuses the file.
 */
import { counted } from '../../../format/words';
import { UserError } from '../../errors';
import { printable } from '../../formats/bounded-json';
import type { GgufField } from '../../formats/gguf/layout';
import type { GgufArray, GgufEntry } from '../../formats/gguf/metadata';
import { text, u32 } from '../../formats/gguf/values';

/** What is done to the model. */
export interface MetadataEdits {
  /** Name of the source's file, for messages. */
  readonly file: string;
  /** Blocks of the source. */
  readonly blocks: number;
  /** Those that are written, 0-based, in this order. */
  readonly kept: readonly number[];
  /** Instead of what the source says of the model's dimensions; edited where they stand if undefined. */
  readonly dimensions?: readonly GgufField[];
  /** Instead of entries with the same keys, or after all others. */
  readonly set: readonly GgufField[];
  /** The new model is made from that of the file: its name becomes that of the base. */
  readonly derived: boolean;
}

/** An entry of the source that is copied, or a new one. */
export type EditedEntry = GgufEntry | GgufField;

export const isCopied = (entry: EditedEntry): entry is GgufEntry => !Array.isArray(entry);

/** Lists of these have a number for each block. */
const PER_BLOCK: ReadonlySet<string> = new Set([
  'feed_forward_length',
  'attention.head_count',
  'attention.head_count_kv',
  'attention.sliding_window_pattern',
]);

/** Lists whose length means something else. */
const NOT_PER_BLOCK: ReadonlySet<string> = new Set(['rope.dimension_sections']);

/** What a new file has to say itself: places of tensors, parts of a model, the run that made it. */
const DROPPED = /^(general\.alignment$|split\.|coppice\.)/;
const BASE = 'general.base_model.';

export const ARCHITECTURE = 'general.architecture';

/** llama.cpp's name of the architecture, which the keys of the model begin with. */
export function architectureOf(metadata: ReadonlyMap<string, GgufEntry>): string {
  const value = metadata.get(ARCHITECTURE)?.value;
  if (typeof value !== 'string') throw new Error('the source has no architecture');
  return value;
}

/**
 * The entries of the new file, in the order of the source.
 * @param metadata with the lists of the model whole
 * @throws UserError for a list that does not have a number for each block
 */
export function editedMetadata(metadata: ReadonlyMap<string, GgufEntry>, edits: MetadataEdits): EditedEntry[] {
  const { dimensions, derived } = edits;
  const prefix = `${architectureOf(metadata)}.`;
  const added = new Map([...(dimensions ?? []), ...(derived ? baseFields(metadata) : []), ...edits.set]);
  const entries: EditedEntry[] = [];
  for (const entry of metadata.values()) {
    const { key } = entry;
    const field = key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
    const replaced = added.get(key);
    added.delete(key);
    if (replaced) entries.push([key, replaced]);
    else if (DROPPED.test(key) || (derived && key.startsWith(BASE)) || (dimensions && field !== undefined)) continue;
    else entries.push(field === undefined ? entry : ofKept(entry, field, edits));
  }
  return [...entries, ...added];
}

/** An entry of the model with only the kept blocks. */
function ofKept(entry: GgufEntry, field: string, edits: MetadataEdits): EditedEntry {
  const { key, type, value } = entry;
  const { blocks, kept } = edits;
  const unchanged = kept.length === blocks && kept.every((block, i) => block === i);
  if (typeof value === 'object') {
    if (NOT_PER_BLOCK.has(field) || value.of === 'array') return entry;
    if (value.length !== blocks && PER_BLOCK.has(field)) throw wrongLength(entry, value, edits);
    return value.length === blocks && !unchanged ? [key, part(value, value.of, kept)] : entry;
  }
  if (unchanged || type !== 'u32' || typeof value !== 'number') return entry;
  switch (field) {
    case 'block_count':
      return [key, u32(kept.length)];
    case 'attention.sliding_window_pattern':
      // Of each `value` blocks all but the last have a window; without a number, all have.
      return [
        key,
        { type: 'array', of: 'bool', values: kept.map((b) => Number(value === 0 || b % value < value - 1)) },
      ];
    case 'leading_dense_block_count':
      return [key, u32(kept.filter((block) => block < value).length)];
    case 'nextn_predict_layers':
      return [key, u32(kept.filter((block) => block >= blocks - value).length)];
    default:
      return entry;
  }
}

function part({ first }: GgufArray, of: Exclude<GgufArray['of'], 'array'>, kept: readonly number[]): GgufField[1] {
  const values = kept.map((block) => first[block]);
  return of === 'string'
    ? { type: 'array', of, values: values.map(String) }
    : { type: 'array', of, values: values.map(Number) };
}

function wrongLength({ key }: GgufEntry, { length }: GgufArray, { file, blocks }: MetadataEdits): UserError {
  return new UserError(
    `${file}: metadata "${printable(key, 80)}" is not valid`,
    `it lists ${counted(length, 'number')} for ${counted(blocks, 'block')}`,
    'Use the file that this one was pruned from.',
  );
}

/** The model of the source as the base of the new one, with what the source says about it. */
function baseFields(metadata: ReadonlyMap<string, GgufEntry>): GgufField[] {
  const fields = ['name', 'organization', 'version', 'repo_url'].flatMap((field): GgufField[] => {
    const { value, bytes = 0 } = metadata.get(`general.${field}`) ?? {};
    if (typeof value !== 'string' || value === '' || Buffer.byteLength(value) !== bytes) return [];
    return [[`general.base_model.0.${field}`, text(value)]];
  });
  return metadata.has('general.name') ? [['general.base_model.count', u32(1)], ...fields] : [];
}
