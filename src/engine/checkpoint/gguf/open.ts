/**
 * Opens a model in GGUF files as a checkpoint: weights by the names of Hugging Face, an architecture and a config from the
 * metadata. Reads headers only, and the few divisors of a scaled rotation.
 */
import { createHash } from 'node:crypto';
import { basename, dirname, resolve } from 'node:path';
import { counted } from '../../../format/words';
import { throwIfCancelled, UserError } from '../../errors';
import { printable } from '../../formats/bounded-json';
import { isReadable } from '../../formats/dtype';
import { type GgufFile, openGguf } from '../../formats/gguf/file';
import { checkpointTensor, type PlacedGguf, sliceOf } from '../../formats/gguf/placed';
import { joinedTensor } from '../../formats/joined';
import { readTensor } from '../../formats/read-tensor';
import type { TensorInfo } from '../../formats/tensor';
import type { Architecture } from '../architecture';
import { attentionIn, ropeOf } from '../kinds/parts';
import { filesBytes } from '../file-bytes';
import type { Checkpoint, Unsupported } from '../types';
import { weightKeys, weightOf } from '../weight-key';
import { ggufArchitecture, isTakenApart } from './as-gguf';
import { describeGguf, type GgufModel } from './describe';
import { fileTypeName } from './file-types';
import { ALL_ROPE_FACTORS, ggufName, heldBy, heldShape } from './names';
import { liesOf } from './lies';
import { partsOf } from './parts';

/** Divisors of a head of the largest width that Coppice takes. */
const MAX_FACTORS = 2 ** 12;

/** The files of a model, in order, and what they hold together. */
interface GgufSet {
  readonly files: readonly GgufFile[];
  /** By llama.cpp's names, in the order of the files. */
  readonly tensors: ReadonlyMap<string, PlacedGguf>;
}

/**
 * Opens the model of the GGUF file at `path`, or of all files if it is one of several. Throws `UserError` for damaged or
 * contradictory files. A valid file that Coppice cannot compute with opens with `unsupported` set, and its tensors have
 * llama.cpp's names.
 * @throws CancelledError once `signal` is aborted
 */
export async function openGgufCheckpoint(path: string, signal?: AbortSignal): Promise<Checkpoint> {
  const set = await openSet(resolve(path), signal);
  const [first] = set.files;
  const ropeFactors = await ropeFactorsOf(set.tensors);
  const described = describeGguf({ ...first, file: basename(first.path), tensors: set.tensors, ropeFactors });
  const model = 'why' in described ? described : (unreadable(described, set.tensors) ?? described);
  return {
    path: resolve(path),
    folder: dirname(first.path),
    home: first.path,
    format: set.files.length > 1 ? 'gguf-sharded' : 'gguf',
    shards: set.files.map((each) => ({
      name: basename(each.path),
      file: each.file,
      bytes: each.bytes,
      metadata: {},
    })),
    files: set.files.map(({ stamp }) => stamp),
    size: filesBytes(set.files),
    ...fileTypeOf(first.metadata.get('general.file_type')?.value),
    identity: identityOf(set.files),
    ...contentOf(model, set.tensors, first.metadata.get('general.architecture')?.value),
    notes: [...set.files.flatMap(({ notes }) => notes), ...('why' in model ? [] : notesOf(model, set.tensors))],
  };
}

/**
 * A tensor of one file by llama.cpp's name, in the order of its rows in the file.
 * @throws UserError when the header cannot be read
 */
export async function findGgufTensor(path: string, name: string): Promise<TensorInfo | undefined> {
  const { file, tensors } = await openGguf(path);
  const tensor = tensors.find((each) => each.name === name);
  return tensor && checkpointTensor(name, { ...tensor, file });
}

function fileTypeOf(number: unknown): Pick<Checkpoint, 'fileType'> {
  const fileType = typeof number === 'number' ? fileTypeName(number) : undefined;
  return fileType === undefined ? {} : { fileType };
}

type Content = Pick<Checkpoint, 'architecture' | 'config' | 'unsupported' | 'tensors'>;

