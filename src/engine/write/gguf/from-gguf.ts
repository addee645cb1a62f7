/**
 * A GGUF file from another one, or from its parts: what is unchanged is copied byte for byte, whatever its type, under the
 * names of the blocks' new places. Weights that have changed get a type that keeps the change (finer.ts). Every tensor of the source that does not belong to a removed block stays: a rotation's divisors, for one.
 */
import { type Architecture, withLayers } from '../../checkpoint/architecture';
import { cannotWrite } from '../../checkpoint/gguf/cannot';
import { dialectNamed } from '../../checkpoint/gguf/dialects';
import { EXPERT_COUNT } from '../../checkpoint/gguf/experts';
import { fileTypeNumber } from '../../checkpoint/gguf/file-types';
import { type Held, heldBy, heldShape } from '../../checkpoint/gguf/names';
import { FACTOR } from '../../checkpoint/gguf/rotation';
import { architectureFields, type Spelling } from '../../checkpoint/gguf/spelling';
import { PATTERN } from '../../checkpoint/gguf/windows';
import { expertsIn } from '../../checkpoint/kinds/parts';
import { requireArchitecture } from '../../checkpoint/open';
import { parametersOf } from '../../checkpoint/parameters';
import type { Checkpoint } from '../../checkpoint/types';
import { weightKeys } from '../../checkpoint/weight-key';
import { asStored } from '../../checkpoint/width';
import { refuse } from '../../formats/damage';
import { isBlockType, type StoredDtype } from '../../formats/dtype';
import { type GgufFile, openGguf } from '../../formats/gguf/file';
import type { GgufField } from '../../formats/gguf/layout';
import type { GgufTensor } from '../../formats/gguf/tensors';
import { text, u32 } from '../../formats/gguf/values';
import { type RegularFile, withFile } from '../../files/regular-file';
import { rowsOfStored, type StoredTensor, storedTensor } from '../../formats/stored-tensor';
import type { WeightSource } from '../../weights/source';
import type { RewrittenDtype } from '../rewrite';
import type { GgufType } from './kinds';
import type { Importance } from './importance';
import { Mix, wholeBlocks } from './mixes';
import { finerNote, FinerSum, type FinerTypes, keepingType } from './finer';
import { sizeLabel } from './general';
import { ARCHITECTURE, architectureOf, type EditedEntry, editedMetadata, isCopied } from './source-metadata';
import { computed, type GgufSource, isFloat32, isPaired } from './tensors';
import { isRewritten, isSimple, oddRows, QUANTIZATION_VERSION } from './types';

export interface FromGguf {
  readonly fields: readonly GgufField[];
  readonly tensors: readonly GgufSource[];
  /** llama.cpp's architecture. */
  readonly architecture: string;
  readonly notes: readonly string[];
  /** Changed matrices that are kept in finer types than they had. */
  readonly finer?: FinerTypes;
}

interface Wanted {
  readonly kept: readonly number[];
  readonly spelling: Spelling;
  readonly type?: GgufType;
  readonly importance?: Importance;
  /** Whether the types are those with an importance matrix. */
  readonly isWeighed: boolean;
  readonly name?: string;
  readonly description?: string;
  /** Fields that Coppice adds. */
  readonly added: readonly GgufField[];
}

/** @throws UserError when a file cannot be read, or its metadata contradict its blocks */
export async function planFromGguf(checkpoint: Checkpoint, weights: WeightSource, wanted: Wanted): Promise<FromGguf> {
  const source = asStored(checkpoint);
  const files: GgufFile[] = [];
  for (const { file } of source.shards) files.push(await openGguf(file, refuse, isOfModel));
  const placed = files.flatMap(({ tensors, file }) => tensors.map((tensor) => ({ ...tensor, file })));
  const plan = new TensorPlan(weights, wanted, checkpoint.narrowing !== undefined);
  const tensors = plan.of(placed);
  const { kept } = wanted;
  const blocks = requireArchitecture(source).layers.length;
  const isFewer = expertsOf(requireArchitecture(source), kept) !== expertsOf(weights.architecture, kept);
  const isPruned = kept.length !== blocks || checkpoint.narrowing !== undefined || isFewer;
  const before = architectureOf(files[0].metadata);
  const isOther = checkpoint.narrowing !== undefined || isAnother(before, wanted.spelling);
  if (isOther && dialectNamed(before)?.mixer)
    throw cannotWrite(
      `all that is left has attention, and llama.cpp’s architecture ${before} is for models of both kinds`,
    );
  const fields = editedMetadata(files[0].metadata, {
    file: source.shards[0].name,
    blocks,
    kept,
    ...(isOther && { dimensions: dimensionsOf(weights, wanted) }),
    set: [
      ...(isPruned ? byBlocks(wanted.spelling) : []),
      ...(isFewer ? expertCount(wanted.spelling) : []),
      ...factsOf(weights, tensors, wanted, isPruned),
      ...wanted.added,
    ],
    derived: isPruned || plan.changed > 0,
  });
  return {
    fields: await withFile(files[0].file, (file) => copied(file, fields)),
    tensors,
    architecture: isOther ? wanted.spelling.dialect.name : architectureOf(files[0].metadata),
    notes: plan.notes(),
    ...(plan.finer.all && { finer: plan.finer.all }),
  };
}

