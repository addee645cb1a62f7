/** Runs as Markdown for a model card: what was measured, on which data, with which settings. */
import { arithmeticWords } from '../../format/arithmetic';
import { formatCount } from '../../format/numbers';
import { OTHER_VOCABULARIES } from '../../format/vocabularies';
import { capitalized } from '../../format/words';
import { parseJsonNumber } from '../../format/json';
import { inline, quotation, table } from '../markdown';
import { beforeAfter } from './before-after/before-after';
import { beforeAfterMarkdown } from './before-after/markdown';
import { compareRuns, resultsOf, runTitle, shortNumber } from './compare';
import type { RunDigest } from './digest-types';

/** @param runs at least one, in the order of the card */
export function modelCard(runs: readonly RunDigest[]): string {
  const names = [...new Set(runs.map(({ model }) => model.name))];
  const decision = beforeAfter(runs);
  const { otherVocabularies: apart = false } = compareRuns(runs);
  const parts = [
    `## How ${names.map(inline).join(', ')} was pruned and measured`,
    ...(decision ? [beforeAfterMarkdown(decision, 3)] : []),
    ...(apart ? [OTHER_VOCABULARIES] : []),
    ...runs.map((run) => section(run, apart)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function section(run: RunDigest, apart: boolean): string {
  const { model, removed, device, precision, versions, started, inputs, settings, curve, quality, samples } = run;
  const facts = [
    ['Model', hashed(model.name, model.identity)],
    ...(removed.length > 0 ? [['Removed blocks', removed.join(', ')]] : []),
    ...inputs
      .filter(({ role }) => role !== 'model')
      .map(({ role, name, hash }) => [capitalized(role), hashed(name, hash)]),
    ...resultsOf(run, apart).map(([name, value]) => [capitalized(name), value]),
    ['Settings', settings.map(([name, value]) => `${name} = ${value}`).join(', ') || 'none'],
    [
      'Made',
      [started.slice(0, 10), versions, device !== null && arithmeticWords(precision, device)]
        .filter(Boolean)
        .join(', '),
    ],
  ];
  return [
    `### ${capitalized(inline(runTitle(run)))}`,
    table(['', ''], facts),
    ...(curve ? [curveTable(curve.points)] : []),
    ...(quality && quality.length > 1
      ? [
          table(
            ['Model', 'Perplexity'],
            quality.map(({ label, ppl }) => [label, shortNumber(ppl)]),
          ),
        ]
      : []),
    ...(samples
      ? samples.texts.map(({ text, column, prompt }) => sample(samples.columns[column], samples.prompts[prompt], text))
      : []),
  ].join('\n\n');
}

function curveTable(points: NonNullable<RunDigest['curve']>['points']): string {
  const full = parseJsonNumber(points[0]?.ppl) ?? NaN;
  const rows = points.map(({ count, ppl, parameters }) => {
    return [
      String(count),
      shortNumber(ppl),
      `${shortNumber((parseJsonNumber(ppl) ?? NaN) / full)}×`,
      formatCount(parameters),
    ];
  });
  return table(['Blocks removed', 'Perplexity', 'Of the original’s', 'Parameters'], rows);
}

/** As a quotation, so that headings or tables in generated text do not affect the page. */
const sample = (column = '', prompt = '', text = ''): string =>
  `**${inline(column)}**\n\n${quotation(`${prompt}${text}`)}`;

const hashed = (name: string, hash?: string): string => (hash === undefined ? name : `${name} (${hash.slice(0, 12)})`);
