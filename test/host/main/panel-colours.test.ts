/**
 * Texts of the results panel in every theme that VS Code brings along, as its window draws them: each can be read on what
 * lies behind it, numbers on cells of the ranks too. Disabled controls are left out, as in WCAG.
 */
import assert from 'node:assert/strict';
import type { Frame } from 'playwright-core';
import * as vscode from 'vscode';
import { run } from '../support/coppice';
import { contrast, over, parseColour } from '../../support/contrast';
import { until } from '../../support/until';
import { type Staged, stageSample, unstage } from '../support/sample';

/** WCAG 2.2 AA, for text. */
const LEAST = 4.5;

interface Theme {
  readonly id?: string;
  readonly label: string;
}

interface Seen {
  readonly text: string;
  /** A number on a cell of the ranks. */
  readonly isRank: boolean;
  readonly colour: string;
  readonly opacity: number;
  /** From the nearest to the page's own, which is opaque. */
  readonly backgrounds: readonly string[];
}

describe('texts of the results panel', function () {
  this.timeout(60_000);
  let staged: Staged;
  let frame: Frame;
  const settings = vscode.workspace.getConfiguration('workbench');

  before(async () => {
    staged = await stageSample();
    const { window, checkpoint } = staged;
    await run('scoreBlocks', { checkpoint, criterion: 'ppl' });
    await run('scoreBlocks', { checkpoint, criterion: 'magnitude' });
    await run('suggestBlocks', { checkpoint, criterion: 'ppl', count: 2 });
    await run('setGoal', { checkpoint, format: 'gguf', type: 'q8_0', size: '2MB', perplexity: '1.3' });
    await run('openResults', { checkpoint });
    frame = await window.frameWith('.card.importance');
    await frame.locator('.importance .target').first().waitFor();
  });
  after(async () => {
    await settings.update('colorTheme', undefined, vscode.ConfigurationTarget.Global);
    await unstage(staged);
  });

  const themes = vscode.extensions.all
    .filter(({ id }) => id.startsWith('vscode.theme-'))
    .flatMap(({ packageJSON }) => (packageJSON as { contributes: { themes?: Theme[] } }).contributes.themes ?? [])
    .map(({ id, label }) => id ?? label);

  it('are looked at in all themes', () => assert.ok(themes.length >= 15, themes.join()));

  for (const theme of themes) {
    it(`can be read in ${theme}`, async () => {
      await settings.update('colorTheme', theme, vscode.ConfigurationTarget.Global);
      await until(
        `${theme} is drawn`,
        async () => (await frame.locator('body').getAttribute('data-vscode-theme-id')) === theme,
      );
      const seen = await frame.evaluate<Seen[]>(`(${TEXTS})()`);
      assert.ok(seen.length > 50, `${seen.length} texts`);
      // Two criteria rank the twelve blocks.
      assert.equal(seen.filter(({ isRank }) => isRank).length, 24);
      const faint = seen.flatMap((each) => {
        const found = contrastOf(each);
        return found < LEAST ? [`${found.toFixed(2)}:1 “${each.text}” ${each.colour} on ${each.backgrounds[0]}`] : [];
      });
      assert.deepEqual([...new Set(faint)], []);
    });
  }
});

/** Of a text on what lies behind it. */
function contrastOf({ colour, opacity, backgrounds }: Seen): number {
  const colours = backgrounds.map(parseColour);
  const behind = colours.reduceRight((below, above) => over(above, below));
  const ink = parseColour(colour);
  return contrast(over({ ...ink, alpha: ink.alpha * opacity }, behind), behind);
}

/** Runs in the page, of whose types the host knows nothing. @returns all texts that are shown */
const TEXTS = `() => {
  const seen = [];
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  /** Mixed colours as red, green and blue. */
  const painted = (colour, opacity) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return \`rgba(\${red}, \${green}, \${blue}, \${(alpha / 255) * opacity})\`;
  };
  const parentOf = (node) => node.assignedSlot ?? node.parentElement ?? node.getRootNode().host;
  const look = (element, text) => {
    if (!element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) return;
    // The cell of a number is beside it.
    const cell = element.matches('.heat-rank') ? element.parentElement.querySelector('.heat-cell') : null;
    const backgrounds = cell ? [painted(getComputedStyle(cell).fill, Number(getComputedStyle(cell).fillOpacity))] : [];
    let opacity = 1;
    for (let at = element; at; at = parentOf(at)) {
      if (at.hasAttribute?.('disabled') || at.getAttribute?.('aria-disabled') === 'true') return;
      if (at.classList?.contains('visually-hidden')) return;
      const style = getComputedStyle(at);
      opacity *= Number(style.opacity);
      if (style.backgroundColor !== 'rgba(0, 0, 0, 0)') backgrounds.push(style.backgroundColor);
    }
    const style = getComputedStyle(element);
    const own = cell ? painted(style.fill, 1) : element instanceof SVGElement ? style.fill : style.color;
    if (own === 'none' || backgrounds.length === 0) return;
    seen.push({ text: text.slice(0, 40), isRank: cell !== null, colour: own, opacity, backgrounds });
  };
  const walk = (node) => {
    for (const child of node.childNodes) {
      if (child.nodeType === 3 && child.textContent.trim() !== '') look(child.parentElement ?? node.host, child.textContent.trim());
      else if (child.nodeType === 1 && !['SCRIPT', 'STYLE', 'TITLE', 'OPTION'].includes(child.tagName.toUpperCase())) {
        if (child.shadowRoot) walk(child.shadowRoot);
        walk(child);
      }
    }
  };
  walk(document.body);
  return seen;
}`;
