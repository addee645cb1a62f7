/** Writes a model and its draft for a program, into one folder. */
import { cp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isGgufCheckpoint } from '../../engine/checkpoint/gguf/name';
import { PAIR_NAME } from '../../engine/draft/pair-file';
import { type HeldType, ONNX_KIND, type Runtime, RUNTIME_FACTS } from '../../engine/draft/runtimes';
import { writeWhole } from '../../engine/files/whole-file';
import { type OpenedModel, openForComputing } from '../../engine/model/opened';
import { removedJson } from '../../engine/model/view';
import { inPhases, type JobOptions } from '../../engine/progress';
import {
  modelInput,
  modelName,
  newRecord,
  RECORD_NAME,
  recordTextInModel,
  type RunInput,
} from '../../engine/records/record';
import { PAIR_PLACES } from '../../engine/verify/consumers/pairs';
import { copyWhole } from '../../engine/write/copy-whole';
import { cardFront, inheritedFields } from '../../engine/write/card';
import { ONNX_FOLDER } from '../../engine/write/onnx/kinds';
import type { JsonObject } from '../../format/json';
import type { PairVerified } from '../results/draft';
import type { JobContext } from '../run';
import { modelWords, PAIR_SCRIPTS, pairReadme } from './draft-pair-texts';
import { exportedFiles } from './export-files';

export interface PairModel {
  readonly checkpoint: string;
  readonly remove?: readonly (number | string)[];
  /** File of healed weights. */
  readonly heal?: string;
  readonly type: HeldType;
  /** What an export wrote of it already, for the runtime: it is copied. */
  readonly written?: string;
}

export interface Pair {
  readonly runtime: Runtime;
  readonly target: PairModel;
  readonly draft: PairModel;
  /** The most tokens of a round. */
  readonly length: number;
  /** A token that the draft finds less likely ends the round's draft; 0 for none. */
  readonly threshold: number;
  readonly temperature: number;
  /** For running it: the target's own greedy text for some prompts, and the passes of the target that were forecast. */
  readonly texts: readonly {
    readonly prompt: readonly number[];
    readonly ids: readonly number[];
    readonly rounds: number;
  }[];
}

/** onnxruntime-genai makes a second pass of the target in each round of one token. */
const SHORTEST_IN_GENAI = 2;

/**
 * Writes into an empty folder: both models, a README, a program where there is a short one, and `coppice-pair.json`.
 * @param run runs the pair in the folder once both models are in it; what came of it is written beside them
 * @returns names of the files, relative, with "/"
 * @throws UserError when the format cannot say a model, or it cannot be written; CancelledError
 */
export async function writePair(
  given: Pair,
  folder: string,
  context: JobContext,
  run: (folder: string) => Promise<PairVerified | null> = () => Promise.resolve(null),
): Promise<string[]> {
  const isShort = given.runtime === 'genai' && given.length < SHORTEST_IN_GENAI;
  const pair = isShort ? { ...given, length: SHORTEST_IN_GENAI } : given;
  if (isShort) {
    context.note(
      'onnxruntime-genai gets a length of 2: with one token at once it makes a second pass of the model in each round',
    );
  }
  const target = await opened(pair.target, context.job);
  const draft = await opened(pair.draft, context.job);
  const [writingTarget, writingDraft] = inPhases(context.job, [{ share: 1 }, { share: 1 }]);
  const { target: targetName, draft: draftName } = PAIR_PLACES[pair.runtime];
  await writeModel(pair, pair.target, join(folder, targetName), context, writingTarget);
  await writeModel(pair, pair.draft, join(folder, draftName), context, writingDraft);
  if (pair.runtime === 'genai') await joinFolders(pair, folder);
  const script = PAIR_SCRIPTS[pair.runtime];
  if (script) await writeWhole(join(folder, script[0]), script[1](pair));
  const verified = await run(folder);
  const name = modelName(target.checkpoint);
  const facts = {
    name,
    target: modelWords(pair.target, name),
    draft: modelWords(pair.draft, modelName(draft.checkpoint)),
    front: cardFront(target.checkpoint, ['speculative-decoding', 'coppice'], await inheritedFields(target.checkpoint), {
      isStock: false,
    }),
    verified,
  };
  // A forecast of another length says nothing about this one.
  const texts = pair.texts.map((text) => (isShort ? { ...text, rounds: null } : text));
  await writeWhole(join(folder, 'README.md'), pairReadme(pair, isShort ? { ...facts, unforeseen: true } : facts));
  const files = await exportedFiles(folder);
  const record = newRecord({
    kind: 'draft',
    inputs: [...inputsOf(target, 'model'), ...inputsOf(draft, 'draft')],
    settings: {
      runtime: pair.runtime,
      length: pair.length,
      threshold: pair.threshold,
      temperature: pair.temperature,
      target: held(pair.target, target),
      draft: held(pair.draft, draft),
    },
    results: { files, texts, verified },
    started: context.started,
  });
  await writeWhole(join(folder, PAIR_NAME), recordTextInModel(record));
  return [...files.map((file) => file.name), PAIR_NAME].sort();
}

