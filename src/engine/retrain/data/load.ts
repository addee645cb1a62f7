/**
 * Training data from files (Shortened LLaMA §3.3, and its continued pre-training): instructions, conversations,
 * documents or running text become examples of token ids. Some of them are held out for validation.
 */
import { basename, resolve } from 'node:path';
import { type Application, readApplication, telling } from '../../application/read';
import { usable } from '../../application/text';
import type { RunInput } from '../../records/record';
import { fileInput } from '../../records/details';
import { splitIn, type TextShare, type TextSplit, withShare } from '../../../format/text-share';
import { counted } from '../../../format/words';
import { UserError } from '../../errors';
import { option } from '../../option-token';
import { type JobOptions, Work } from '../../progress';
import { Random } from '../../random';
import { shareOfRows, shareOfText } from '../../files/share-of-text';
import { readTextFile } from '../../files/text-file';
import { givenBatches } from './batches';
import { type EncodedFile, encodeRecords, type Parts, workOf } from './encode';
import type { BosMode } from '../../../format/bos';
import { type ExampleSet, countTargets, type Example } from './example';
import { evaluationSize } from './held-out';
import { checkDataOptions, type DataOptions, heldOutCount, type TextEncoder } from './options';
import { unwrapLines } from '../../files/unwrap';
import { type DataKind, parseRecords, type Records, unusable } from './records';

export interface TrainingData extends ExampleSet {
  /** The description for the run's record. */
  readonly describe: DataDescription;
}

/** Data of a training. */
export interface DataDescription {
  readonly files: readonly FileDescription[];
  readonly length: number;
  readonly seed: number;
  readonly train: PartDescription;
  /** `looked`: number of examples in an evaluation. */
  readonly heldOut: PartDescription & { readonly looked: number };
  /** Records without a target within the length, which were left out. */
  readonly dropped: number;
  /** Records that were cut at the length. */
  readonly truncated: number;
  /** Where the begin-of-text token is; undefined for batches of ids. */
  readonly bos?: BosMode;
}

/** A file of data. */
export interface FileDescription {
  /** Name of the file, without its folder. */
  readonly file: string;
  /** SHA-256 (hex) of the file's bytes. */
  readonly sha256: string;
  readonly kind: DataKind;
  /** The share that was read; all of it when undefined. */
  readonly share?: TextShare;
}

/** The files of data as inputs of a run. An application's text has an entry for each kind of its records, and is one input. */
export function dataInputs(files: readonly FileDescription[]): RunInput[] {
  const inputs = files.map(({ file, sha256, share }) => fileInput('data', file, sha256, share));
  return inputs.filter(
    (input, i) => i === inputs.findIndex(({ name, sha256 }) => name === input.name && sha256 === input.sha256),
  );
}

/** A part of the data: what is learned, or what is held out. */
export interface PartDescription {
  readonly examples: number;
  readonly tokens: number;
  /** Number of targets. */
  readonly targets: number;
}

/** alpaca-cleaned has 44 MB. JavaScript strings have at most 512 MiB. */
const FILE_CAP = 256 * 2 ** 20;
const FILE_CAP_REASON = 'Split it into several files, or use a part: retraining sees some ten million tokens at most.';

/**
 * Reads the training data of one or several files, which may be of different kinds. The held-out part comes from all
 * files in proportion. Batches of ids need no tokenizer.
 * @throws UserError naming file, line and field when data cannot be read or used; CancelledError
 */
