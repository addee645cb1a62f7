/** The trimming of a vocabulary for display, or the report on what it would do. */
import { basename } from 'node:path';
import type { CostDigest, VocabularyDigest, VocabularyRowDigest } from '../../engine/records/digest-types';
import { defined } from '../../format/defined';
import { type Read, readAs } from '../read-result';
import { type VocabularyResult, vocabularyResult } from '../results/vocabulary';
import { costOf } from './cost';

/** Undefined for a result without its main numbers. */
export function vocabularyOf(results: unknown): VocabularyDigest | undefined {
  const { size, kept, min = 1, parameters, bytes, ...more } = readAs(vocabularyResult, results) ?? {};
  const [params, files] = [pairOf(parameters), pairOf(bytes)];
  if (size === undefined || kept === undefined || !params || !files) return undefined;
  const { texts, heldOut, examples = [], counts = [], table = [], advice, written } = more;
  const { count, of } = more.asBlocks ?? {};
  return defined({
    ...{ size, kept, min, parameters: params, bytes: files },
    asBlocks: count === undefined || of === undefined ? undefined : { count, of },
    texts: { files: texts?.files ?? 0, tokens: texts?.tokens ?? 0 },
    heldOut: heldOutOf(heldOut ?? {}),
    words: examples.flatMap(({ text, before, after, count }) =>
      text === undefined || before === undefined || after === undefined || count === undefined
        ? []
        : [{ text, before, after, count }],
    ),
    counts: counts.flatMap(({ from, to, tokens }) =>
      from === undefined || to === undefined || tokens === undefined ? [] : [{ from, to, tokens }],
    ),
    rows: table.flatMap(rowOf).sort((a, b) => a.min - b.min),
    advice: advice ?? undefined,
    written: typeof written === 'string' ? basename(written) : undefined,
  });
}

function pairOf(pair: Read<VocabularyResult['bytes']> | undefined): VocabularyDigest['bytes'] | undefined {
  const { before, after } = pair ?? {};
  return before === undefined || after === undefined ? undefined : { before, after };
}

function heldOutOf({
  file,
  pieces = 0,
  covered = 0,
  coverage,
  growth,
  bitsPerByte,
  outsideMass,
}: Read<VocabularyResult['heldOut']>): VocabularyDigest['heldOut'] {
  const { before, after, growth: more, tokens } = bitsPerByte ?? {};
  const bits = before === undefined || after === undefined ? undefined : defined({ before, after, growth: more });
  const lost = { coverage: coverage ?? null, growth: growth ?? null };
  return defined({ file: file ?? undefined, pieces, covered, ...lost, bits, tokens, outsideMass });
}

function rowOf({
  min,
  kept,
  parameters,
  coverage,
  growth,
}: Read<VocabularyResult['table'][number]>): VocabularyRowDigest[] {
  if (min === undefined || kept === undefined || parameters === undefined) return [];
  return [{ min, kept, parameters, coverage: coverage ?? null, growth: growth ?? null }];
}

/** Sizes of the original and of the trimmed model; none of a report. */
export const trimmedSizes = (
  { parameters, bytes, written }: VocabularyDigest,
  model: string,
): readonly CostDigest[] | undefined =>
  written === undefined
    ? undefined
    : [
        costOf({ parameters: parameters.before, bytes: bytes.before }, model),
        costOf({ parameters: parameters.after, bytes: bytes.after }, written),
      ];