const opened = ({ checkpoint, remove, heal }: PairModel, job: JobOptions): Promise<OpenedModel> =>
  openForComputing(checkpoint, { remove, heal }, job);

const inputsOf = ({ checkpoint, inputs }: OpenedModel, role: string): RunInput[] => [
  { ...modelInput(checkpoint), role },
  ...inputs,
];

const held = ({ type }: PairModel, { removed, healed }: OpenedModel): JsonObject => ({
  type,
  removed: removedJson(removed),
  healed: healed !== undefined,
});

/** @param out a file for GGUF, else a folder; it does not exist */
async function writeModel(
  { runtime }: Pair,
  { checkpoint, remove = [], heal, type, written }: PairModel,
  out: string,
  context: JobContext,
  job: JobOptions,
): Promise<void> {
  const { format } = RUNTIME_FACTS[runtime];
  const isGenai = runtime === 'genai';
  const place = isGenai ? `${out}.whole` : out;
  if (written !== undefined && (await stat(written)).isDirectory()) {
    await cp(written, place, { recursive: true, errorOnExist: true, force: false });
    return;
  }
  const copied = written ?? (format === 'gguf' ? await plainGguf(checkpoint, { remove, heal, type }) : undefined);
  if (copied !== undefined) {
    await copyWhole(copied, place, job);
    return;
  }
  const kind = format === 'onnx' ? (ONNX_KIND[type] ?? 'fp32') : type;
  await context.run(
    'export',
    {
      checkpoint,
      remove: [...remove],
      heal,
      format,
      type: kind === 'stored' ? undefined : [kind],
      out: place,
      // Coppice runs the others itself, and compares their texts; ONNX files it would not.
      verify: isGenai,
    },
    { job },
  );
}

/** The one file that a model already is, as it ships; undefined if it has to be written. */
async function plainGguf(
  path: string,
  { remove = [], heal, type }: Pick<PairModel, 'remove' | 'heal' | 'type'>,
): Promise<string | undefined> {
  if (type !== 'stored' || remove.length > 0 || heal !== undefined) return undefined;
  const { checkpoint } = await openForComputing(path, {});
  return isGgufCheckpoint(checkpoint) && checkpoint.format === 'gguf' ? checkpoint.home : undefined;
}

/**
 * Makes one folder of two ONNX folders: everything of the target, and the files of the draft's model below `draft`.
 * onnxruntime-genai refuses paths that lead out of its folder.
 */
async function joinFolders({ length }: Pair, folder: string): Promise<void> {
  const { target, draft } = PAIR_PLACES.genai;
  const [whole, drafting] = [`${target}.whole`, `${draft}.whole`].map((name) => join(folder, name));
  const config = await configIn(whole);
  const { decoder } = (await configIn(drafting)).model;
  for (const name of await readdir(whole)) await rename(join(whole, name), join(folder, name));
  await rename(join(drafting, ONNX_FOLDER), join(folder, draft));
  await rm(drafting, { recursive: true });
  await rm(whole, { recursive: true });
  await rm(join(folder, RECORD_NAME)); // of the target alone, before its files changed
  const filename = String(decoder.filename).replace(`${ONNX_FOLDER}/`, `${draft}/`);
  const paired = {
    ...config,
    model: { ...config.model, draft: { ...decoder, filename } },
    speculative: { max_draft_tokens: length },
  };
  await writeWhole(join(folder, 'genai_config.json'), `${JSON.stringify(paired, null, 2)}\n`);
}

interface GenaiConfig extends JsonObject {
  readonly model: JsonObject & { readonly decoder: JsonObject };
}

/** Of a folder that was just written. */
const configIn = async (folder: string): Promise<GenaiConfig> =>
  JSON.parse(await readFile(join(folder, 'genai_config.json'), 'utf8')) as GenaiConfig;