/** @param family the name that the file gives its architecture, which stands for the config of a model that has none here */
function contentOf(model: GgufModel | Unsupported, stored: ReadonlyMap<string, PlacedGguf>, family: unknown): Content {
  if (!('why' in model)) {
    const { architecture, config } = model;
    return { architecture, config, tensors: namedTensors(model, stored) };
  }
  const tensors = new Map([...stored].map(([name, tensor]) => [name, checkpointTensor(name, tensor)]));
  return { unsupported: model, tensors, ...(typeof family === 'string' && { config: { model_type: family } }) };
}

async function openSet(path: string, signal?: AbortSignal): Promise<GgufSet> {
  const paths = await partsOf(path);
  const files: GgufFile[] = [];
  const tensors = new Map<string, PlacedGguf>();
  for (const [i, part] of paths.entries()) {
    throwIfCancelled(signal);
    const file = await openGguf(part, undefined, isPerBlock);
    requirePart(file, i, paths.length);
    files.push(file);
    for (const tensor of file.tensors) {
      if (tensors.has(tensor.name)) throw twice(tensor.name, basename(part));
      tensors.set(tensor.name, { ...tensor, file: file.file });
    }
  }
  const declared = files[0].metadata.get('split.tensors.count')?.value;
  if (typeof declared === 'number' && files.length > 1 && declared !== tensors.size) {
    throw new UserError(
      `${basename(path)}: metadata "split.tensors.count" is not valid`,
      `it is ${declared}, and the ${files.length} files have ${counted(tensors.size, 'tensor')}`,
      'Download all files of the model from the same revision.',
    );
  }
  return { files, tensors };
}

/** Lists with one number for each block are short; vocabularies are not needed to compute. */
const isPerBlock = (key: string): boolean => !key.startsWith('tokenizer.') && !key.startsWith('general.');

/** @throws UserError for a file whose metadata say another place among the files of the model */
function requirePart({ metadata, path }: GgufFile, index: number, count: number): void {
  const said = (key: string, absent: number): number => {
    const value = metadata.get(key)?.value ?? absent;
    return typeof value === 'number' ? value : NaN;
  };
  const [parts, number] = [said('split.count', 1), said('split.no', 0)];
  if (parts === count && number === index) return;
  if (count === 1 && parts > 1) {
    throw new UserError(
      `${basename(path)} is one of ${parts} files of a model`,
      'its name does not tell the names of the others',
      'Name the files as they were published: NAME-00001-of-00002.gguf.',
    );
  }
  throw new UserError(
    `${basename(path)} is not the file that its name says`,
    `its metadata say file ${number} of ${parts} (split.no counts from 0, split.count)`,
    'Download all files of the model from the same revision.',
  );
}

function twice(name: string, file: string): UserError {
  return new UserError(
    `"${printable(name, 120)}" is stored twice`,
    `${file} has it, and another file of the model too`,
    'Download all files of the model from the same revision.',
  );
}

async function ropeFactorsOf(
  tensors: ReadonlyMap<string, PlacedGguf>,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const factors = new Map<string, readonly number[]>();
  for (const name of ALL_ROPE_FACTORS) {
    const stored = tensors.get(name);
    if (stored) factors.set(name, await factorsIn(name, stored));
  }
  return factors;
}

async function factorsIn(name: string, stored: PlacedGguf): Promise<readonly number[]> {
  if (stored.dtype !== 'F32' || stored.shape.length !== 1 || stored.shape[0] > MAX_FACTORS) {
    throw new UserError(
      `"${name}" is not valid`,
      `it is ${stored.dtype} [${stored.shape.join(', ')}], not a list of F32 numbers`,
      'Convert the model again.',
    );
  }
  const factors = [...(await readTensor(checkpointTensor(name, stored)))];
  const odd = factors.findIndex((factor) => !(factor > 0) || !Number.isFinite(factor));
  if (odd === -1) return factors;
  throw new UserError(
    `"${name}" is not valid`,
    `number ${odd} is ${factors[odd]}; frequencies are divided by it`,
    'Convert the model again.',
  );
}

/** One file is told by its header and size, like several by theirs together. */
function identityOf(files: readonly GgufFile[]): string {
  if (files.length === 1) return files[0].digest.toString('hex');
  const hash = createHash('sha256').update('coppice gguf 1\n');
  for (const { digest } of files) hash.update(digest);
  return hash.digest('hex');
}

