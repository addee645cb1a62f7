/** The original and its results as Markdown, for a model card. */
import { formatPercent } from '../../../format/numbers';
import { codeSpan, inline, quotation, table } from '../../markdown';
import type { BeforeAfter, Cell, Sample } from './before-after';

/** @param level of its heading */
export function beforeAfterMarkdown({ models, rows, samples, ran, missing }: BeforeAfter, level = 2): string {
  const [original, ...results] = models;
  const head = '#'.repeat(level);
  const lines = rows.map(({ name, cells, of }) => [name, ...cells.map(cellText), of]);
  return [
    `${head} ${inline(original)} and ${results.map(inline).join(', ')}`,
    table(['', ...models, 'Measured on'], lines),
    ...(samples.length > 0 ? [`${head}# Sample texts`, ...samples.map((sample) => sampleText(sample, models))] : []),
    ...ran.map(({ file, programs }) => `${inline(file)} ran in: ${inline(programs)}.`),
    ...(missing.length > 0
      ? [
          `${head}# Not measured`,
          missing.map(({ what, command }) => `- ${inline(what)}: ${codeSpan(command)}`).join('\n'),
        ]
      : []),
  ].join('\n\n');
}

/** "63.5 (1.56×)" */
const cellText = (cell: Cell | null): string =>
  cell === null ? '–' : cell.change === '' ? cell.text : `${cell.text} (${cell.change})`;

const sampleText = ({ prompt, of, texts }: Sample, models: readonly string[]): string =>
  [
    `**${inline(prompt)}** (${inline(of)})`,
    ...texts.map(({ text, repetition }, m) => {
      const repeats = repetition === null ? '' : `, repetition ${formatPercent(repetition)}`;
      return `${inline(models[m])}${repeats}:\n\n${quotation(text === '' ? '–' : text)}`;
    }),
  ].join('\n\n');