export async function loadTrainingData(
  source: string | readonly string[],
  options: DataOptions,
  tokenizer: TextEncoder | undefined,
  job: JobOptions = {},
): Promise<TrainingData> {
  checkDataOptions(options);
  const files: LoadedFile[] = [];
  let application: Application | undefined;
  for (const file of typeof source === 'string' ? [source] : source) {
    const split = splitIn(options.share);
    if (split !== undefined) {
      application = await readApplication(file, job);
      files.push(...(await ofApplication(file, application, split, options, tokenizer)));
      continue;
    }
    const { text, sha256 } = await readTextFile(file, FILE_CAP, FILE_CAP_REASON);
    const records = shareOfRecords(parseRecords(text, file, options.kind), file, options.share);
    const unwrapped = options.unwrap && records.kind === 'text';
    files.push({ file, sha256, records: unwrapped ? { kind: 'text', text: unwrapLines(records.text) } : records });
  }
  const encode = () => encodeFiles(files, options, tokenizer, job);
  const { train, heldOut, batches, dropped, truncated } =
    fixedBatches(files, options) ?? (await (application ? telling(application, encode) : encode()));
  const examples = [...train, ...heldOut];
  checkVocabulary(examples, options.vocabulary, files);
  const of = withShare(options.share);
  const describe: DataDescription = {
    files: files.map(({ file, sha256, records }) => ({ file: basename(file), sha256, kind: records.kind, ...of })),
    length: batches === undefined ? options.length : examples.reduce((most, { ids }) => Math.max(most, ids.length), 0),
    seed: options.seed,
    train: describePart(train),
    heldOut: { ...describePart(heldOut), looked: evaluationSize(heldOut.length) },
    dropped,
    truncated,
    ...(batches === undefined && { bos: options.beginning.mode }),
  };
  return { train, heldOut, ...(batches && { batches }), describe };
}

/** The records of a split of an application's text, by their kinds. */
async function ofApplication(
  path: string,
  application: Application,
  split: TextSplit,
  { unwrap }: DataOptions,
  tokenizer: TextEncoder | undefined,
): Promise<LoadedFile[]> {
  const { records } = await usable(application, split, tokenizer);
  const placed = records.map((value, i) => ({ place: `record ${i + 1} for ${split}`, value }));
  const documents = placed.flatMap(({ place, value }) =>
    value.kind === 'document' ? [{ place, value: unwrap ? unwrapLines(value.text) : value.text }] : [],
  );
  const instructions = placed.flatMap(({ place, value }) =>
    value.kind === 'instruction' ? [{ place, value: value.instruction }] : [],
  );
  const chats = placed.flatMap(({ place, value }) => (value.kind === 'chat' ? [{ place, value: value.messages }] : []));
  const kinds: Records[] = [
    { kind: 'documents', records: documents },
    { kind: 'instructions', records: instructions },
    { kind: 'chat', records: chats },
  ];
  const { sha256 } = application;
  return kinds
    .filter((each) => each.kind !== 'text' && each.kind !== 'batches' && each.records.length > 0)
    .map((each) => ({ file: resolve(path), sha256, records: each }));
}

/** Texts are cut as everywhere, records between two of them. Batches are for models without a tokenizer. */
function shareOfRecords(records: Records, file: string, share: TextShare | undefined): Records {
  if (share === undefined) return records;
  switch (records.kind) {
    case 'text':
      return { kind: 'text', text: shareOfText(records.text, file, share) };
    case 'documents':
      return { kind: 'documents', records: shareOfRows(records.records, file, share) };
    case 'instructions':
      return { kind: 'instructions', records: shareOfRows(records.records, file, share) };
    case 'chat':
      return { kind: 'chat', records: shareOfRows(records.records, file, share) };
    case 'batches':
      throw unusable(file, 'it fixes the batches, so no share of it can be taken', `Leave ${option('share')} out.`);
  }
}

interface LoadedFile {
  readonly file: string;
  readonly sha256: string;
  readonly records: Records;
}

interface Loaded extends Parts {
  readonly batches?: TrainingData['batches'];
  readonly dropped: number;
  readonly truncated: number;
}