/** The reason why the weights cannot be read; undefined if they can. @throws UserError for a missing weight or a wrong shape */
function unreadable(
  { architecture, dialect: { names } }: GgufModel,
  tensors: ReadonlyMap<string, PlacedGguf>,
): Unsupported | undefined {
  requireFactors(architecture, tensors);
  let odd: PlacedGguf | undefined;
  const own = ggufArchitecture(architecture);
  for (const held of heldBy(weightKeys(own), names)) {
    const { name, keys } = held;
    const shape = heldShape(held, weightOf(own, keys[0])!.shape, own);
    const tensor = tensors.get(name);
    if (!tensor) throw missing(name);
    if (tensor.shape.join() !== shape.join()) {
      throw new UserError(
        `"${name}" disagrees with the metadata of the file`,
        `its shape is [${tensor.shape.join(', ')}], the metadata expect [${shape.join(', ')}]`,
        'Download the file again, or convert the model again.',
      );
    }
    if (!isReadable(tensor.dtype)) odd ??= tensor;
  }
  if (!odd) return undefined;
  const action =
    'Coppice computes with F32, F16, BF16, Q4_0 to Q8_0, Q2_K to Q6_K, IQ4_NL and IQ4_XS; the file can be inspected.';
  return { why: `"${odd.name}" is stored as ${odd.dtype}`, action, described: architecture };
}

function requireFactors({ layers }: Architecture, tensors: ReadonlyMap<string, PlacedGguf>): void {
  const [{ headDim }] = layers.flatMap((layer) => attentionIn(layer) ?? []);
  const turned = layers.map(ropeOf).find((rope) => rope !== null)?.turned ?? headDim;
  for (const name of ALL_ROPE_FACTORS) {
    const factors = tensors.get(name);
    if (!factors || factors.shape[0] === turned / 2) continue;
    throw new UserError(
      `"${name}" disagrees with the metadata of the file`,
      `it has ${counted(factors.shape[0], 'number')}, and a head of ${headDim} has ${turned / 2} pairs`,
      'Download the file again, or convert the model again.',
    );
  }
}

function missing(name: string): UserError {
  return new UserError(
    `"${name}" is missing`,
    'the metadata of the file describe a model that has it',
    'Download all files of the model again.',
  );
}

/** The model's weights by the names that a checkpoint of Hugging Face has, in the order of the file. */
function namedTensors(
  { architecture, dialect }: GgufModel,
  stored: ReadonlyMap<string, PlacedGguf>,
): ReadonlyMap<string, TensorInfo> {
  const known = new Map<string, TensorInfo[]>();
  const file = ggufArchitecture(architecture);
  for (const { name, keys, isStack } of heldBy(weightKeys(file), dialect.names)) {
    const tensor = stored.get(name)!;
    const weights = keys.map((key, index) => {
      const own = isStack ? sliceOf(tensor, index) : tensor;
      const weight = weightOf(file, key)!;
      return checkpointTensor(weight.name, { ...own, shape: weight.shape }, liesOf(dialect, file, key));
    });
    known.set(name, weights);
  }
  for (const layer of isTakenApart(architecture) ? architecture.layers.keys() : []) {
    const [gate, up] = (['gate', 'up'] as const).map((name) => ggufName({ layer, name }, dialect.names));
    const { name } = weightOf(architecture, { layer, name: 'gateUp' })!;
    known.set(gate, [joinedTensor(name, known.get(gate)![0], known.get(up)![0])]);
    known.delete(up);
  }
  return new Map([...stored.keys()].flatMap((name) => known.get(name) ?? []).map((tensor) => [tensor.name, tensor]));
}

function notesOf(
  { architecture, dialect: { names }, notes }: GgufModel,
  stored: ReadonlyMap<string, PlacedGguf>,
): string[] {
  const keys = weightKeys(ggufArchitecture(architecture));
  const used = new Set([...ALL_ROPE_FACTORS, ...[...keys].map((key) => ggufName(key, names))]);
  const unused = [...stored.keys()].filter((name) => !used.has(name));
  if (unused.length === 0) return [...notes];
  const shown = unused.slice(0, 3).map((name) => printable(name, 80));
  const rest = unused.length - shown.length;
  return [...notes, `stored but not used by the model: ${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`];
}
