/** Which tokens of a model stay: what its application's texts use, with all that these are made of; and what that does to other texts. */
import type { Checkpoint } from '../../engine/checkpoint/types';
import { requireArchitecture } from '../../engine/checkpoint/open';
import { meanLayerParameters, parametersOf } from '../../engine/checkpoint/parameters';
import { UserError } from '../../engine/errors';
import { readTextFile } from '../../engine/files/text-file';
import { option } from '../../engine/option-token';
import { COUNTED } from '../../engine/records/calibrations';
import { fileInput } from '../../engine/records/details';
import type { RunInput } from '../../engine/records/record';
import { type Tokenizer, tokenizerOf } from '../../engine/tokenizer/tokenizer';
import { piecesOf, TokenCounts } from '../../engine/vocabulary/counts';
import { type HeldOut, heldOut, type Pair } from '../../engine/vocabulary/held-out';
import { tokensOfLanguages } from '../../engine/vocabulary/languages';
import { HeldBack, type ReadText, readTexts } from '../../engine/vocabulary/read-texts';
import { type Kept, keptTokens, Paths } from '../../engine/vocabulary/rule';
import { readVocabulary, type VocabularySource } from '../../engine/vocabulary/source';
import { literalsOf } from '../../engine/vocabulary/specials';
import { alphabetOf } from '../../engine/vocabulary/tokens';
import { type TrimmedVocabulary, trimmedVocabulary } from '../../engine/vocabulary/trimmed';
import { isJudging, TEXT_SPLITS } from '../../format/text-share';
import type { OptionsFor } from '../kinds';
import type { VocabularyResult } from '../results/vocabulary';
import type { JobContext } from '../run';

export interface Trimming {
  readonly source: VocabularySource;
  /** Rows of the original's embedding. */
  readonly size: number;
  readonly alphabet: number;
  readonly blocks: number;
  /** Of a block, on average. */
  readonly blockParameters: number;
  /** How often the texts use each token, by id. */
  readonly counts: ReadonlyMap<number, number>;
  readonly tokens: number;
  readonly chosen: Kept;
  readonly trimmed: TrimmedVocabulary;
  readonly pair: Pair;
  /** Pieces that were not counted. */
  readonly pieces: readonly string[];
  readonly held: HeldOut;
  readonly parameters: { readonly before: number; readonly after: number };
  readonly table: VocabularyResult['table'];
  readonly inputs: readonly RunInput[];
}

type Options = OptionsFor<'vocabulary'>;

/** Of word lists. */
const LIST_CAP = 16 * 2 ** 20;

/** Least counts that are compared, and those for which the held-out text is also encoded. */
const LEAST = [1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100];
const ENCODED: readonly number[] = [1, 2, 5, 10];

/** @throws UserError for a tokenizer that cannot be trimmed, and texts that cannot be read or hold nothing; CancelledError */
export async function trimming(checkpoint: Checkpoint, options: Options, context: JobContext): Promise<Trimming> {
  const { job, warn } = context;
  const source = await readVocabulary(checkpoint);
  const original = await tokenizerOf(source.texts, job);
  const { counter, pieces, inputs } = await countTexts(original, options, context);
  if (counter.tokens === 0) throw nothingCounted();
  if (pieces.length === 0) {
    warn(
      `the texts are too short to hold a part of them back, so nothing is known of other texts: name one (${option('heldOut')})`,
    );
  }
  const named = await namedTokens(source, original, options);
  const alphabet = alphabetOf(source.tokens);
  const { specials, tokens } = source;
  const { counts } = counter;
  const paths = new Paths(tokens);
  const choose = (min: number): Kept =>
    keptTokens(tokens, paths, { alphabet, specials, named, counts, min, multiple: options.multiple });
  const unknown = tokens.unknown;
  const apply = async (chosen: Kept) => {
    const trimmed = trimmedVocabulary(source, chosen.ids);
    const pair = { original, trimmed: await tokenizerOf(trimmed.texts, job), kept: chosen.ids, unknown };
    return { chosen, trimmed, pair, held: await heldOut(pair, pieces, job.signal) };
  };
  const own = await apply(choose(options.min));
  requireSound(own.held);
  const table: VocabularyResult['table'][number][] = [];
  for (const min of options.out === undefined ? [...new Set([...LEAST, options.min])].sort((a, b) => a - b) : []) {
    const chosen = min === options.min ? own.chosen : choose(min);
    const isEncoded = min === options.min || ENCODED.includes(min);
    const growth = min === options.min ? own.held.growth : isEncoded ? (await apply(chosen)).held.growth : undefined;
    table.push({
      ...{ min, kept: chosen.ids.length, parameters: parametersAfter(checkpoint, chosen) },
      coverage: coverageOf(own.held, chosen),
      ...(growth !== undefined && { growth }),
    });
  }
  const architecture = requireArchitecture(checkpoint);
  return {
    ...{ source, size: architecture.vocabulary, alphabet: alphabet.length, counts, tokens: counter.tokens },
    ...{ ...own, pieces, table, inputs },
    blocks: architecture.layers.length,
    blockParameters: meanLayerParameters(architecture),
    parameters: { before: parametersOf(architecture), after: parametersAfter(checkpoint, own.chosen) },
  };
}

