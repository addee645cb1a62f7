/** What `coppice vocabulary` prints. */
import { formatSeconds } from '../../format/durations';
import { formatBytes, formatCount, formatNumber, formatPercent } from '../../format/numbers';
import { lowerWords } from '../../format/vocabularies';
import { formatCounted } from '../../format/words';
import type { VocabularyResult } from '../../jobs/results/vocabulary';
import { facts, table } from '../terminal/text';
import type { Page } from './page';

/** Words that are shown; `--json` has all of them. */
const SHOWN = 8;

export const vocabularyPage: Page<'vocabulary'> = (_, { shown }) => ({
  page: (result) => [
    ...facts([
      ['vocabulary', `${formatCount(result.kept)} of ${formatCount(result.size)} tokens stay (${result.kind})`],
      ['why', whyWords(result)],
      ['parameters', `${changeWords(result.parameters, formatCount)}, ${blocksWords(result)}`],
      ['files', changeWords(result.bytes, formatBytes)],
      [
        'texts',
        `${formatCounted(result.texts.files, 'text')}, ${formatCounted(result.texts.tokens, 'token')}${result.min === 1 ? ', encoded as before' : ''}`,
      ],
      ...heldOutFacts(result.heldOut),
      ...(result.examples.length === 0 ? [] : [['worst words', exampleWords(result.examples)] as const]),
      ...(result.written === null ? [] : [['written', shown(result.written)] as const]),
      ...verifiedFacts(result.verified),
      ['time', formatSeconds(result.seconds)],
    ]),
    ...tableLines(result.table),
  ],
});

const whyWords = ({ seen, min, alphabet, specials, closure, filled }: VocabularyResult): string =>
  [
    `${formatCount(seen)} seen${min > 1 ? `, those ${min} times or more` : ''}`,
    `${formatCount(alphabet)} of the alphabet`,
    `${formatCount(specials)} special`,
    `${formatCount(closure)} that others are made of`,
    ...(filled > 0 ? [`${formatCount(filled)} to fill the multiple`] : []),
  ].join(', ');

/** What removing blocks would have to do for it. */
const blocksWords = ({ asBlocks: { count, of } }: VocabularyResult): string =>
  count > of ? 'more than all its blocks have' : `as ${formatNumber(count, 2)} of its ${of} blocks have`;

const changeWords = (
  { before, after }: { readonly before: number; readonly after: number },
  words: (value: number) => string,
): string => `${words(before)} → ${words(after)} (${formatPercent(after / before - 1)})`;

function heldOutFacts(held: VocabularyResult['heldOut']): [string, string][] {
  const { file, pieces, covered, coverage, growth, bitsPerByte, outsideMass } = held;
  if (pieces === 0) return [];
  const name = file ?? 'pieces of the texts that were not counted';
  return [
    ['held out', `${name}: ${formatCounted(covered, 'piece')} of ${formatCount(pieces)} encoded as before`],
    ['', `${formatPercent(coverage)} of the tokens stay; the text has ${formatNumber(growth, 4)} times as many tokens`],
    ...(bitsPerByte
      ? ([
          [
            'bits per byte',
            `${formatNumber(bitsPerByte.before, 4)} → ${formatNumber(bitsPerByte.after, 4)} (${formatPercent(bitsPerByte.growth)})`,
          ],
          [
            '',
            `the original gives ${formatPercent(outsideMass ?? 0)} of its probability to tokens that go${lowerWords(bitsPerByte.growth)}`,
          ],
        ] as [string, string][])
      : []),
  ];
}

const exampleWords = (examples: VocabularyResult['examples']): string =>
  examples
    .slice(0, SHOWN)
    .map(({ text, before, after }) => `${text} (${before} → ${after})`)
    .join(', ');

function verifiedFacts(verified: VocabularyResult['verified']): [string, string][] {
  if (!verified) return [];
  const { logitsDifference, piecesEqual } = verified;
  const logits =
    logitsDifference === null ? '' : `; largest difference of two logits ${formatNumber(logitsDifference, 3)}`;
  return [['verified', `${formatCounted(piecesEqual, 'piece')} encoded as before${logits}`]];
}

function tableLines(rows: VocabularyResult['table']): string[] {
  if (rows.length === 0) return [];
  return [
    '',
    ...table(
      ['at least', 'tokens', 'parameters', 'held-out tokens that stay', 'times as many tokens'],
      rows
        .filter(({ growth }) => growth !== undefined)
        .map(({ min, kept, parameters, coverage, growth }) => [
          String(min),
          formatCount(kept),
          formatCount(parameters),
          formatPercent(coverage),
          formatNumber(growth!, 4),
        ]),
    ),
  ];
}
