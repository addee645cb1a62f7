/** The report of a recipe's run as one self-contained page: its tables and charts, the steps, and the charts of their records. */
import { digestRecord } from '../../engine/records/digest';
import type { RunDigest } from '../../engine/records/digest-types';
import { UserError } from '../../engine/errors';
import { readRecord } from '../../engine/records/record';
import { type ReportAssets, reportPage, titledRuns } from '../../engine/records/report';
import { counted, escapeHtml } from '../../format/words';
import type { RecipeEnd } from '../types';
import { chartsOf } from './chart';
import { contentOf, type Remark, type ReportContent, type ReportTable, type ShownStep } from './content';
import type { Fact } from './facts';

/** Reads the records of the steps for their charts; one that cannot be read has none. */
export async function reportHtml(end: RecipeEnd, assets: ReportAssets): Promise<string> {
  const content = contentOf(end);
  const runs = await digestsOf(end);
  return reportPage(titledRuns(runs), assets, {
    title: `${content.title}: Coppice report`,
    main: [
      head(content),
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

async function digestsOf({ steps }: RecipeEnd): Promise<RunDigest[]> {
  const files = steps.flatMap(({ finished }) => finished?.record ?? []);
  const found = await Promise.all(
    [...new Set(files)].map(async (file) => {
      try {
        return [digestRecord(await readRecord(file))];
      } catch (error) {
        if (error instanceof UserError) return [];
        throw error;
      }
    }),
  );
  return found.flat();
}

const card = (title: string, inside: string): string =>
  `<section class="card recipe-card"><h2>${escapeHtml(title)}</h2>${inside}</section>`;

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
