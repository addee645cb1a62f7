/** The report of a recipe's run as one self-contained page: its tables and charts, the steps, and the charts of their records. */
import { basename } from 'node:path';
import { digestRecord } from '../../jobs/digest/digest';
import type { RunDigest } from '../../engine/records/digest-types';
import { UserError } from '../../engine/errors';
import { readRecord } from '../../engine/records/record';
import { type ReportAssets, reportPage, titledRuns } from '../../engine/records/report';
import { counted, escapeHtml } from '../../format/words';
import { checkpointName } from '../../jobs/titles';
import type { RecipeEnd } from '../types';
import type { Answer } from './answer';
import { chartsOf } from './chart';
import { contentOf, type Remark, type ReportContent, type ReportTable, type ShownStep } from './content';
import type { Fact } from '../../jobs/facts';

/** Reads the records of the steps for their charts; one that cannot be read has none. */
export async function reportHtml(end: RecipeEnd, assets: ReportAssets): Promise<string> {
  const content = contentOf(end);
  const runs = await digestsOf(end);
  return reportPage(titledRuns(runs), assets, {
    title: `${content.title}: Coppice report`,
    main: [
      head(content),
      answerCard(content.answer),
      textsCard(content.answer),
      limitsCard(content),
      ...content.tables.map(tableCard),
      `<div id="report">${runs.length > 0 ? '<h2 class="model-name">The steps in charts</h2>' : ''}</div>`,
      stepsCard(content.steps),
      remarksCard(content.remarks),
      filesCard(content),
      card('This run', factList(content.facts)),
    ].join('\n'),
  });
}

async function digestsOf(end: RecipeEnd): Promise<RunDigest[]> {
  const { steps } = end;
  const sizes = fileSizes(end);
  const files = steps.flatMap(({ finished }) => finished?.record ?? []);
  const found = await Promise.all(
    [...new Set(files)].map(async (file) => {
      try {
        return [withSizes(digestRecord(await readRecord(file)), sizes)];
      } catch (error) {
        if (error instanceof UserError) return [];
        throw error;
      }
    }),
  );
  return found.flat();
}

/** Bytes of all files of each model, by the name that charts give it. */
const fileSizes = ({ steps, model, original }: RecipeEnd): ReadonlyMap<string, number> =>
  new Map([
    ...steps
      .flatMap(({ finished }) => finished?.outputs ?? [])
      .map(({ path, bytes }) => [basename(path), bytes] as const),
    ...(model !== undefined && original ? [[checkpointName(model), original.bytes] as const] : []),
  ]);

/** A record may count the weights alone; on one page there is one size. */
function withSizes(digest: RunDigest, sizes: ReadonlyMap<string, number>): RunDigest {
  if (!digest.cost) return digest;
  return { ...digest, cost: digest.cost.map((cost) => ({ ...cost, bytes: sizes.get(cost.label) ?? cost.bytes })) };
}

const card = (title: string, inside: string, kind = ''): string =>
  `<section class="card recipe-card${kind}"><h2>${escapeHtml(title)}</h2>${inside}</section>`;

function head({ title, description, model, summary, isWell }: ReportContent): string {
  return `<header class="report-head"><h1>${escapeHtml(title)}</h1>
${model === undefined ? '' : `<p class="muted">${escapeHtml(model)}</p>`}
${description === undefined ? '' : `<p class="recipe-words">${escapeHtml(description)}</p>`}
<p class="${isWell ? 'recipe-end' : 'warning'}">${isWell ? '' : '⚠ '}${escapeHtml(summary)}</p></header>`;
}

/** A table whose first column names the rows. Cells are HTML. */
function table(label: string, headRows: readonly string[], rows: readonly (readonly string[])[]): string {
  const body = rows.map(
    ([first, ...cells]) => `<tr><th scope="row">${first}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`,
  );
  const lines = headRows.map((line) => `<tr>${line}</tr>`).join('');
  return `<div class="table-scroll" tabindex="0" role="group" aria-label="${escapeHtml(label)}"><table><thead>${lines}</thead><tbody>${body.join('\n')}</tbody></table></div>`;
}

const heads = (names: readonly string[]): string =>
  names.map((name) => (name === '' ? '<td></td>' : `<th scope="col">${escapeHtml(name)}</th>`)).join('');

function answerCard(answer: Answer | undefined): string {
  if (!answer) return '';
  const { done, original, shipped, rows, notes, isGood } = answer;
  const lines = rows.map((row) => {
    const [label, one, two, change] = [row.label, row.original, row.shipped, row.change].map(escapeHtml);
    const isWrong = row.change === 'broken' || (row.label === 'verdict' && !isGood);
    return [label, one, isWrong ? `<span class="warning">${two}</span>` : two, change];
  });
  return card(
    'The original and what ships',
    `<p class="recipe-done">${escapeHtml(done)}</p>${table('The original and what ships', [heads(['', original, shipped, ''])], lines)}${notes.map((note) => `<p class="summary">${escapeHtml(note)}</p>`).join('')}`,
    ' answer',
  );
}

