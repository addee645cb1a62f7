/** The original and its results as one self-contained page. It has no program, and it loads and sends nothing. */
import { formatPercent } from '../../../format/numbers';
import { escapeHtml } from '../../../format/words';
import type { BeforeAfter, Cell, Missing, Ran, Row, Sample } from './before-after';
import type { Measure } from './facts';

/** Numbers at the top of the page. */
const MAIN: readonly Measure[] = ['ppl', 'kl', 'accuracy', 'bytes', 'decode'];

/** A link in the head of the page. */
export interface PageLink {
  readonly label: string;
  readonly address: string;
}

/** @param style sheet of reports */
export function beforeAfterHtml(found: BeforeAfter, style: string, links: readonly PageLink[] = []): string {
  const [original] = found.models;
  const title = `${found.subject} beside ${original}`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style.replaceAll('</style', '<\\/style')}${OWN_STYLE}</style>
</head>
<body>
<main>
<header class="report-head"><h1>${escapeHtml(found.subject)}</h1><p class="muted">Beside ${escapeHtml(original)}</p>${linksOf(links)}</header>
<dl class="figures">${figures(found)}</dl>
<section class="card"><h2>Numbers</h2><div class="table-scroll" tabindex="0" role="group" aria-label="Numbers">
${numbers(found)}
</div></section>
${found.samples.map((sample) => sampleCard(sample, found.models)).join('\n')}
${ranCard(found.ran)}
${missingCard(found.missing)}
</main>
</body>
</html>
`;
}

const OWN_STYLE = `
.figures { margin: 14px 0; }
.card + .card { margin-top: 14px; }
.change { color: var(--muted); white-space: nowrap; }
.of { color: var(--muted); font-size: 0.88em; max-width: 52ch; overflow-wrap: anywhere; }
thead th { white-space: normal; }
.figure-box .muted { white-space: normal; }
`;

const linksOf = (links: readonly PageLink[]): string =>
  links.map(({ label, address }) => `<p><a href="${escapeHtml(address)}">${escapeHtml(label)}</a></p>`).join('');

/** Of the last result. */
function figures({ rows, models }: BeforeAfter): string {
  const last = models.length - 1;
  return rows
    .filter(({ measure }) => MAIN.includes(measure))
    .map(({ name, cells }) => {
      const [before, after] = [cells[0], cells[last]];
      const detail = [after?.change, before ? `from ${before.text}` : ''].filter(Boolean).join(', ');
      return `<div class="figure-box"><dt>${escapeHtml(name)}</dt><dd><strong>${escapeHtml(after?.text ?? '–')}</strong><span class="muted">${escapeHtml(detail)}</span></dd></div>`;
    })
    .join('');
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

function sampleCard({ prompt, of, texts }: Sample, models: readonly string[]): string {
  const columns = texts.map(({ text, repetition }, m) => {
    const repeats = repetition === null ? '' : `<p class="muted">Repetition ${formatPercent(repetition)}</p>`;
    return `<article class="sample"><header><h3>${escapeHtml(models[m])}</h3></header><div class="sample-text">${escapeHtml(text === '' ? '–' : text)}</div>${repeats}</article>`;
  });
  return `<section class="card"><h2>${escapeHtml(prompt)}</h2><p class="summary">${escapeHtml(of)}</p><div class="samples-grid">${columns.join('')}</div></section>`;
}

function ranCard(ran: readonly Ran[]): string {
  if (ran.length === 0) return '';
  const lines = ran.map(({ file, programs }) => `<li>${escapeHtml(file)}: ${escapeHtml(programs)}</li>`);
  return `<section class="card"><h2>Ran in</h2><ul>${lines.join('')}</ul></section>`;
}

function missingCard(missing: readonly Missing[]): string {
  if (missing.length === 0) return '';
  const lines = missing.map(({ what, command }) => `<li>${escapeHtml(what)}: <code>${escapeHtml(command)}</code></li>`);
  return `<section class="card"><h2>Not measured</h2><ul>${lines.join('')}</ul></section>`;
}
