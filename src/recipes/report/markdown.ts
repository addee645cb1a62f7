/** The report of a recipe's run as Markdown, for a pull request, a job's summary or a model card. */
import { inline, table } from '../../engine/markdown';
import type { RecipeEnd } from '../types';
import type { Answer } from './answer';
import { contentOf, type Remark, type ReportTable, type ShownStep } from './content';
import type { Fact } from '../../jobs/facts';

export function reportMarkdown(end: RecipeEnd): string {
  const { title, description, model, summary, answer, limits, tables, steps, remarks, files, facts } = contentOf(end);
  const parts = [
    `# ${inline(title)}`,
    description && inline(description),
    model && `Model: ${inline(model)}`,
    `**${inline(summary)}**`,
    answer && answerText(answer),
    answer && answer.texts.length > 0 && textsText(answer),
    limits.length > 0 &&
      `## Limits\n\n${table(
        ['limit', 'step', 'allowed', 'measured', 'verdict'],
        limits.map(({ limit, step, most, measured, kept }) => [limit, step, most, measured, kept ? 'kept' : 'broken']),
      )}`,
    ...tables.map(tableText),
    `## Steps\n\n${table(['step', 'job', 'options', 'result', 'time', ''], steps.map(stepRow))}`,
    remarks.length > 0 && `## Warnings and notes\n\n${remarks.map(remarkLine).join('\n')}`,
    files.length > 0 &&
      `## Files\n\n${table(
        ['file', 'step', 'size', 'SHA-256'],
        files.map(({ path, step, bytes, digest }) => [path, step, bytes, `${digest}…`]),
      )}`,
    `## This run\n\n${table(
      ['', ''],
      facts.map(([name, value]) => [name, value]),
    )}`,
  ];
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

function answerText({ done, original, shipped, rows, notes }: Answer): string {
  const lines = rows.map((row) => [row.label, row.original, row.shipped, row.change]);
  return [
    '## The original and what ships',
    inline(done),
    table(['', original, shipped, ''], lines),
    ...notes.map(inline),
  ].join('\n\n');
}

function textsText({ texts, original, shipped }: Answer): string {
  const lines = texts.map((each) => [each.prompt, each.original, each.shipped]);
  return `## A text of each\n\n${table(['beginning', original, shipped], lines)}`;
}

function tableText({ title, note, columns, rows, paper, own, measured }: ReportTable): string {
  const isCompared = paper !== undefined && rows.some((row) => row.paper);
  const head = columns.flatMap((column) => (isCompared ? [column, 'paper'] : [column]));
  const lines = rows.map(({ label, cells, paper: theirs }) => [
    label,
    ...cells.flatMap(({ text }, at) => (isCompared ? [text, theirs?.[at] ?? ''] : [text])),
  ]);
  const whose = [
    `Measured here: ${own}${measured === '' ? '' : `; ${measured}`}.`,
    ...(isCompared ? [`Columns “paper”: ${paper}.`] : []),
  ];
  return [`## ${inline(title)}`, note && inline(note), table(['', ...head], lines), inline(whose.join(' '))]
    .filter(Boolean)
    .join('\n\n');
}

const words = (facts: readonly Fact[]): string => facts.map(([name, value]) => `${name} ${value}`).join('; ');

const stepRow = ({ name, job, description, doing, found, time, state, failure }: ShownStep): string[] => [
  name,
  job,
  [description, words(doing)].filter(Boolean).join(': '),
  failure ?? words(found),
  time,
  state,
];

const remarkLine = ({ kind, steps, text }: Remark): string =>
  `- ${kind === 'warning' ? '⚠ ' : ''}${inline(`${steps.join(', ')}: ${text}`)}`;
