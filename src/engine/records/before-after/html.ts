/**
 * The original and its results as one self-contained page: whether the model meets its goal, how far it is from the original,
 * what both write, then every number. It has no program, and it loads and sends nothing.
 */
import { formatFactor } from '../../../format/numbers';
import { OTHER_VOCABULARIES } from '../../../format/vocabularies';
import { escapeHtml } from '../../../format/words';
import type { BeforeAfter, Ran } from './before-after';
import type { Measure } from './facts';
import type { Missing } from './missing';
import { type Cell, isSpeed, type Row } from './rows';
import { sampleCards } from './sample-cards';
import { sizesCard } from './sizes';
import { STYLE } from './style';

/** Numbers at the top of the page; of a model that is exported, the size of the export. */
const MAIN: readonly Measure[] = ['ppl', 'bits', 'kl', 'bytes', 'shipped', 'decode', 'accuracy'];

/** A link of the page. */
export interface PageLink {
  readonly label: string;
  readonly address: string;
}

/** Whether the model meets its goal, in words. */
export interface ShownVerdict {
  readonly meets: 'yes' | 'no' | 'unknown';
  readonly text: string;
}

/** What surrounds the numbers. */
export interface PageParts {
  readonly verdict?: ShownVerdict;
  /** Beside the verdict. */
  readonly goal?: PageLink;
  /** Measures everything that is missing. */
  readonly measure?: PageLink;
  /** In the head. */
  readonly links?: readonly PageLink[];
}

/** @param style sheet of reports */
export function beforeAfterHtml(found: BeforeAfter, style: string, parts: PageParts = {}): string {
  const [original] = found.models;
  const title = `${found.subject} beside ${original}`;
  const decided = found.missing.every(({ optional }) => optional);
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style.replaceAll('</style', '<\\/style')}${STYLE}</style>
</head>
<body>
<main class="before-after">
<header class="report-head"><h1>${escapeHtml(found.subject)}</h1><div class="head-line"><p class="muted">Beside ${escapeHtml(original)}</p>${linksOf(parts.links ?? [])}</div></header>
${verdictOf(parts)}
<dl class="figures">${figures(found)}</dl>
${decided ? '' : missingCard(found.missing, parts.measure)}
${sampleCards(found)}
<section class="card"><h2>Numbers</h2>${found.otherVocabularies ? `<p class="muted">${OTHER_VOCABULARIES}</p>` : ''}<div class="table-scroll" tabindex="0" role="group" aria-label="Numbers">
${numbers(found)}
</div></section>
${sizesCard(found.sizes)}
${ranCard(found.ran)}
${decided ? missingCard(found.missing, undefined) : ''}
</main>
</body>
</html>
`;
}

const link = ({ label, address }: PageLink, look = ''): string =>
  `<a${look && ` class="${look}"`} href="${escapeHtml(address)}">${escapeHtml(label)}</a>`;

const linksOf = (links: readonly PageLink[]): string =>
  links.length === 0 ? '' : `<p class="head-links">${links.map((each) => link(each)).join('')}</p>`;

const SIGNS = { yes: '✓', no: '✕', unknown: '?' } as const;

function verdictOf({ verdict, goal }: PageParts): string {
  if (!verdict && !goal) return '';
  const words = verdict
    ? `<span class="sign" aria-hidden="true">${SIGNS[verdict.meets]}</span><strong>${escapeHtml(verdict.text)}</strong>`
    : '';
  return `<section class="decision is-${verdict?.meets ?? 'unknown'}" aria-label="Verdict">${words}${goal ? link(goal) : ''}</section>`;
}

/** Of the last result. */
function figures({ rows, models }: BeforeAfter): string {
  const last = models.length - 1;
  const ships = rows.some(({ measure, cells }) => measure === 'shipped' && cells[last]);
  return rows
    .filter(({ measure, cells }) => MAIN.includes(measure) && cells.some((each) => each))
    .filter(({ measure }) => measure !== (ships ? 'bytes' : 'shipped'))
    .map(({ measure, name, cells }) => {
      const [before, after] = [cells[0], cells[last]];
      const value = after ? escapeHtml(after.text) : 'not measured';
      return `<div class="figure-box${after ? '' : ' is-open'}"><dt>${escapeHtml(name.replace(' from the original', ''))}</dt><dd><strong>${value}</strong><span class="muted">${escapeHtml(ratio(measure, before, after))}</span></dd></div>`;
    })
    .join('');
}

/** "1.31× of 24.1" */
function ratio(measure: Measure, before: Cell | null, after: Cell | null): string {
  if (!before) return measure === 'kl' && after ? 'on the same text' : '';
  if (!after) return `original ${before.text}`;
  if (measure === 'accuracy') return `${after.change}, original ${before.text}`;
  if (!isSpeed(measure)) return `${formatFactor(after.value / before.value)} of ${before.text}`;
  if (after.change === '') return `original ${before.text}`;
  return after.change === '≈' ? `≈ the original’s ${before.text}` : `${after.change} of ${before.text}`;
}

function numbers({ models, rows }: BeforeAfter): string {
  const head = ['<td></td>', ...models.map((name) => `<th scope="col">${escapeHtml(name)}</th>`)];
  const lines = rows.map(
    ({ name, cells, of }: Row) =>
      `<tr><th scope="row">${escapeHtml(name)}<div class="of">${escapeHtml(of)}</div></th>${cells.map(cell).join('')}</tr>`,
  );
  return `<table><thead><tr>${head.join('')}</tr></thead><tbody>${lines.join('\n')}</tbody></table>`;
}

function cell(shown: Cell | null): string {
  if (shown === null) return '<td>–</td>';
  const change = shown.change === '' ? '' : ` <span class="change">${escapeHtml(shown.change)}</span>`;
  return `<td>${escapeHtml(shown.text)}${change}</td>`;
}

function ranCard(ran: readonly Ran[]): string {
  if (ran.length === 0) return '';
  const lines = ran.map(({ file, programs }) => `<li>${escapeHtml(file)}: ${escapeHtml(programs)}</li>`);
  return `<section class="card"><h2>Ran in</h2><ul>${lines.join('')}</ul></section>`;
}

/** What decides comes first, with one link that measures it; command lines are folded. */
function missingCard(missing: readonly Missing[], measure: PageLink | undefined): string {
  if (missing.length === 0) return '';
  const needed = missing.filter(({ optional }) => !optional);
  const title = needed.length === 0 ? 'Not measured, and not needed' : 'Not measured';
  const what = [...new Set((needed.length === 0 ? missing : needed).map((each) => each.what))];
  const list = `<ul>${what.map((each) => `<li>${escapeHtml(each)}</li>`).join('')}</ul>`;
  const lines = missing.map((each) => `<li>${escapeHtml(each.what)}<pre>${escapeHtml(each.command)}</pre></li>`);
  const button = measure && needed.length > 0 ? `<p>${link(measure, 'action')}</p>` : '';
  return `<section class="card"><h2>${title}</h2>${list}${button}<details><summary>Command lines</summary><ul>${lines.join('')}</ul></details></section>`;
}
