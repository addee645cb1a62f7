/** Sample texts of the page: for each prompt what the original wrote beside what the results wrote. */
import { formatPercent } from '../../../format/numbers';
import { escapeHtml } from '../../../format/words';
import { repeatsMuch } from '../repetition';
import type { BeforeAfter, Sample } from './before-after';

export function sampleCards({ samples, models }: Pick<BeforeAfter, 'samples' | 'models'>): string {
  if (samples.length === 0) return '';
  return `<section class="card"><h2>Sample texts</h2>${samples.map((sample) => promptOf(sample, models)).join('\n')}</section>`;
}

function promptOf({ prompt, of, texts }: Sample, models: readonly string[]): string {
  const columns = texts.flatMap(({ text, repetition }, m) => {
    if (text === '' && m > 0 && m < texts.length - 1) return [];
    const shown = text === '' ? '<p class="muted">no text</p>' : escapeHtml(text.trimStart());
    return `<article class="sample"><header><h4>${escapeHtml(models[m])}</h4></header><div class="sample-text">${shown}</div>${repeats(repetition)}</article>`;
  });
  return `<h3 class="prompt">${escapeHtml(prompt)}</h3><p class="of">${escapeHtml(of)}</p><div class="samples-grid">${columns.join('')}</div>`;
}

function repeats(share: number | null): string {
  if (share === null) return '';
  const high = repeatsMuch(share);
  const words = `Repetition ${formatPercent(share)}${high ? ': it repeats itself' : ''}`;
  return `<p class="repetition${high ? ' is-high' : ''}">${high ? '⚠ ' : ''}${words}</p>`;
}
