/**
 * Runs as one self-contained HTML page: it contains its data, the program that draws the charts and its style, and it
 * loads and sends nothing. The tables work without the program.
 */
import { createHash } from 'node:crypto';
import { arithmeticWords } from '../../format/arithmetic';
import { counted, escapeHtml } from '../../format/words';
import { stringifyJson } from '../../format/json';
import { OTHER_VOCABULARIES } from '../../format/vocabularies';
import { compareRuns, runTitle } from './compare';
import type { RunDigest } from './digest-types';

/** The bundled program that draws the charts, and its style sheet. */
export interface ReportAssets {
  readonly script: string;
  readonly style: string;
}

/** The data that the page's program reads. */
export interface ReportData {
  readonly runs: readonly {
    readonly id: string;
    readonly title: string;
    readonly digest: RunDigest;
    readonly changed: readonly string[];
  }[];
}

/**
 * @param runs at least one, in the order of the report
 * @param changed for each run, its inputs that have changed, in words
 */
export function reportHtml(
  runs: readonly RunDigest[],
  assets: ReportAssets,
  changed: readonly (readonly string[])[] = [],
): string {
  const names = [...new Set(runs.map(({ model }) => model.name))].filter((name) => name !== '');
  const titled = titledRuns(runs, changed);
  const title = escapeHtml(names.join(', '));
  return reportPage(titled, assets, {
    title: `${names.join(', ')}: Coppice report`,
    main: `<div id="report">
<header class="report-head"><h1>${title}</h1><p class="muted">${escapeHtml(summaryOf(runs))}</p>
${[...precisionWarnings(runs), ...vocabularyWarnings(runs), ...titled.flatMap(warningsOf)].join('\n')}</header>
</div>
<section class="card" id="records"><h2>The runs</h2><div class="table-scroll" tabindex="0" role="group" aria-label="The runs">
${recordsTable(runs)}
</div></section>`,
  });
}

/** What a page of charts is made of. */
export interface PageParts {
  /** Plain text. */
  readonly title: string;
  /** HTML, with an element `#report` to which the program adds the charts. */
  readonly main: string;
}

/** Runs with their titles, as the page's program reads them. */
export const titledRuns = (
  runs: readonly RunDigest[],
  changed: readonly (readonly string[])[] = [],
): ReportData['runs'] =>
  runs.map((digest, i) => ({ id: String(i), title: runTitle(digest), digest, changed: changed[i] ?? [] }));

/** A page with its data, its program and its style. */
export function reportPage(
  runs: ReportData['runs'],
  { script, style }: ReportAssets,
  { title, main }: PageParts,
): string {
  const data: ReportData = { runs };
  const hash = createHash('sha256').update(script).digest('base64');
  const policy = `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style.replaceAll('</style', '<\\/style')}</style>
</head>
<body>
<main>
${main}
</main>
<script type="application/json" id="data">${stringifyJson(data).replaceAll('<', '\\u003c')}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** Numbers of different precisions stand on this page. */
function precisionWarnings(runs: readonly RunDigest[]): string[] {
  const { precisions = [] } = compareRuns(runs);
  const words = [...new Set(precisions)].join(', ');
  return precisions.length === 0
    ? []
    : [`<p class="warning">⚠ These runs computed in different precisions (${escapeHtml(words)}). ${NOT_EXACT}</p>`];
}

const NOT_EXACT = 'A difference between their numbers is partly one of precision.';

const vocabularyWarnings = (runs: readonly RunDigest[]): string[] =>
  compareRuns(runs).otherVocabularies ? [`<p class="warning">⚠ ${OTHER_VOCABULARIES}</p>`] : [];

/** Numbers that the current inputs no longer reproduce. */
const warningsOf = ({ title, changed }: ReportData['runs'][number]): string[] =>
  changed.map((words) => `<p class="warning">⚠ ${escapeHtml(`${title}: ${words}`)}</p>`);

function summaryOf(runs: readonly RunDigest[]): string {
  const days = runs.map(({ started }) => started.slice(0, 10)).sort();
  const when = days[0] === days.at(-1) ? days[0] : `${days[0]} to ${days.at(-1)}`;
  const computed = [
    ...new Set(runs.flatMap(({ device, precision }) => (device === null ? [] : arithmeticWords(precision, device)))),
  ];
  const all = [...new Set(runs.map((run) => run.versions))];
  // A run that opened no session names Coppice alone.
  const versions = all.filter((one) => !all.some((other) => other.startsWith(`${one}, `)));
  return [counted(runs.length, 'run'), when, ...versions, ...computed].join(' · ');
}

function recordsTable(runs: readonly RunDigest[]): string {
  const { titles, rows } = compareRuns(runs);
  const cell = (tag: string, scope: string, text: string): string =>
    `<${tag}${scope && ` scope="${scope}"`}>${escapeHtml(text)}</${tag}>`;
  const head = `<tr><td></td>${titles.map((title) => cell('th', 'col', title)).join('')}</tr>`;
  const body = rows.map(
    ({ name, values }) => `<tr>${cell('th', 'row', name)}${values.map((value) => cell('td', '', value)).join('')}</tr>`,
  );
  return `<table><thead>${head}</thead><tbody>${body.join('\n')}</tbody></table>`;
}
