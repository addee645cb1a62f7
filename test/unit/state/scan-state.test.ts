/** What the empty view says while the workspace is searched, and when: by the `when` clauses of the manifest. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { scanState } from '../../../src/state/scan-state';
import { expertToy } from '../../support/expert-toys';
import { textOf } from '../house/repository';

interface Welcome {
  readonly view: string;
  readonly contents: string;
  readonly when: string;
}

const { contributes } = JSON.parse(textOf('package.json')) as { contributes: { viewsWelcome: Welcome[] } };
const viewsWelcome = contributes.viewsWelcome.filter(({ view }) => view === 'coppice.checkpoints');

/** Clauses of keys, `!` and `&&`. */
const holds = (when: string, keys: Readonly<Record<string, unknown>>): boolean =>
  when.split('&&').every((part) => {
    const key = part.trim().replace('!', '');
    return part.includes('!') ? !keys[key] : Boolean(keys[key]);
  });

/** Which texts the view would show without lines, whenever VS Code is told one more key. */
function said(keys: Record<string, unknown>, told: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(told).map(([key, value]) => {
    keys[key] = value;
    const shown = viewsWelcome.filter(({ when }) => holds(when, keys)).map(({ contents }) => contents);
    assert.equal(shown.length, 1, JSON.stringify(keys));
    return shown[0];
  });
}

const library = (
  isScanned: boolean,
  paths: readonly string[],
  models: ReadonlyMap<string, Checkpoint> = new Map(),
) => ({
  isScanned,
  adapters: () => [],
  trainings: () => [],
  peek: (path: string) => models.get(path),
  entries: () => paths.map((path) => ({ path, origin: 'workspace' as const })),
});
const SCANNING = '%welcome.scanning%';

describe('an empty view', () => {
  /** What an extension host leaves that is started again in a window where nothing had been found. */
  const stale = (): Record<string, unknown> => ({
    ...scanState(library(true, []), { size: 0 }),
    isWorkspaceTrusted: true,
  });

  it('says that the search runs, before the extension is there and until it has ended', () => {
    const keys = { isWorkspaceTrusted: true };
    assert.deepEqual(new Set(said(keys, { other: 1 })), new Set([SCANNING]));
    assert.deepEqual(new Set(said(keys, scanState(library(false, []), { size: 0 }))), new Set([SCANNING]));
    // Found, but their lines are still to come.
    assert.deepEqual(new Set(said(keys, scanState(library(true, ['/a']), { size: 0 }))), new Set([SCANNING]));
  });

  it('says so again after a restart', () => {
    assert.deepEqual(new Set(said(stale(), scanState(library(false, []), { size: 0 }))), new Set([SCANNING]));
  });

  it('says that nothing was found once that is known, and what restricted mode means', () => {
    const keys: Record<string, unknown> = { isWorkspaceTrusted: true };
    assert.equal(said(keys, scanState(library(true, []), { size: 0 })).at(-1), '%welcome.empty%');
    assert.equal(said(keys, { isWorkspaceTrusted: false }).at(-1), '%welcome.restricted%');
  });

  it('knows the folders of checkpoints, for the menu of the Explorer', () => {
    const { 'coppice.checkpointFolders': folders } = scanState(library(true, ['/a']), { size: 1 });
    assert.deepEqual(folders, ['/a']);
  });
});

describe('dropping experts', () => {
  it('is offered where a model has some, or was not opened yet', async () => {
    const sample = await openCheckpoint(join(import.meta.dirname, '../../../media/sample'));
    const toy = await openCheckpoint(expertToy());
    const offered = (...models: readonly [string, Checkpoint | undefined][]): unknown => {
      const open = new Map(models.flatMap(([path, model]) => (model ? [[path, model] as const] : [])));
      const listed = library(
        true,
        models.map(([path]) => path),
        open,
      );
      return scanState(listed, { size: 0 })['coppice.hasExperts'];
    };
    assert.equal(offered(), false);
    assert.equal(offered(['/a', sample]), false);
    assert.equal(offered(['/a', sample], ['/b', toy]), true);
    assert.equal(offered(['/a', sample], ['/b', undefined]), true);
  });
});
