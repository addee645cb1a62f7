/** The model as a strip. The length of a piece shows its bytes; blocks are divided into attention and FFN. */
import type { PartKind, StripPiece } from '../../src/protocol/editor';
import { blocksText } from '../support/amounts';
import { el, svg } from '../support/dom';
import { t } from '../support/l10n';
import { formatBytes, formatShare } from '../../src/format/numbers';

const KINDS: Readonly<Record<PartKind, string>> = {
  embedding: t('Embedding'),
  attention: t('Attention'),
  ffn: t('FFN'),
  norm: t('Final norm'),
  head: t('LM head'),
  other: t('Other'),
};

const WIDTH = 1000;
const HEIGHT = 40;
/** The length of a piece that would be too short to see. The other pieces shrink a little for it. */
const LEAST = 2;

/** @param choose gets the filter that shows the tensors of a piece */
export function sizeStrip(pieces: readonly StripPiece[], choose: (filter: string) => void): HTMLElement {
  const total = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  const readout = el('div', { class: 'quiet strip-readout', 'aria-live': 'polite' }, hint(pieces, total));
  const groups = pieces.map((piece, i) => {
    const name = t('{0}: {1}', titleOf(piece), describe(piece, total));
    const group = svg('g', { role: 'button', tabindex: i === 0 ? 0 : -1, 'aria-label': name, class: 'strip-piece' });
    group.append(svg('title', {}, name));
    const tell = (): void => readout.replaceChildren(name);
    group.addEventListener('pointerenter', tell);
    group.addEventListener('focus', tell);
    group.addEventListener('click', () => choose(filterOf(piece)));
    return group;
  });
  lay(pieces, groups, total);
  const picture = svg(
    'svg',
    {
      class: 'strip',
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: 'none',
      role: 'toolbar',
      'aria-label': t('Blocks by size'),
    },
    ...groups,
  );
  picture.addEventListener('pointerleave', () => readout.replaceChildren(hint(pieces, total)));
  picture.addEventListener('keydown', (event) => move(event, groups, (i) => choose(filterOf(pieces[i]))));
  return el('div', {}, picture, readout, legend(pieces));
}

function lay(pieces: readonly StripPiece[], groups: readonly SVGGElement[], total: number): void {
  const wanted = pieces.map(({ bytes }) => Math.max(LEAST, (bytes / total) * WIDTH));
  const scale = WIDTH / wanted.reduce((sum, width) => sum + width, 0);
  let x = 0;
  pieces.forEach(({ bytes, parts }, i) => {
    const width = wanted[i] * scale;
    let at = x;
    for (const part of parts) {
      const length = bytes > 0 ? (part.bytes / bytes) * width : width;
      groups[i].append(svg('rect', { x: at, y: 0, width: length, height: HEIGHT, class: `part ${part.kind}` }));
      at += length;
    }
    groups[i].append(svg('rect', { x, y: 0, width, height: HEIGHT, class: 'edge' }));
    x += width;
  });
}

/** The strip is one tab stop. Arrow keys move from piece to piece. */
function move(event: KeyboardEvent, groups: readonly SVGGElement[], choose: (index: number) => void): void {
  const now = groups.indexOf(event.target as SVGGElement);
  if (now < 0) return;
  const last = groups.length - 1;
  const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: last }[event.key];
  if (event.key === 'Enter' || event.key === ' ') choose(now);
  else if (next === undefined) return;
  else {
    const target = groups[Math.min(Math.max(0, next), last)];
    groups[now].setAttribute('tabindex', '-1');
    target.setAttribute('tabindex', '0');
    target.focus();
  }
  event.preventDefault();
}

function titleOf({ block, parts }: StripPiece): string {
  return block === undefined ? KINDS[parts[0].kind] : t('Block {0}', block);
}

function describe({ bytes, parts }: StripPiece, total: number): string {
  const inside =
    parts.length > 1 ? ` (${parts.map((p) => `${KINDS[p.kind]} ${formatBytes(p.bytes)}`).join(', ')})` : '';
  return `${formatBytes(bytes)}, ${formatShare(bytes, total)}${inside}`;
}

const filterOf = ({ block, parts }: StripPiece): string =>
  block === undefined ? `part:${parts[0].kind}` : `block:${block}`;

function hint(pieces: readonly StripPiece[], total: number): string {
  const blocks = pieces.filter(({ block }) => block !== undefined);
  const bytes = blocks.reduce((sum, piece) => sum + piece.bytes, 0);
  if (blocks.length === 0) return t('{0}, no blocks', formatBytes(total));
  return t('{0}: {1}, {2} of the model', blocksText(blocks.length), formatBytes(bytes), formatShare(bytes, total));
}

function legend(pieces: readonly StripPiece[]): HTMLElement {
  const kinds = [...new Set(pieces.flatMap(({ parts }) => parts.map(({ kind }) => kind)))];
  return el(
    'ul',
    { class: 'legend', 'aria-label': t('Legend') },
    ...kinds.map((kind) => {
      const swatch = svg('svg', { class: 'swatch', viewBox: '0 0 12 12', 'aria-hidden': 'true' });
      swatch.append(svg('rect', { width: 12, height: 12, class: `part ${kind}` }));
      return el('li', {}, swatch, KINDS[kind]);
    }),
  );
}
