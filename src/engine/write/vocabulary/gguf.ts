/**
 * A GGUF file with the kept tokens alone. A row of the embedding is a whole number of blocks of its type, so rows are copied as they lie:
 * nothing is quantized again, and all other tensors stay byte for byte. No session is opened.
 */
import { requireArchitecture } from '../../checkpoint/open';
import { asStored } from '../../checkpoint/width';
import type { Checkpoint } from '../../checkpoint/types';
import { UserError } from '../../errors';
import { withFile } from '../../files/regular-file';
import { refuse } from '../../formats/damage';
import { type GgufFile, openGguf } from '../../formats/gguf/file';
import type { GgufField, GgufLayout, GgufValue } from '../../formats/gguf/layout';
import type { GgufArray, GgufEntry, GgufScalar } from '../../formats/gguf/metadata';
import type { GgufTensor } from '../../formats/gguf/tensors';
import { text } from '../../formats/gguf/values';
import { rowsOfStored } from '../../formats/stored-tensor';
import type { JobOptions } from '../../progress';
import type { RunRecord } from '../../records/record';
import { GGUF_ID } from '../../vocabulary/source';
import { partsOf, type Tokens } from '../../vocabulary/tokens';
import type { TrimmedVocabulary } from '../../vocabulary/trimmed';
import { staysMerge } from '../../vocabulary/trimmed-tokenizer';
import { copied } from '../gguf/from-gguf';
import { type EditedEntry, editedMetadata, isCopied } from '../gguf/source-metadata';
import type { GgufSource } from '../gguf/tensors';
import { layOutWith, recordField, writeLayout } from '../gguf/write-gguf';

/** Tensors with a row for each token. */
const BY_TOKEN: ReadonlySet<string> = new Set(['token_embd.weight', 'output.weight', 'output.bias']);
const TOKENS = 'tokenizer.ggml.tokens';
/** Lists with an item for each token. */
const LISTS: ReadonlySet<string> = new Set([TOKENS, 'tokenizer.ggml.scores', 'tokenizer.ggml.token_type']);
const MERGES = 'tokenizer.ggml.merges';
/** tokenizer.json, which some programs put there. */
const STORED = 'tokenizer.huggingface.json';

export interface TrimmedGguf {
  readonly tokens: Tokens;
  readonly trimmed: TrimmedVocabulary;
  /** What was done to the model, in a sentence. */
  readonly description: string;
  readonly record: (bytes: number) => RunRecord;
}

/**
 * What would be written for a model in GGUF files.
 * @throws UserError for a file whose tensors do not fit its tokens
 */
export async function planTrimmedGguf(checkpoint: Checkpoint, of: TrimmedGguf): Promise<GgufLayout<GgufSource>> {
  const files: GgufFile[] = [];
  for (const [i, { file }] of asStored(checkpoint).shards.entries()) {
    files.push(await openGguf(file, refuse, i === 0 ? isOfTokens : undefined));
  }
  const [first] = files;
  const rows = (first.metadata.get(TOKENS)?.value as GgufArray | undefined)?.length ?? 0;
  const { kept } = of.trimmed;
  const tensors = files.flatMap(({ tensors: listed, file }) => listed.map((each) => copyOf(each, file, rows, kept)));
  const fields = await fieldsOf(first, checkpoint, of);
  return layOutWith(of.record, [...fields, recordField(of.record(0))], tensors);
}

/**
 * @param file must not exist
 * @throws UserError as `planTrimmedGguf` does, and when it cannot be written; CancelledError. No partial output remains
 */
export async function writeTrimmedGguf(
  checkpoint: Checkpoint,
  of: TrimmedGguf,
  file: string,
  job: JobOptions = {},
): Promise<{ readonly file: string; readonly bytes: number }> {
  return writeLayout(checkpoint, await planTrimmedGguf(checkpoint, of), file, job);
}

const isOfTokens = (key: string): boolean => LISTS.has(key) || key === MERGES || GGUF_ID.test(key);

function copyOf(tensor: GgufTensor, file: string, rows: number, kept: readonly number[]): GgufSource {
  const { name, dtype, shape } = tensor;
  const whole = { ...tensor, file };
  if (!BY_TOKEN.has(name)) return { name, dtype, shape, copy: whole };
  if (shape[0] !== rows) {
    throw new UserError(
      `The vocabulary of ${file} cannot be trimmed`,
      `its tensor ${name} has ${shape[0]} rows, and there are ${rows} tokens`,
      'Get the file again.',
    );
  }
  const copy = rowsOfStored(whole, kept);
  return { name, dtype, shape: copy.shape, copy };
}

/** In the order of the source. */
async function fieldsOf(file: GgufFile, checkpoint: Checkpoint, of: TrimmedGguf): Promise<GgufField[]> {
  const all = [...requireArchitecture(checkpoint).layers.keys()];
  const entries = editedMetadata(file.metadata, {
    file: file.file,
    blocks: all.length,
    kept: all,
    set: [['general.description', text(of.description)]],
    derived: true,
  }).flatMap((entry): EditedEntry[] => (isCopied(entry) ? (trimmedField(entry, of) ?? [entry]) : [entry]));
  return withFile(file.file, (open) => copied(open, entries));
}

/** The entry with the kept tokens: none where nothing of it is left; undefined where it is as it was. */
function trimmedField({ key, type, value }: GgufEntry, { tokens, trimmed }: TrimmedGguf): GgufField[] | undefined {
  const { kept, ids } = trimmed;
  if (key === STORED) return [[key, text(trimmed.texts.tokenizer)]];
  if (key.endsWith('.vocab_size')) return [[key, { type, value: kept.length } as GgufValue]];
  if (typeof value === 'object') {
    if (LISTS.has(key))
      return [
        [
          key,
          listOf(
            value,
            kept.map((id) => value.first[id]),
          ),
        ],
      ];
    if (key === MERGES) {
      const stays = staysMerge(tokens, ids);
      return [
        [
          key,
          listOf(
            value,
            value.first.filter((merge) => stays(partsOf(String(merge)))),
          ),
        ],
      ];
    }
    return GGUF_ID.test(key)
      ? [
          [
            key,
            listOf(
              value,
              value.first.flatMap((id) => ids.get(Number(id)) ?? []),
            ),
          ],
        ]
      : undefined;
  }
  if (!GGUF_ID.test(key)) return undefined;
  const now = ids.get(Number(value));
  return now === undefined ? [] : [[key, { type, value: now } as GgufValue]];
}

const listOf = ({ of }: GgufArray, items: readonly GgufScalar[]): GgufValue =>
  ({ type: 'array', of, values: items }) as GgufValue;
