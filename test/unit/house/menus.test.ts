/** The menus of lines, by the `when` clauses of package.json for every state that a line can have. */
import assert from 'node:assert/strict';
import { blockContext, checkpointContext, type CheckpointStates, planContext } from '../../../src/views/contexts';
import { textOf } from './repository';

interface Entry {
  readonly command?: string;
  readonly submenu?: string;
  readonly when?: string;
  readonly group: string;
}

const { menus, submenus } = (
  JSON.parse(textOf('package.json')) as {
    contributes: { menus: Record<string, Entry[]>; submenus: { id: string; label: string }[] };
  }
).contributes;
const LINES = menus['view/item/context'];
/** What fits a window of 800 pixels, with room for what VS Code and other extensions add. */
const MOST = 12;

type Keys = Readonly<Record<string, string | boolean | readonly string[]>>;

/** Clauses have no parentheses outside of patterns: `||` of `&&` of terms. */
const terms = new Map<string, (keys: Keys) => boolean>();
function holds(clause: string | undefined, keys: Keys): boolean {
  if (clause === undefined) return true;
  return clause.split(' || ').some((all) => all.split(' && ').every((term) => termOf(term.trim())(keys)));
}

function termOf(term: string): (keys: Keys) => boolean {
  let found = terms.get(term);
  if (!found) terms.set(term, (found = parsed(term)));
  return found;
}

function parsed(term: string): (keys: Keys) => boolean {
  const [, negated, key] = /^(!?)([\w.]+)$/.exec(term) ?? [];
  if (key) return (keys) => Boolean(keys[key]) !== (negated === '!');
  const [, equal, text] = /^([\w.]+) == (\S+)$/.exec(term) ?? [];
  if (equal) return (keys) => keys[equal] === text;
  const [, value, not, place] = /^([\w.]+)( not)? in ([\w.]+)$/.exec(term) ?? [];
  if (value) {
    return (keys) => [keys[place] ?? []].flat().map(String).includes(String(keys[value])) === (not === undefined);
  }
  const [, matched, pattern] = /^([\w.]+) =~ \/(.*)\/$/.exec(term) ?? [];
  assert.ok(matched, `the term is not understood: ${term}`);
  const expression = new RegExp(pattern);
  return (keys) => expression.test(String(keys[matched] ?? ''));
}

const FLAGS = [
  ...(['usable', 'planned', 'plans', 'portable', 'scored', 'stale', 'hasRuns', 'derived', 'exported'] as const),
  ...(['hasAdapter', 'experts', 'opened'] as const),
];

function* allStates(): Generator<CheckpointStates> {
  for (let bits = 0; bits < 2 ** FLAGS.length; bits++) {
    const flags = Object.fromEntries(FLAGS.map((flag, at) => [flag, (bits & (2 ** at)) !== 0]));
    const states = flags as unknown as CheckpointStates;
    if (states.planned && !states.plans) continue; // the current plan is one of them
    for (const next of ['score', 'export', 'code'] as const) yield { ...states, next };
  }
}

const CHECKPOINTS = [...allStates()];
const OTHERS = [
  ...[
    'broken',
    'broken.opened',
    'adapter',
    'export',
    'training',
    'inspection',
    'namedPlan',
    'namedPlan.current',
    'block',
  ],
  ...[true, false].flatMap((kept) => [true, false].map((planned) => blockContext(kept, planned))),
  planContext({ planned: true, plans: true, portable: true }),
  planContext({ planned: false, plans: true, portable: true }),
  planContext({ planned: false, plans: false, portable: false }),
];
const JOBS = [
  'running',
  'queued',
  'stopped.resumes',
  'stopped.again',
  'stopped.resumes.training',
  'failed',
  'finished',
];

/** Everything on, so that no menu can be longer. */
const keysOf = (view: string, viewItem: string, listMultiSelection = false): Keys => ({
  ...{ view, viewItem, listMultiSelection, 'coppice.hasCluster': true, 'coppice.hasHidden': true },
});

const shown = (entries: readonly Entry[], keys: Keys): Entry[] => entries.filter(({ when }) => holds(when, keys));
const nameOf = ({ command, submenu }: Entry): string => command ?? submenu!;
const isInline = ({ group }: Entry): boolean => group.startsWith('inline');

function checkMenu(keys: Keys): void {
  const { viewItem } = keys;
  const all = shown(LINES, keys);
  const top = all.filter((entry) => !isInline(entry));
  const below = top.flatMap(({ submenu }) => (submenu === undefined ? [] : [shown(menus[submenu], keys)]));
  for (const list of [top, ...below])
    assert.ok(list.length <= MOST, `${String(viewItem)}: ${list.map(nameOf).join(', ')}`);
  for (const list of [all, ...below]) {
    assert.ok(list.length > 0 || list === all, `${String(viewItem)} has an empty submenu`);
    const places = list.map(({ group }) => group);
    assert.equal(new Set(places).size, places.length, `${String(viewItem)}: ${places.sort().join(', ')}`);
  }
  const names = [...top, ...below.flat()].map(nameOf);
  assert.equal(new Set(names).size, names.length, `${String(viewItem)} has twice: ${names.sort().join(', ')}`);
}

