/** Trimmed vocabularies against `vocabulary/*.json` (golden/README.md): which tokens stay, how texts are encoded, what losses become. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { loadLocalTokenizer } from '../../src/engine/tokenizer/local';
import { piecesOf } from '../../src/engine/vocabulary/counts';
import { type Kept, keptTokens, Paths } from '../../src/engine/vocabulary/rule';
import { readVocabulary, type VocabularySource } from '../../src/engine/vocabulary/source';
import { literalsOf } from '../../src/engine/vocabulary/specials';
import { alphabetOf } from '../../src/engine/vocabulary/tokens';
import { shared } from './shared';

export interface GoldenCase {
  readonly text: string;
  readonly ids: readonly number[];
  readonly trimmed: readonly number[];
  readonly covered: boolean;
}

export interface GoldenTrim {
  readonly min: number;
  readonly multiple: number;
  readonly kept: number;
  readonly merges: number;
  /** Hexadecimal; digit k stands for the ids 4k … 4k + 3, the lowest in the top bit. */
  readonly mask: string;
  readonly targets: number;
  readonly meanNll: number;
  readonly meanNllTrimmed: number;
  readonly meanLogKeptMass: number;
  readonly outsideMass: number;
  readonly cases: readonly GoldenCase[];
  readonly heldOut: Readonly<
    Record<'pieces' | 'covered' | 'coveredEqual' | 'tokens' | 'newTokens' | 'unknown' | 'coverage' | 'growth', number>
  >;
}

export interface GoldenVocabulary {
  readonly texts: readonly string[];
  readonly held: string;
  readonly size: number;
  readonly tokensCounted: number;
  readonly seen: number;
  readonly specials: readonly number[];
  readonly alphabet: number;
  readonly results: readonly GoldenTrim[];
}

export const goldenVocabulary = (name: string): GoldenVocabulary =>
  JSON.parse(readFileSync(shared('golden/vocabulary', `${name}.json`), 'utf8')) as GoldenVocabulary;

/** The ids of a mask. */
export const idsOfMask = (mask: string): number[] =>
  Array.from(mask).flatMap((digit, d) =>
    [3, 2, 1, 0].flatMap((bit, i) => ((Number.parseInt(digit, 16) >> bit) & 1 ? [4 * d + i] : [])),
  );

/** The pieces of a text: "train.txt:0-20000" has the bytes from and to. Halves of characters at its ends are left out. */
export function goldenPieces(spec: string): string[] {
  const [, name, from, to] = /^(.*?)(?::(\d+)-(\d+))?$/.exec(spec)!;
  const path = ['prose', 'stories', 'wikitext2'].map((folder) => shared('data', folder, name)).find(existsSync)!;
  const bytes = readFileSync(path);
  const part = from === undefined ? bytes : bytes.subarray(Number(from), Number(to));
  return piecesOf(part.toString('utf8').replaceAll('\ufffd', ''));
}

/** A vocabulary, counted on texts. */
export interface Counted {
  readonly source: VocabularySource;
  readonly counts: ReadonlyMap<number, number>;
  readonly tokens: number;
  keep(min: number, multiple: number): Kept;
}

/** @param folder of a checkpoint, or its GGUF file */
export async function countedVocabulary(folder: string, pieces: readonly string[]): Promise<Counted> {
  const source = await readVocabulary(await openCheckpoint(folder));
  const tokenizer = await loadLocalTokenizer(folder);
  const encode = (text: string): number[] => tokenizer.encode(text, { addSpecialTokens: false });
  const counts = new Map<number, number>();
  let tokens = 0;
  for (const piece of pieces) {
    for (const id of encode(piece)) {
      counts.set(id, (counts.get(id) ?? 0) + 1);
      tokens++;
    }
  }
  const paths = new Paths(source.tokens);
  const always = {
    alphabet: alphabetOf(source.tokens),
    specials: source.specials,
    named: literalsOf(source.template).flatMap(encode),
  };
  return {
    source,
    counts,
    tokens,
    keep: (min, multiple) => keptTokens(source.tokens, paths, { ...always, counts, min, multiple }),
  };
}

export const goldenCases = (): readonly string[] =>
  JSON.parse(readFileSync(join(shared('golden/vocabulary'), 'cases.json'), 'utf8')) as string[];