/** Share of the held-out tokens that stay. */
function coverageOf({ before, tokens }: HeldOut, { ids }: Kept): number {
  const stays = new Set(ids);
  const staying = before.reduce((sum, piece) => sum + piece.filter((id) => stays.has(id)).length, 0);
  return tokens === 0 ? 1 : staying / tokens;
}

/** How many tokens occur 1, 2 or 3, 4 to 7 … times. */
export function histogramOf(counts: ReadonlyMap<number, number>): VocabularyResult['counts'] {
  const bins = new Map<number, number>();
  for (const count of counts.values()) {
    const from = 2 ** Math.floor(Math.log2(count));
    bins.set(from, (bins.get(from) ?? 0) + 1);
  }
  return [...bins].sort(([a], [b]) => a - b).map(([from, tokens]) => ({ from, to: 2 * from - 1, tokens }));
}

const parametersAfter = (checkpoint: Checkpoint, { ids }: Kept): number =>
  parametersOf({ ...requireArchitecture(checkpoint), vocabulary: ids.length });

/** Of an application's text all rows but those that judge are counted. */
const countedInputs = ({ name, sha256 }: ReadText, isApplication: boolean): RunInput[] =>
  isApplication
    ? TEXT_SPLITS.filter((split) => !isJudging(split)).map((share) => ({ role: COUNTED, name, sha256, share }))
    : [{ role: COUNTED, name, sha256 }];

/** The names of the counted texts, each once. */
export const namesOfCounted = (inputs: readonly RunInput[]): string[] => [
  ...new Map(inputs.filter(({ role }) => role === COUNTED).map(({ sha256, name }) => [sha256, name])).values(),
];

/** Counts the texts, and holds some of them back. */
async function countTexts(tokenizer: Tokenizer, options: Options, { job, warn }: JobContext) {
  const counter = new TokenCounts(tokenizer);
  const back = new HeldBack();
  const { texts, heldOut: other } = options;
  const read = await readTexts(texts, tokenizer, {
    ...job,
    warn,
    async onPieces(pieces, split) {
      const isApart = options.application !== undefined && split !== undefined;
      if (isApart && split === 'judging') pieces.forEach((piece) => back.hold(piece));
      else await counter.add(isApart || other !== undefined ? pieces : back.rest(pieces), job.signal);
    },
  });
  const inputs = read.flatMap((text) => countedInputs(text, options.application !== undefined));
  if (other !== undefined) {
    const [{ name, sha256 }] = await readTexts([other], tokenizer, {
      ...{ signal: job.signal, warn },
      onPieces: (pieces) => {
        pieces.forEach((piece) => back.hold(piece));
        return Promise.resolve();
      },
    });
    inputs.push({ role: 'text', name, sha256 });
  }
  if (options.keep !== undefined) {
    const { sha256 } = await readTextFile(options.keep, LIST_CAP, 'A list of words has some KB.');
    inputs.push(fileInput('keep', options.keep, sha256));
  }
  return { counter, pieces: back.pieces, inputs };
}

/** Tokens of the chat template's own texts, of the words that stay, and of languages. */
async function namedTokens(
  { template, tokens }: VocabularySource,
  tokenizer: Tokenizer,
  { keep, keepLanguages }: Options,
): Promise<number[]> {
  const literals = literalsOf(template);
  const words = keep === undefined ? [] : await wordsIn(keep);
  // A word stands at the start of a text, and after a blank.
  const texts = [...literals, ...words.flatMap((word) => [word, ` ${word}`])];
  const each = await tokenizer.encodeEach(texts, { addSpecialTokens: false });
  const languages = keepLanguages === undefined ? [] : tokensOfLanguages(tokens, keepLanguages);
  return [...new Set([...each.flat(), ...languages])];
}

async function wordsIn(path: string): Promise<string[]> {
  const { text } = await readTextFile(path, LIST_CAP, 'A list of words has some KB; give texts as texts.');
  return piecesOf(text)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** The rule has a proof; a difference is a bug or a tokenizer that does what no description says. @throws UserError */
function requireSound({ covered, equal, unknown, changed }: HeldOut): void {
  const why =
    equal < covered
      ? `${covered - equal} pieces whose tokens all stay would get other tokens`
      : unknown > 0
        ? `${unknown} unknown tokens would appear that were none before`
        : changed > 0
          ? `${changed} pieces would not decode to their own text`
          : undefined;
  if (why === undefined) return;
  throw new UserError(
    'The vocabulary cannot be trimmed',
    `${why}: its tokenizer does more than its description says`,
    'Leave its vocabulary as it is, and report it with this message.',
  );
}

const nothingCounted = (): UserError =>
  new UserError(
    'There is nothing to count',
    'the texts are empty',
    `Give texts of the application: ${option('texts', 'FILE')}.`,
  );