/** Entries of a file or folder in the Explorer, those of submenus as "submenu › command". */
function inExplorer(path: string, more: Keys): string[] {
  const resourceFilename = path.slice(path.lastIndexOf('/') + 1);
  const keys = { resourcePath: path, resourceFilename, isWorkspaceTrusted: true, ...more };
  return shown(menus['explorer/context'], keys).flatMap(({ command, submenu }) =>
    submenu === undefined ? [command!] : shown(menus[submenu], keys).map((entry) => `${submenu} › ${nameOf(entry)}`),
  );
}

/** Commands of a checkpoint's line, also of its submenus. */
function offered(viewItem: string): Set<string> {
  const keys = keysOf('coppice.checkpoints', viewItem);
  const top = shown(LINES, keys);
  return new Set([...top, ...top.flatMap(({ submenu }) => (submenu ? shown(menus[submenu], keys) : []))].map(nameOf));
}

describe('menus of lines', () => {
  it('have at most twelve entries, each once and at a place of its own', () => {
    for (const states of CHECKPOINTS) checkMenu(keysOf('coppice.checkpoints', checkpointContext(states)));
    for (const item of OTHERS) {
      checkMenu(keysOf('coppice.checkpoints', item));
      checkMenu(keysOf('coppice.checkpoints', item, true));
    }
    for (const item of [...JOBS, 'finished.export', 'stopped.resumes.parts']) checkMenu(keysOf('coppice.jobs', item));
  });

  it('offer nothing that must refuse', () => {
    const needs: Record<string, (states: CheckpointStates) => boolean> = {
      compareWithOriginal: ({ derived }) => derived,
      mergeAdapter: ({ hasAdapter }) => hasAdapter,
      verifyExport: ({ exported }) => exported,
      addToProject: ({ exported }) => exported,
      heal: ({ planned }) => planned,
      resetPlan: ({ planned }) => planned,
      savePlan: ({ planned }) => planned,
      comparePlans: ({ plans }) => plans,
      exportPlan: ({ planned, portable }) => planned && portable,
      saveAsRecipe: ({ planned, hasRuns }) => planned || hasRuns,
      showScores: ({ scored }) => scored,
      dropExperts: ({ experts }) => experts,
      closeCheckpoint: ({ opened }) => opened,
    };
    for (const states of CHECKPOINTS) {
      const commands = offered(checkpointContext(states));
      for (const [name, fits] of Object.entries(needs)) {
        const wanted = fits(states) && (states.usable || name === 'closeCheckpoint');
        assert.equal(commands.has(`coppice.${name}`), wanted, `${name} of ${checkpointContext(states)}`);
      }
    }
  });

  it('give each exported artefact its code, its verification and its place', () => {
    const exported = CHECKPOINTS.find((states) => states.usable && states.exported)!;
    for (const item of ['export', checkpointContext(exported)]) {
      for (const name of ['copyLoadingCode', 'verifyExport', 'addToProject', 'revealFiles'])
        assert.ok(offered(item).has(`coppice.${name}`), `${name} of ${item}`);
    }
    const job = shown(LINES, keysOf('coppice.jobs', 'finished.export')).map(nameOf);
    for (const name of ['copyLoadingCode', 'verifyExport', 'addToProject', 'revealFiles'])
      assert.ok(job.includes(`coppice.${name}`));
  });

  it('are one submenu on texts in the Explorer, and nothing on what is no model', () => {
    const known = {
      'coppice.scanned': true,
      'coppice.hasCheckpoints': true,
      'coppice.checkpointFolders': ['/w/model'],
    };
    const folder = { explorerResourceIsFolder: true };
    const [own, use, retrain, open] = [
      'useAsApplicationText',
      'useAsCalibrationText',
      'retrainOnFile',
      'openFromExplorer',
    ].map((name) => `coppice.menu.explorer › coppice.${name}`);
    assert.deepEqual(inExplorer('/w/prose.txt', known), [own, use, retrain]);
    assert.deepEqual(inExplorer('/w/README.md', known), [own, use]);
    for (const path of ['/w/prose.txt', '/w/config.json', '/w/a.py']) assert.deepEqual(inExplorer(path, {}), []);
    for (const path of ['/w/config.json', '/w/a.py']) assert.deepEqual(inExplorer(path, known), []);
    assert.deepEqual(inExplorer('/w/model/model.safetensors', known), ['coppice.openFromExplorer']);
    assert.deepEqual(inExplorer('/w/model', { ...known, ...folder }), ['coppice.openFromExplorer']);
    assert.deepEqual(inExplorer('/w/src', { ...known, ...folder }), [own]);
    assert.deepEqual(inExplorer('/w/src', folder), [open]); // nobody has looked yet
    const recipe = inExplorer('/w/a.coppice.json', known);
    assert.deepEqual(recipe, ['coppice.runRecipe', 'coppice.planRecipe']);
  });

  it('share no place in the titles of views either, and every submenu has a name', () => {
    for (const view of ['coppice.checkpoints', 'coppice.jobs']) {
      const places = shown(menus['view/title'], { view, 'coppice.hasCheckpoints': true, 'coppice.hasHidden': true });
      assert.equal(new Set(places.map(({ group }) => group)).size, places.length);
      assert.ok(places.filter(({ group }) => !group.startsWith('navigation')).length <= MOST);
    }
    const names = JSON.parse(textOf('package.nls.json')) as Record<string, string>;
    for (const { id, label } of submenus) assert.ok(menus[id] && names[label.slice(1, -1)], id);
  });
});