/** Lists with a number for each block are short. Vocabularies are copied without being looked at. */
const isOfModel = (key: string): boolean => !key.startsWith('tokenizer.');

/** Whether the blocks need an architecture of another block than the source's: without unrotated blocks, for one. */
function isAnother(source: string, { dialect }: Spelling): boolean {
  const before = dialectNamed(source, dialect.experts !== undefined);
  return before?.family !== dialect.family || before.mixer?.kind !== dialect.mixer?.kind;
}

/** What llama.cpp takes by the number of a block or of all of them, where these have changed. */
const byBlocks = ({ dialect, fields }: Spelling): GgufField[] =>
  fields
    .filter(([field]) => field === PATTERN || field === FACTOR)
    .map(([field, value]) => [`${dialect.name}.${field}`, value]);

/** Experts of a block that is written; undefined without. */
const expertsOf = ({ layers }: Architecture, [first]: readonly number[]): number | undefined =>
  expertsIn(layers[first])?.count;

const expertCount = ({ dialect, fields }: Spelling): GgufField[] =>
  fields.flatMap(([field, value]) => (field === EXPERT_COUNT ? [[`${dialect.name}.${field}`, value] as const] : []));

/** Instead of those of a model that was as wide as the files. */
function dimensionsOf(weights: WeightSource, { kept, spelling }: Wanted): GgufField[] {
  const architecture = withLayers(weights.architecture, kept);
  return [[ARCHITECTURE, text(spelling.dialect.name)], ...architectureFields(architecture, spelling)];
}

function factsOf(
  weights: WeightSource,
  tensors: readonly GgufSource[],
  { kept, type, name, description }: Wanted,
  isPruned: boolean,
): GgufField[] {
  const size = sizeLabel(parametersOf(withLayers(weights.architecture, kept)));
  const all = weights.architecture.layers.length;
  const said = description ?? (kept.length < all ? `${kept.length} of the ${all} blocks` : undefined);
  return [
    ...(name === undefined ? [] : [['general.name', text(name)] as const]),
    ...(said === undefined ? [] : [['general.description', text(said)] as const]),
    ...(isPruned ? [['general.size_label', text(size)] as const] : []),
    ...(type === undefined ? [] : [['general.file_type', u32(fileTypeNumber(type))] as const]),
    ...(tensors.some(({ dtype }) => isBlockType(dtype))
      ? [['general.quantization_version', u32(QUANTIZATION_VERSION)] as const]
      : []),
  ];
}

/** Entries with the bytes of those that stay as they are. */
export async function copied(file: RegularFile, entries: readonly EditedEntry[]): Promise<GgufField[]> {
  const fields: GgufField[] = [];
  for (const entry of entries) {
    if (!isCopied(entry)) {
      fields.push(entry);
      continue;
    }
    const { key, offset, end } = entry;
    const start = offset + LENGTH_BYTES + Buffer.byteLength(key);
    fields.push([key, { type: 'copied', bytes: await file.readRange(start, end - start) }]);
  }
  return fields;
}

/** Of the length before a key. */
const LENGTH_BYTES = 8;

type Placed = GgufTensor & { readonly file: string };

/** The tensors of the new file, and what is said about them. */
class TensorPlan {
  /** Weights whose numbers are others. */
  changed = 0;
  readonly finer = new FinerSum();
  private requantized = 0;
  /** Narrower matrices whose rows are no whole blocks any more. */
  private odd = 0;
  private readonly held: ReadonlyMap<string, Held>;
  private readonly mix: Mix | undefined;

  constructor(
    private readonly weights: WeightSource,
    private readonly wanted: Wanted,
    private readonly isNarrower: boolean,
  ) {
    const { type, kept, spelling, isWeighed } = wanted;
    const held = heldBy(weightKeys(weights.architecture), spelling.dialect.names);
    this.held = new Map(held.map((each) => [each.name, each]));
    this.mix = type && new Mix(type, weights, kept, { dialect: spelling.dialect.name, isWeighed });
  }

