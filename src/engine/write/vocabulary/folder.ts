/**
 * A checkpoint with the kept tokens alone: rows of the embedding and the head are copied byte for byte, and every file that names ids of
 * tokens is written with the new ones.
 */
import { isDeepStrictEqual } from 'node:util';
import { join } from 'node:path';
import type { Architecture } from '../../checkpoint/architecture';
import { requireArchitecture } from '../../checkpoint/open';
import type { Checkpoint } from '../../checkpoint/types';
import { weightOf } from '../../checkpoint/weight-key';
import { ownHead } from '../../checkpoint/weight-names';
import { readSmallFile } from '../../files/regular-file';
import { MAX_CONFIG_BYTES } from '../../formats/limits';
import type { RunRecord } from '../../records/record';
import type { VocabularySource } from '../../vocabulary/source';
import type { TrimmedVocabulary } from '../../vocabulary/trimmed';
import { type ConfigEdit, editConfigText, headEdits } from '../config';
import { type Plan, planCheckpoint } from '../plan';
import {
  type Companions,
  companionBytes,
  companionsOf,
  writeCheckpoint,
  type WriteOptions,
  type Written,
} from '../write-checkpoint';

export interface TrimmedFolder {
  readonly source: Pick<VocabularySource, 'others'>;
  readonly trimmed: TrimmedVocabulary;
  readonly digest: string;
  readonly card: (bytes: number) => string;
  readonly record: (bytes: number) => RunRecord;
}

export interface PlannedFolder {
  readonly plan: Plan;
  readonly companions: Companions;
  readonly config: string;
  /** Of weights, config and the files beside them. */
  readonly bytes: number;
}

/** Files with the ids of the original, for programs that do not read tokenizer.json. */
const OLD_VOCABULARY =
  /^(vocab\.(json|txt)|merges\.txt|added_tokens\.json|tekken\.json|(tokenizer|spiece|sentencepiece\.bpe)\.model(\..*)?)$/;

/** What would be written. @throws UserError when a file of the source cannot be read */
export async function planTrimmedFolder(checkpoint: Checkpoint, of: TrimmedFolder): Promise<PlannedFolder> {
  const { trimmed } = of;
  const architecture = requireArchitecture(checkpoint);
  const names = tokenTensors(architecture);
  const plan = planCheckpoint(checkpoint, [], {
    rows: ({ name, shape }) => (names.has(name) && shape[0] === architecture.vocabulary ? trimmed.kept : undefined),
    notes: { 'coppice.vocabulary': of.digest },
  });
  const companions = await trimmedCompanions(checkpoint, of);
  const text = (await readSmallFile(join(checkpoint.folder, 'config.json'), MAX_CONFIG_BYTES)).toString('utf8');
  const edits = [...headEdits(checkpoint.config ?? {}, architecture), ...configEdits(checkpoint, trimmed)];
  const config = editConfigText(text, edits);
  return { plan, companions, config, bytes: plan.bytes + Buffer.byteLength(config) + companionBytes(companions) };
}

/**
 * @param out must not exist
 * @throws UserError as `planTrimmedFolder` does, and when it cannot be written; CancelledError. No partial output remains
 */
export async function writeTrimmedFolder(
  checkpoint: Checkpoint,
  of: TrimmedFolder,
  out: string,
  options: WriteOptions = {},
): Promise<Written & { readonly bytes: number }> {
  const { bytes, ...planned } = await planTrimmedFolder(checkpoint, of);
  const written = await writeCheckpoint(
    checkpoint,
    {
      ...planned,
      architecture: trimmedArchitecture(requireArchitecture(checkpoint), of.trimmed),
      card: of.card(bytes),
      record: () => of.record(bytes),
    },
    out,
    options,
  );
  return { ...written, bytes };
}

/** Names of the tensors with a row for each token. A bias of the head goes with it. */
function tokenTensors(architecture: Architecture): ReadonlySet<string> {
  const embed = weightOf(architecture, 'embed')!.name;
  const head = ownHead(architecture).name;
  return new Set([embed, head, head.replace(/\.weight$/, '.bias')]);
}

/** The model with the kept tokens. */
function trimmedArchitecture(architecture: Architecture, { kept, ids }: TrimmedVocabulary): Architecture {
  const { bosTokenId, eosTokenIds, ...rest } = architecture;
  const bos = bosTokenId === undefined ? undefined : ids.get(bosTokenId);
  return {
    ...rest,
    ...(bos !== undefined && { bosTokenId: bos }),
    eosTokenIds: eosTokenIds.flatMap((id) => ids.get(id) ?? []),
    vocabulary: kept.length,
  };
}

/** Fields of the language model's config whose values are others now, and ids that it leaves to its family. */
function configEdits({ config = {}, architecture }: Checkpoint, trimmed: TrimmedVocabulary): ConfigEdit[] {
  const { bosTokenId, eosTokenIds } = trimmedArchitecture(architecture!, trimmed);
  const usual: Readonly<Record<string, unknown>> = { bos_token_id: bosTokenId, eos_token_id: eosTokenIds[0] };
  const unsaid = Object.entries(usual).filter(([key, id]) => !(key in config) && id !== undefined);
  const changed = Object.entries(trimmed.config(config)).filter(
    ([key, value]) => !isDeepStrictEqual(value, config[key]),
  );
  return [...changed, ...unsaid].map(([key, value]) => ({ path: [key], kind: 'set', value }));
}

async function trimmedCompanions(checkpoint: Checkpoint, { source, trimmed }: TrimmedFolder): Promise<Companions> {
  const { files, leftBehind } = await companionsOf(checkpoint);
  const { texts, config } = trimmed;
  const made = [
    { name: 'tokenizer.json', text: texts.tokenizer },
    ...(texts.settings === undefined ? [] : [{ name: 'tokenizer_config.json', text: texts.settings }]),
    ...[...source.others]
      .filter(([name]) => name === 'generation_config.json')
      .map(([name, value]) => ({ name, text: `${JSON.stringify(config(value), null, 2)}\n` })),
  ];
  const isMade = (name: string): boolean => made.some((each) => each.name === name);
  return {
    files: files.filter(({ name }) => !isMade(name) && !OLD_VOCABULARY.test(name)),
    texts: made,
    leftBehind: [
      ...leftBehind,
      ...files
        .filter(({ name }) => OLD_VOCABULARY.test(name))
        .map(({ name }) => ({ name, why: 'it has the tokens of the original; tokenizer.json has those of now' })),
    ],
  };
}
