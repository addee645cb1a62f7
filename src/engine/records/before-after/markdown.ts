/** The original and its results as Markdown, for a model card. */
import { formatPercent } from '../../../format/numbers';
import { OTHER_VOCABULARIES } from '../../../format/vocabularies';
import { codeSpan, inline, quotation, table } from '../../markdown';
import { repeatsMuch } from '../repetition';
import type { BeforeAfter, Sample } from './before-after';
import type { Cell } from './rows';
import type { ShownVerdict } from './html';
import { sizesMarkdown } from './sizes';

/** @param level of its heading */
export function beforeAfterMarkdown(
  { models, rows, samples, ran, missing, sizes, otherVocabularies }: BeforeAfter,
  level = 2,
  verdict?: ShownVerdict,
): string {
  const [original, ...results] = models;
  const head = '#'.repeat(level);
  return [
    `${head} ${inline(original)} and ${results.map(inline).join(', ')}`,
    ...(verdict ? [`**${inline(verdict.text)}**`] : []),
    numbersTable({ models, rows, otherVocabularies }),
    ...(samples.length > 0 ? [`${head}# Sample texts`, ...samples.map((sample) => sampleText(sample, models))] : []),
    ...sizesMarkdown(sizes, level + 1),
    ...ran.map(({ file, programs }) => `${inline(file)} ran in: ${inline(programs)}.`),
    ...(missing.length > 0
      ? [
          `${head}# Not measured`,
          missing.map(({ what, command }) => `- ${inline(what)}: ${codeSpan(command)}`).join('\n'),
        ]
      : []),
  ].join('\n\n');
}

/** With a sentence above it where the vocabularies differ. */
export const numbersTable = ({
  models,
  rows,
  otherVocabularies,
}: Pick<BeforeAfter, 'models' | 'rows' | 'otherVocabularies'>): string =>
  [
    ...(otherVocabularies ? [OTHER_VOCABULARIES] : []),
    table(
      ['', ...models, 'Measured on'],
      rows.map(({ name, cells, of }) => [name, ...cells.map(cellText), of]),
    ),
  ].join('\n\n');

/** "63.5 (1.56×)" */
const cellText = (cell: Cell | null): string =>
  cell === null ? '–' : cell.change === '' ? cell.text : `${cell.text} (${cell.change})`;

/** @param most characters of each text; all when undefined */
export const sampleText = ({ prompt, of, texts }: Sample, models: readonly string[], most = Infinity): string =>
  [
    `**${inline(prompt)}** (${inline(of)})`,
    ...texts.map(({ text, repetition }, m) => {
      const repeats = repetition === null ? '' : `, repetition ${formatPercent(repetition)}`;
      const warning = repetition !== null && repeatsMuch(repetition) ? ' (it repeats itself)' : '';
      return `${inline(models[m])}${repeats}${warning}:\n\n${quotation(shortened(text === '' ? '–' : text, most))}`;
    }),
  ].join('\n\n');

const shortened = (text: string, most: number): string =>
  text.length <= most ? text : `${Array.from(text).slice(0, most).join('').trimEnd()} …`;
