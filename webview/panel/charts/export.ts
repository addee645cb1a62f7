/** Exports charts and their numbers as files, which the host saves. A chart keeps its colours on the screen. */
import type { FileContent, PanelMessage } from '../../../src/protocol/panel';
import { svg as svgEl } from '../../support/dom';
import type { Cell, Numbers } from './table';

type Send = (message: PanelMessage) => void;

/** Styles of a mark. Their computed values become attributes, because a file has no style sheet. */
const STYLES = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-opacity',
  'stroke-dasharray',
  'opacity',
  'color',
];
const TEXT_STYLES = ['font-family', 'font-size', 'font-weight', 'font-variant', 'text-anchor'];
/** Pixels of a PNG for each pixel of the screen. */
const PNG_SCALE = 2;
const GAP = 8;

export function exportSvg(id: string, charts: readonly SVGSVGElement[], send: Send): void {
  save(send, `${id}.svg`, { text: standalone(charts).text });
}

export async function exportPng(id: string, charts: readonly SVGSVGElement[], send: Send): Promise<void> {
  const { text, width, height } = standalone(charts);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = width * PNG_SCALE;
  canvas.height = height * PNG_SCALE;
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  save(send, `${id}.png`, { base64: canvas.toDataURL('image/png').split(',')[1] });
}

/** Exports numbers as they were measured, without thousands separators and not rounded. */
export function exportCsv(id: string, numbers: Numbers, send: Send): void {
  save(send, `${id}.csv`, { text: csvOf(numbers) });
}

export function exportJson(id: string, numbers: Numbers, send: Send): void {
  save(send, `${id}.json`, { text: jsonText(objectsOf(numbers)) });
}

export const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

function csvOf({ head, rows }: Numbers): string {
  const lines = [head, ...rows()].map((cells) => cells.map(csvCell).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

/** One object for each row. Infinity and NaN become strings, as in records. */
function objectsOf({ head, rows }: Numbers): Record<string, Cell>[] {
  const valueOf = (cell: Cell): Cell => (typeof cell === 'number' && !Number.isFinite(cell) ? String(cell) : cell);
  return rows().map((row) => Object.fromEntries(head.map((name, i) => [name, valueOf(row[i])])));
}

/** Quotes a cell where CSV needs it (RFC 4180). Text that a spreadsheet would run as a formula gets an apostrophe (OWASP). */
function csvCell(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const safe = /^[-=+@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const save = (send: Send, name: string, content: FileContent): void => send({ type: 'file/save', name, content });

/** Puts all charts into one SVG, one above the other, on the background of the editor. */
function standalone(charts: readonly SVGSVGElement[]): { text: string; width: number; height: number } {
  const sizes = charts.map((chart) => ({ width: chart.width.baseVal.value, height: chart.height.baseVal.value }));
  const width = Math.max(...sizes.map((size) => size.width));
  const height = sizes.reduce((sum, size) => sum + size.height + GAP, -GAP);
  const whole = svgEl('svg', { xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}` });
  const background = getComputedStyle(document.body).backgroundColor;
  whole.append(svgEl('rect', { width: '100%', height: '100%', fill: background }));
  let top = 0;
  for (const [i, chart] of charts.entries()) {
    const copy = chart.cloneNode(true) as SVGSVGElement;
    freezeStyles(chart, copy);
    for (const gone of copy.querySelectorAll('style, .target')) gone.remove();
    copy.setAttribute('y', String(top));
    whole.append(copy);
    top += sizes[i].height + GAP;
  }
  return { text: new XMLSerializer().serializeToString(whole), width, height };
}

function freezeStyles(from: Element, to: Element): void {
  const style = getComputedStyle(from);
  for (const name of from instanceof SVGTextElement || from instanceof SVGSVGElement
    ? [...STYLES, ...TEXT_STYLES]
    : STYLES) {
    const value = style.getPropertyValue(name);
    if (value !== '' && !value.startsWith('url("data')) to.setAttribute(name, plainColor(value));
  }
  to.removeAttribute('style');
  for (const [i, child] of [...from.children].entries()) if (to.children[i]) freezeStyles(child, to.children[i]);
}

/** A mixed colour as every program reads it: "color(srgb 0.5 0 1)" → "rgb(128, 0, 255)". */
const plainColor = (value: string): string =>
  value.replace(/^color\(srgb ([\d.e-]+) ([\d.e-]+) ([\d.e-]+)\)$/, (_, ...parts: string[]) => {
    const [red, green, blue] = parts.map((part) => Math.round(255 * Number(part)));
    return `rgb(${red}, ${green}, ${blue})`;
  });
