/** Summary of a GGUF file for `inspect`. Dimensions come from the metadata, stored sizes from the tensors. */
import { counted } from '../../../format/words';
import { printable } from '../../formats/bounded-json';
import { UserError } from '../../errors';
import { type GgufFile, openGguf } from '../../formats/gguf/file';
import type { GgufTensor } from '../../formats/gguf/tensors';
import { layerNumber, type LayerNumber } from '../layer-numbers';
import { elements } from '../parameters';
import { openGgufCheckpoint } from './open';
import { sharesOf } from '../shares';
import { type Summary, summarize } from '../summary';
import { kindsOf } from '../block-kinds';
import { traitsOf } from '../traits';
import type { Checkpoint } from '../types';

/**
 * The content of `coppice inspect` for a GGUF file.
 * @param unsupported why Coppice cannot compute with it; null if it can
 */
export function summarizeGguf(gguf: Omit<GgufFile, 'stamp'>, unsupported: Summary['unsupported'] = null): Summary {
  const architecture = text(gguf, 'general.architecture');
  const number = (field: string): number | null => {
    return architecture === null ? null : positive(gguf, `${architecture}.${field}`);
  };
  const hidden = number('embedding_length');
  const headDim = number('attention.key_length');
  const rows = blockRows(gguf.tensors);
  /** One number, or a list of one for each block, of which the header keeps the beginning: then from the tensors. */
  const perBlock = (field: string, tensor: string, unit: number | null): LayerNumber | null => {
    const listed = architecture !== null && typeof gguf.metadata.get(`${architecture}.${field}`)?.value === 'object';
    return listed ? listedNumber(rows.get(tensor), unit) : number(field);
  };
  const heads = perBlock('attention.head_count', 'attn_q', headDim);
  const embedding = gguf.tensors.find(({ name }) => name === 'token_embd.weight');
  const stored = storedBlocks(gguf.tensors);
  return {
    path: gguf.path,
    format: 'gguf',
    architecture,
    coppiceOnly: false,
    blocks: stored.length > 0 ? stored.length : null,
    parameters: sum(gguf.tensors, ({ shape }) => elements(shape)),
    bytes: gguf.bytes,
    shares: null,
    dtypes: elementsByType(gguf.tensors),
    tied: embedding ? !gguf.tensors.some(({ name }) => name === 'output.weight') : null,
    vocabulary: embedding?.shape.at(0) ?? number('vocab_size') ?? listLength(gguf, 'tokenizer.ggml.tokens'),
    hidden,
    heads,
    kvHeads: perBlock('attention.head_count_kv', 'attn_k', headDim) ?? heads,
    headDim: headDim ?? (hidden !== null && typeof heads === 'number' && hidden % heads === 0 ? hidden / heads : null),
    ffn: perBlock('feed_forward_length', 'ffn_up', 1),
    context: number('context_length'),
    traits: {},
    kinds: [],
    blockParameters: stored,
    shards: 1,
    identity: gguf.digest.toString('hex'),
    unsupported,
    notes: [...gguf.notes, ...doubts(gguf, architecture, stored.length)],
  };
}

/**
 * Opens a GGUF file for its summary: of all files of its model if it is one of several that Coppice computes with.
 * @throws UserError for a damaged header
 */
export async function openGgufSummary(path: string): Promise<{ summary: Summary; checkpoint?: Checkpoint }> {
  const gguf = await openGguf(path);
  try {
    const checkpoint = await openGgufCheckpoint(path);
    const { unsupported } = checkpoint;
    const isWhole = checkpoint.shards.length > 1 && !unsupported;
    const reason = unsupported ? { why: unsupported.why, action: unsupported.action } : null;
    const summary = isWhole ? summarize(checkpoint) : summarizeGguf(gguf, reason);
    const traits = checkpoint.architecture ? traitsOf(checkpoint.architecture) : {};
    const kinds = checkpoint.architecture ? kindsOf(checkpoint.architecture) : [];
    const notes = [...new Set([...summary.notes, ...checkpoint.notes])];
    return { summary: { ...summary, traits, kinds, notes, shares: sharesOf(checkpoint) }, checkpoint };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // The header can be shown although it contradicts itself.
    const { what, why, action } = error.texts;
    return { summary: summarizeGguf(gguf, { why: `${what}: ${why}`, action }) };
  }
}