function textsCard(answer: Answer | undefined): string {
  if (!answer || answer.texts.length === 0) return '';
  const { texts, original, shipped } = answer;
  const column = (name: string, prompt: string, text: string): string =>
    `<figure class="answer-text"><figcaption>${escapeHtml(name)}</figcaption><p><span class="of">${escapeHtml(prompt)}</span>${escapeHtml(text)}</p></figure>`;
  const pairs = texts.map(
    (each) =>
      `<div class="answer-texts">${column(original, each.prompt, each.original)}${column(shipped, each.prompt, each.shipped)}</div>`,
  );
  return card('A text of each', pairs.join(''));
}

function limitsCard({ limits }: ReportContent): string {
  if (limits.length === 0) return '';
  const rows = limits.map(({ limit, step, most, measured, kept }) => [
    ...[limit, step, most, measured].map(escapeHtml),
    kept ? '✓ kept' : '<span class="warning">✗ broken</span>',
  ]);
  return card('Limits', table('Limits', [heads(['limit', 'step', 'allowed', 'measured', 'verdict'])], rows));
}

function tableCard(shown: ReportTable): string {
  const { title, note, columns, rows, paper, own, measured } = shown;
  const isCompared = paper !== undefined && rows.some((row) => row.paper);
  const above = isCompared
    ? `<td rowspan="2"></td>${columns.map((name) => `<th scope="colgroup" colspan="2">${escapeHtml(name)}</th>`).join('')}`
    : heads(['', ...columns]);
  const below = columns.map(() => `<th scope="col">here</th><th scope="col" class="of-paper">paper</th>`).join('');
  const body = rows.map(({ label, cells, paper: theirs }) => {
    const values = cells.flatMap(({ text }, at) => [
      `<span class="own">${escapeHtml(text)}</span>`,
      ...(isCompared ? [`<span class="of-paper">${escapeHtml(theirs?.[at] ?? '')}</span>`] : []),
    ]);
    return [escapeHtml(label), ...values];
  });
  const whose = [
    `<strong>Here</strong>: ${escapeHtml(own)}${measured === '' ? '' : `; ${escapeHtml(measured)}`}.`,
    ...(isCompared ? [`<strong>Paper</strong>: ${escapeHtml(paper)}.`] : []),
  ];
  const charts = chartsOf(shown);
  return card(
    title,
    `${note === undefined ? '' : `<p class="summary">${escapeHtml(note)}</p>`}
${table(title, isCompared ? [above, below] : [above], body)}
<p class="summary whose">${whose.join('<br>')}</p>
${charts.length === 0 ? '' : `<div class="table-charts">${charts.join('')}</div>`}`,
  );
}

const factList = (facts: readonly Fact[]): string =>
  `<dl class="recipe-facts">${facts.map(([name, value]) => `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd></div>`).join('')}</dl>`;

/** More facts than this are folded away. */
const MOST_OPEN = 8;

const folded = (facts: readonly Fact[], what: string): string =>
  facts.length <= MOST_OPEN
    ? factList(facts)
    : `<details><summary>${counted(facts.length, what)}</summary>${factList(facts)}</details>`;

function stepsCard(steps: readonly ShownStep[]): string {
  const rows = steps.map(({ name, job, description, state, time, doing, found, failure }) => [
    `${escapeHtml(name)}<div class="of">${escapeHtml(job)}</div>`,
    `${description === undefined ? '' : `<p>${escapeHtml(description)}</p>`}${folded(doing, 'option')}`,
    failure === undefined ? folded(found, 'number') : `<p class="warning">⚠ ${escapeHtml(failure)}</p>`,
    escapeHtml(time),
    escapeHtml(state),
  ]);
  return card('Steps', table('Steps', [heads(['', 'options', 'result', 'time', ''])], rows));
}

function remarksCard(remarks: readonly Remark[]): string {
  if (remarks.length === 0) return '';
  const lines = remarks.map(({ kind, steps, text }) => {
    const words = escapeHtml(`${steps.join(', ')}: ${text}`);
    return kind === 'warning' ? `<li class="warning">⚠ ${words}</li>` : `<li>${words}</li>`;
  });
  return card('Warnings and notes', `<ul class="remarks">${lines.join('')}</ul>`);
}

function filesCard({ files }: ReportContent): string {
  if (files.length === 0) return '';
  const rows = files.map(({ path, step, bytes, digest }) => [
    `<code>${escapeHtml(path)}</code>`,
    ...[step, bytes].map(escapeHtml),
    `<code>${escapeHtml(digest)}…</code>`,
  ]);
  return card('Files', table('Files', [heads(['file', 'step', 'size', 'SHA-256'])], rows));
}
