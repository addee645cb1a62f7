/**
 * Colours of blocks in every theme that VS Code brings along, as its window draws them: what a block scores, and that it
 * goes, must be readable on the side bar.
 */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { contrast, over, parseColour } from '../../support/contrast';
import { clearWorkspace, run, writeModel } from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

/** WCAG 2.2 AA, for text. */
const LEAST = 4.5;
const COLOURS = ['importantBlock', 'unimportantBlock', 'removedBlock'] as const;

interface Theme {
  readonly id?: string;
  readonly label: string;
  /** "./themes/dark_modern.json" */
  readonly path: string;
}

describe('colours of blocks', () => {
  let window: Window;
  const settings = vscode.workspace.getConfiguration('workbench');
  before(async () => {
    window = await Window.connect();
    await clearWorkspace();
    await window.tidy();
    const path = writeModel('model');
    await run('refreshCheckpoints');
    await run('scoreBlocks', { checkpoint: path, criterion: 'magnitude' });
    await vscode.commands.executeCommand('coppice.checkpoints.focus');
    await window.row('model').first().waitFor();
  });
  after(async () => {
    await settings.update('colorTheme', undefined, vscode.ConfigurationTarget.Global);
    await window.disconnect();
  });

  const themes = vscode.extensions.all
    .filter(({ id }) => id.startsWith('vscode.theme-'))
    .flatMap(({ packageJSON }) => (packageJSON as { contributes: { themes?: Theme[] } }).contributes.themes ?? [])
    .map(({ id, label, path }) => ({ theme: id ?? label, className: classOf(path) }));

  it('are looked at in all themes', () => assert.ok(themes.length >= 15, themes.map(({ theme }) => theme).join()));

  for (const { theme, className } of themes) {
    it(`can be read in ${theme}`, async () => {
      await settings.update('colorTheme', theme, vscode.ConfigurationTarget.Global);
      await until(`${theme} is drawn`, async () => (await look()).classes.includes(className));
      const { sideBar, colours, fading } = await look();
      const background = parseColour(sideBar);
      for (const [i, name] of COLOURS.entries()) {
        const label = over(parseColour(colours[i]), background);
        // The score is a description, which VS Code draws fainter.
        const description = over({ ...label, alpha: fading }, background);
        for (const [part, colour] of Object.entries({ label, description })) {
          const found = contrast(colour, background);
          assert.ok(found >= LEAST, `${name}, ${part}: ${found.toFixed(2)}:1`);
        }
      }
    });
  }

  /** What the window draws: the theme's class, the colours, and how faint a description is. */
  const look = (): Promise<Look> => window.page.evaluate(`(${LOOK})(${JSON.stringify(COLOURS)})`);
});

interface Look {
  readonly classes: string;
  readonly sideBar: string;
  readonly colours: readonly string[];
  readonly fading: number;
}

/** Runs in the page, of whose types the host knows nothing. */
const LOOK = `(names) => {
  const workbench = document.querySelector('.monaco-workbench');
  const style = getComputedStyle(workbench);
  const description = document.querySelector('.pane-body .monaco-list-row:not(.selected):not(.focused) .label-description');
  return {
    classes: workbench.className,
    sideBar: style.getPropertyValue('--vscode-sideBar-background'),
    colours: names.map((name) => style.getPropertyValue('--vscode-coppice-' + name)),
    fading: description ? Number(getComputedStyle(description).opacity) : 0.7,
  };
}`;

/** A part of the class that the workbench has under a theme: "themes-dark_modern-json". */
function classOf(path: string): string {
  return path.replace(/^\.\//, '').replace(/[/.]/g, '-');
}