  of(stored: readonly Placed[]): GgufSource[] {
    const rest = new Map(this.held);
    const tensors: GgufSource[] = [];
    for (const tensor of stored) {
      const held = this.held.get(tensor.name);
      rest.delete(tensor.name);
      const name = this.nameAfter(tensor.name);
      if (name !== undefined) tensors.push(held ? this.weight({ ...held, name }, tensor) : copyOf(name, tensor));
    }
    // Biases that a narrower model has more.
    for (const [before, held] of rest) {
      const name = this.nameAfter(before);
      if (name !== undefined) tensors.push(this.computed({ ...held, name }, 'F32'));
    }
    return tensors;
  }

  notes(): string[] {
    const { all } = this.finer;
    const notes = [...(this.mix?.notes() ?? []), ...(all === undefined ? [] : [finerNote(all)])];
    if (this.odd > 0) notes.push(oddRows(this.odd));
    if (this.requantized > 0) {
      const what = this.requantized === 1 ? '1 matrix was' : `${this.requantized} matrices were`;
      notes.push(`${what} quantized in the source already, so the numbers are rounded for the second time`);
    }
    return notes;
  }

  /** The name of a tensor after the removal; undefined for one of a removed block. */
  private nameAfter(name: string): string | undefined {
    const match = /^blk\.(\d+)\.(.+)$/.exec(name);
    if (!match) return name;
    const block = this.wanted.kept.indexOf(Number(match[1]));
    return block === -1 ? undefined : `blk.${block}.${match[2]}`;
  }

  private weight(held: Held, before: Placed): GgufSource {
    const { name, keys, isStack } = held;
    const [key] = keys;
    const isStored = keys.every((each) => this.weights.stored(each));
    const stored = isStored ? this.weights.stored(key) : undefined;
    if (!stored) this.changed++;
    // A narrower model can need another order of rows than the source has.
    const asItLies = stored && (stored.paired !== undefined) === isPaired(key, this.weights, this.wanted.spelling);
    // Of a narrower model, the numbers that are left are what they were.
    const how = asItLies ? 'same' : stored || this.isNarrower ? 'moved' : 'changed';
    const dtype = this.dtypeOf(held, before, how);
    if (asItLies && stored.dtype === dtype)
      return copyOf(
        name,
        isStack
          ? this.stackOf(held, before)
          : { ...storedTensor(stored), shape: heldShape(held, stored.shape, this.weights.architecture) },
      );
    if (!isRewritten(dtype)) throw new Error(`${name} cannot be made as ${dtype}`);
    return this.computed(held, dtype);
  }

  /** Of a stack in the source, the matrices that are left of it. */
  private stackOf({ keys }: Held, before: Placed): StoredTensor {
    const perMatrix = before.bytes / before.shape[0];
    const left = keys.map((key) => (storedTensor(this.weights.stored(key)!).offset - before.offset) / perMatrix);
    return left.length === before.shape[0] ? before : rowsOfStored(before, left);
  }

  private dtypeOf(held: Held, before: Placed, how: 'same' | 'moved' | 'changed'): StoredDtype {
    const [key] = held.keys;
    const shape = heldShape(held, this.weights.shape(key), this.weights.architecture);
    if (this.mix && shape.length > 1 && !isFloat32(key)) {
      const dtype = this.mix.typeOf(key);
      if (isBlockType(before.dtype) && before.dtype !== dtype && dtype !== 'F32') this.requantized++; // float32 holds all
      return dtype;
    }
    if (how === 'same') return before.dtype;
    const own = how === 'moved' && isSimple(before.dtype) ? before.dtype : keepingType(before.dtype);
    const isWhole = wholeBlocks(own, shape);
    if (!isWhole) this.odd++;
    const dtype = isWhole ? own : 'F16';
    if (isWhole && dtype !== before.dtype) this.finer.add(before.dtype, dtype, shape);
    return dtype;
  }

  private computed(held: Held, dtype: RewrittenDtype): GgufSource {
    const { spelling, importance } = this.wanted;
    return computed({ held, weights: this.weights, dtype, spelling, importance });
  }
}

function copyOf(name: string, { dtype, shape, bytes, file, offset, rows }: Omit<StoredTensor, 'name'>): GgufSource {
  return { name, dtype, shape, copy: { name, dtype, shape, bytes, file, offset, ...(rows && { rows }) } };
}