/** The block that a tensor belongs to. Up to 4 digits, because existing models have fewer blocks. */
function ggufBlockOf(name: string): number | undefined {
  const match = /^blk\.(\d{1,4})\./.exec(name);
  return match ? Number(match[1]) : undefined;
}

/** Rows of each matrix in each block, by its name within the block. */
function blockRows(tensors: readonly GgufTensor[]): Map<string, (number | undefined)[]> {
  const rows = new Map<string, (number | undefined)[]>();
  for (const { name, shape } of tensors) {
    const block = ggufBlockOf(name);
    const matrix = /^blk\.\d+\.(\w+)\.weight$/.exec(name)?.[1];
    if (block === undefined || matrix === undefined) continue;
    const list = rows.get(matrix) ?? [];
    list[block] = shape.at(0);
    rows.set(matrix, list);
  }
  return rows;
}

/** Null unless every block has the matrix and its rows are whole units. */
function listedNumber(rows: readonly (number | undefined)[] | undefined, unit: number | null): LayerNumber | null {
  if (!rows || unit === null) return null;
  const counts = Array.from(rows, (count) => (count ?? NaN) / unit);
  return counts.every((count) => Number.isInteger(count) && count > 0) ? layerNumber(counts) : null;
}

/** Contradictions between metadata and tensors, and missing information. */
function doubts(gguf: Omit<GgufFile, 'stamp'>, architecture: string | null, stored: number): string[] {
  const notes: string[] = [];
  const named = gguf.metadata.get('general.architecture');
  if (architecture === null) {
    notes.push(
      named
        ? `general.architecture is stored as ${named.type}, not as a text, so the model is unknown`
        : 'general.architecture is missing, so the model is unknown',
    );
  } else {
    const entry = gguf.metadata.get(`${architecture}.block_count`);
    const said = entry && typeof entry.value !== 'object' ? String(entry.value) : undefined;
    if (said !== undefined && said !== String(stored) && gguf.tensors.length > 0) {
      notes.push(
        `${printable(architecture, 60)}.block_count is ${said}, but tensors of ${counted(stored, 'block')} are stored`,
      );
    }
  }
  const parts = positive(gguf, 'split.count');
  if (parts !== null && parts > 1) notes.push(`it is one of ${parts} files that make up the model`);
  return notes;
}

/** Stored elements of every block, up to the highest stored block. */
function storedBlocks(tensors: readonly GgufTensor[]): number[] {
  const perBlock: number[] = [];
  for (const { name, shape } of tensors) {
    const block = ggufBlockOf(name);
    if (block !== undefined) perBlock[block] = (perBlock[block] ?? 0) + elements(shape);
  }
  return Array.from(perBlock, (count: number | undefined) => count ?? 0);
}

function text(gguf: Omit<GgufFile, 'stamp'>, key: string): string | null {
  const value = gguf.metadata.get(key)?.value;
  return typeof value === 'string' ? value : null;
}

function positive(gguf: Omit<GgufFile, 'stamp'>, key: string): number | null {
  const value = gguf.metadata.get(key)?.value;
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null;
}

function listLength(gguf: Omit<GgufFile, 'stamp'>, key: string): number | null {
  const value = gguf.metadata.get(key)?.value;
  return typeof value === 'object' ? value.length : null;
}

function elementsByType(tensors: readonly GgufTensor[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { dtype, shape } of tensors) counts[dtype] = (counts[dtype] ?? 0) + elements(shape);
  return counts;
}

function sum(tensors: readonly GgufTensor[], of: (tensor: GgufTensor) => number): number {
  return tensors.reduce((total, tensor) => total + of(tensor), 0);
}