/** The batches, if the only file holds batches. */
function fixedBatches(files: readonly LoadedFile[], { heldOut = 0, context }: DataOptions): Loaded | undefined {
  const fixed = files.find(({ records }) => records.kind === 'batches');
  if (fixed?.records.kind !== 'batches') return undefined;
  if (files.length > 1)
    throw unusable(fixed.file, 'it fixes the batches, so it must be the only file', 'Name only this file.');
  if (heldOut > 0) throw unusable(fixed.file, 'it fixes the batches, so none can be held out', 'Hold out 0.');
  const { examples, batches } = givenBatches(fixed.records.value, fixed.file, context);
  return { train: examples, heldOut: [], batches, dropped: 0, truncated: 0 };
}

async function encodeFiles(
  files: readonly LoadedFile[],
  options: DataOptions,
  tokenizer: TextEncoder | undefined,
  job: JobOptions,
): Promise<Loaded> {
  const encodable = files.flatMap(({ file, records }) => (records.kind === 'batches' ? [] : [{ file, records }]));
  if (encodable.length === 0)
    throw new UserError('Cannot train', 'no data file is given', `Name one with ${option('data')}.`);
  if (tokenizer === undefined) {
    throw unusable(
      encodable[0].file,
      'the checkpoint has no tokenizer that Coppice can use',
      'Copy tokenizer.json into the checkpoint, or give token ids: {"batches": [{"ids": [[…]], "labels": [[…]]}]}.',
    );
  }
  const total = encodable.reduce((sum, { records }) => sum + workOf(records), 0);
  const work = new Work(job, total, 'records', 'encoding');
  const encoded: EncodedFile[] = [];
  for (const { file, records } of encodable) {
    work.step(`encoding ${basename(file)}`);
    encoded.push(await encodeRecords(records, file, options, tokenizer, work));
  }
  const sum = (count: (file: EncodedFile) => number) => encoded.reduce((total, file) => total + count(file), 0);
  const units = sum((file) => file.units);
  if (units === 0) throw nothingToLearn(encodable[0].file, options);
  const parts = splitFiles(encoded, heldOutCount(units, options.heldOut), new Random(options.seed));
  if (parts.train.length === 0) throw nothingToLearn(encodable[0].file, options);
  return { ...parts, dropped: sum((file) => file.dropped), truncated: sum((file) => file.truncated) };
}

/** Holds out `count` units in total, a share from each file. Rounding the running sums makes the shares add up. */
function splitFiles(files: readonly EncodedFile[], count: number, random: Random): Parts {
  const units = files.reduce((sum, file) => sum + file.units, 0);
  let before = 0;
  const parts = files.map((file) => {
    const share = (upTo: number) => Math.round((upTo * count) / units);
    const here = share(before + file.units) - share(before);
    before += file.units;
    return file.split(here, random);
  });
  return { train: parts.flatMap(({ train }) => train), heldOut: parts.flatMap(({ heldOut }) => heldOut) };
}

function nothingToLearn(file: string, { length }: DataOptions): UserError {
  return unusable(
    file,
    `it has no token to learn within ${counted(length, 'token')}`,
    `Give more text; for instructions and chats answers, and a ${option('retrain.length')} longer than the prompt.`,
  );
}

function describePart(examples: readonly Example[]): PartDescription {
  const tokens = examples.reduce((sum, { ids }) => sum + ids.length, 0);
  const targets = examples.reduce((sum, example) => sum + countTargets(example), 0);
  return { examples: examples.length, tokens, targets };
}

function checkVocabulary(
  examples: readonly Example[],
  vocabulary: number | undefined,
  files: readonly LoadedFile[],
): void {
  if (vocabulary === undefined) return;
  for (const { ids, labels } of examples) {
    const bad = ids.find((id) => id >= vocabulary) ?? labels.find((label) => label >= vocabulary);
    if (bad === undefined) continue;
    throw unusable(
      files.map(({ file }) => file).join(', '),
      `there is a token ${bad}, the model’s vocabulary has ${vocabulary} ids`,
      'Use ids of this model’s tokenizer; or check that tokenizer.json belongs to the checkpoint.',
    );
  }
}
