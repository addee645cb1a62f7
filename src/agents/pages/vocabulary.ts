/** What trimming a vocabulary keeps and costs, for an agent. */
import { formatBytes, formatCount, formatNumber, formatPercent } from '../../format/numbers';
import { lowerWords } from '../../format/vocabularies';
import { checkpointName } from '../../jobs/titles';
import { inLine } from '../answer';
import type { ResultPage } from '.';

export const vocabularyPage: ResultPage<'vocabulary'> = ({ result }, { checkpoint }) => {
  const { kept, size, min, parameters, asBlocks, bytes, texts, heldOut, examples, table, written, verified } = result;
  const { file, coverage, growth, bitsPerByte, outsideMass } = heldOut;
  const logitsDifference = verified?.logitsDifference ?? null;
  const model = inLine(checkpointName(checkpoint));
  return [
    written === null
      ? 'Nothing was written: give "out" for a model.'
      : `Written: ${written}. ${model} itself did not change.`,
    `${model}: ${formatCount(kept)} of ${formatCount(size)} tokens stay; parameters ${formatCount(parameters.before)} → ` +
      `${formatCount(parameters.after)} (what went is as much as ${formatNumber(asBlocks.count, 2)} of ${asBlocks.of} blocks), files ${formatBytes(bytes.before)} → ${formatBytes(bytes.after)}`,
    `counted: ${formatCount(texts.tokens)} tokens${min === 1 ? ', which are encoded as before' : ''}`,
    `not counted (${file === null ? 'pieces of the texts' : inLine(file)}): ${formatPercent(coverage)} of the tokens stay, ` +
      `${formatNumber(growth, 4)} times as many tokens`,
    ...(bitsPerByte
      ? [
          `  bits per byte ${formatNumber(bitsPerByte.before, 4)} → ${formatNumber(bitsPerByte.after, 4)} ` +
            `(${formatPercent(bitsPerByte.growth)}), float32; the original gives ${formatPercent(outsideMass ?? 0)} of its ` +
            `probability to tokens that go${lowerWords(bitsPerByte.growth)}`,
        ]
      : ['  bits per byte were not measured']),
    ...(logitsDifference === null
      ? []
      : [`largest difference of two logits of kept tokens: ${formatNumber(logitsDifference, 3)}`]),
    ...(examples.length === 0
      ? []
      : [
          'words that suffer most:',
          {
            names: ['word', '>tokens before', '>after', '>times in the text'],
            rows: examples.map(({ text, before, after, count }) => [
              inLine(text),
              String(before),
              String(after),
              String(count),
            ]),
          },
        ]),
    ...(table.length === 0
      ? []
      : [
          'by least count of a token ("min"):',
          {
            names: ['>min', '>tokens', '>parameters', '>held-out tokens that stay'],
            rows: table.map((row) => [
              String(row.min),
              formatCount(row.kept),
              formatCount(row.parameters),
              formatPercent(row.coverage),
            ]),
          },
        ]),
  ];
};
