/**
 * Opens a checkpoint: reads headers, index and config. Reads no tensor data, except a head that may equal the embedding
 * (tied-head.ts). Checks the declarations of the files before using them (limits.ts has the caps).
 */
import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { counted } from '../../format/words';
import { UserError } from '../errors';
import type { Architecture, LayerShape } from './architecture';
import { printable } from '../formats/bounded-json';
import { isUnsupported, readConfigArchitecture } from './config';
import { openGgufCheckpoint } from './gguf/open';
import { readConfigFile, readGenerationEos } from './config-file';
import { filesBytes, folderBytes } from './file-bytes';
import { checkAgainstIndex, readShardIndex } from '../formats/safetensors/index-file';
import { locateCheckpoint, type Located } from './locate';
import { readShards } from '../formats/safetensors/shards';
import { hasTextPart, textConfig, textPart, type TextPart, writtenPrefix } from './text-part';
import { headIsEmbedding } from './tied-head';
import type { Checkpoint, Unsupported } from './types';
import type { TensorInfo } from '../formats/tensor';
import { verifyTensors } from './verify';

/**
 * Opens the checkpoint at `path`: a folder, a `.safetensors` file, an index, a `config.json` or a GGUF file. Throws `UserError` for
 * damaged or contradictory files. A valid checkpoint that Coppice cannot compute with opens with `unsupported` set.
 * @param layers shapes of the blocks that config.json cannot express; the weights are checked against them
 * @throws CancelledError once `signal` is aborted
 */
export async function openCheckpoint(
  path: string,
  signal?: AbortSignal,
  layers?: readonly LayerShape[],
): Promise<Checkpoint> {
  const located = await locateCheckpoint(path);
  if (located.weights.kind === 'gguf')
    return { ...(await openGgufCheckpoint(located.weights.path, signal)), path: located.path };
  const { weights, folder, names } = located;
  const index = weights.kind === 'index' ? await readShardIndex(weights.path) : undefined;
  const config = names.includes('config.json') ? await readConfigFile(folder) : undefined;
  const set = await readShards(dirname(weights.path), index?.shards ?? [basename(weights.path)], index?.name, signal);
  const unlisted = index ? checkAgainstIndex(index, set.shardOf) : 0;
  const part = config && hasTextPart(config.value) ? textPart(set.tensors, config.value) : undefined;
  const tensors = part?.tensors ?? set.tensors;
  const value = config && textConfig(config.value);
  const prefix = config && writtenPrefix(config.value);
  const support = await describe(located, value, part ? modelTensors(part) : tensors, layers);
  const notes = [...(part ? [part.note] : []), ...support.notes];
  if (unlisted > 0)
    notes.push(
      `${counted(unlisted, 'tensor')} in the shards ${unlisted === 1 ? 'is' : 'are'} not listed in ${basename(weights.path)}`,
    );
  const files = [...(config ? [config.stamp] : []), ...set.stamps];
  return {
    path: located.path,
    folder,
    home: folder,
    format: index ? 'safetensors-sharded' : 'safetensors',
    ...(value && { config: value }),
    ...(support.unsupported
      ? { unsupported: support.unsupported }
      : {
          architecture: await withGenerationEos(support.architecture, located),
          ...(support.parts && { parts: support.parts }),
        }),
    shards: set.shards,
    files,
    // Without a config the files beside it may belong to anything, and one of several files is no model.
    size: config && !located.isPart ? await folderBytes(folder, files, index?.name) : filesBytes(set.stamps),
    tensors,
    ...(part && part.others.size > 0 && { others: part.others }),
    ...(part && prefix !== undefined && { prefix }),
    identity: identify(config?.bytes, set.digest),
    notes,
  };
}

/** Without the tensors of other parts, about which there is a note already. */
const modelTensors = ({ tensors, others }: TextPart): ReadonlyMap<string, TensorInfo> =>
  new Map([...tensors].filter(([name]) => !others.has(name)));

/** The architecture of a checkpoint for computing. Throws `UserError` if the checkpoint can only be inspected. */
export function requireArchitecture(checkpoint: Checkpoint): Architecture {
  if (checkpoint.architecture) return checkpoint.architecture;
  const { why, action } = checkpoint.unsupported ?? { why: 'its architecture is unknown', action: 'Inspect it.' };
  throw new UserError(`Cannot compute with ${checkpoint.path}`, why, action);
}

type Support = { readonly notes: readonly string[] } & (
  | {
      readonly architecture: Architecture;
      readonly unsupported?: undefined;
      readonly parts?: ReadonlyMap<string, TensorInfo>;
    }
  | { readonly unsupported: Unsupported }
);

async function describe(
  located: Located,
  config: Readonly<Record<string, unknown>> | undefined,
  tensors: ReadonlyMap<string, TensorInfo>,
  layers: readonly LayerShape[] | undefined,
): Promise<Support> {
  if (!config) {
    const why = 'there is no config.json beside the weights';
    return { unsupported: { why, action: "Put the model's config.json into the folder." }, notes: [] };
  }
  if (located.isPart) {
    const why = 'it is one of several files of a checkpoint';
    return { unsupported: { why, action: `Open the folder, ${located.folder}, for all of the model.` }, notes: [] };
  }
  const described = readConfigArchitecture(config);
  if (isUnsupported(described)) return { unsupported: described, notes: [] };
  const tied = described.tied && (await headIsEmbedding(described, tensors));
  const architecture = { ...described, layers: layers ?? described.layers, tied };
  const { unsupported, unused, parts } = verifyTensors(architecture, tensors);
  const notes = architecture.tied === described.tied ? [] : [OWN_HEAD_NOTE];
  if (unused.length > 0) notes.push(unusedNote(unused));
  return unsupported ? { unsupported, notes } : { architecture, notes, ...(parts && { parts }) };
}

const OWN_HEAD_NOTE =
  'tie_word_embeddings is true in config.json, but the weights have a separate head, lm_head.weight; Coppice uses it, like transformers 5';

function unusedNote(unused: readonly string[]): string {
  const shown = unused.slice(0, 3).map((name) => printable(name, 80));
  const rest = unused.length - shown.length;
  return `stored but not used by the model: ${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

async function withGenerationEos(architecture: Architecture, located: Located): Promise<Architecture> {
  const eosTokenIds = await readGenerationEos(located.folder, located.names);
  return eosTokenIds === undefined ? architecture : { ...architecture, eosTokenIds };
}

/** Uses only the content of the files, not paths or times. */
function identify(config: Buffer | undefined, shards: Buffer): string {
  const configDigest = createHash('sha256')
    .update(config ?? '')
    .digest();
  return createHash('sha256').update('coppice checkpoint 1\n').update(configDigest).update(shards).digest('hex');
}
