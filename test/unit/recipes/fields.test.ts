/** References, cells and limits of a recipe are checked against what jobs declare of their results, before anything runs. */
import assert from 'node:assert/strict';
import type { AnyJob } from '../../../src/jobs/define';
import { JOBS } from '../../../src/jobs/definitions';
import type { Kind } from '../../../src/jobs/kinds';
import type { Field } from '../../../src/jobs/result';
import { nearest } from '../../../src/format/nearest';
import { measuresOf } from '../../../src/recipes/limits';
import { STEP_KINDS } from '../../../src/recipes/outputs';
import { parseRecipe } from '../../../src/recipes/read';
import { LIMIT_NAMES } from '../../../src/recipes/recipe';

const ROW = 'the row';

/** A recipe with one step of the kind, and a table with this cell. */
function withCell(kind: Kind, cell: string, row: object = {}): string {
  const rows = [{ label: ROW, ...row, cells: [cell] }];
  const steps = { step: { job: kind, options: {} } };
  return JSON.stringify({ coppice: 1, model: 'm', steps, tables: [{ title: 't', columns: ['c'], rows }] });
}

/** What is wrong with it at its tables, with the text that it is about; options are not of interest. */
const faultsOf = (text: string): string[] =>
  parseRecipe(text, '/x.coppice.json')
    .problems.filter(({ offset }) => offset >= text.indexOf('"tables"'))
    .map(({ what, why, action, offset, length }) => `${text.slice(offset, offset + length)} ${what}: ${why} ${action}`);

/** Every path to a value in a result, with 0 for the items of its lists. */
function pathsIn({ kind }: Field, path: readonly string[] = []): string[][] {
  switch (kind.kind) {
    case 'shape':
      return Object.entries(kind.fields).flatMap(([name, field]) => pathsIn(field, [...path, name]));
    case 'list':
      return pathsIn(kind.of, [...path, '0']);
    case 'either':
      return kind.of.flatMap((field) => pathsIn(field, path));
    default:
      return [[...path]];
  }
}

describe('fields of results in recipes', () => {
  for (const kind of STEP_KINDS) {
    it(`${kind}: each is found, and with a letter more none is`, () => {
      const { result }: AnyJob = JOBS[kind];
      for (const path of pathsIn(result)) {
        assert.deepEqual(faultsOf(withCell(kind, `\${steps.step.${path.join('.')}}`)), []);
        for (const [at, name] of path.entries()) {
          const typo = path.with(at, `${name}x`).join('.');
          const [fault, ...more] = faultsOf(withCell(kind, `\${steps.step.${typo}}`));
          assert.deepEqual(more, []);
          assert.ok(fault.startsWith(`"\${steps.step.${typo}}" `), fault);
          assert.match(fault, /names nothing: .*(Name “|Name one of them|by its number)/);
          const isNumber = /^\d+$/.test(name);
          if (!isNumber && name.length > 3) assert.match(fault, /Name “/);
        }
      }
    });

    it(`${kind}: a limit that it has not is refused at its place`, () => {
      for (const limit of [...LIMIT_NAMES, 'maxPlp']) {
        const step = { job: kind, options: { out: 'x', text: 't', repetition: 1 }, limits: { [limit]: 1 } };
        const text = JSON.stringify({ coppice: 1, model: 'm', steps: { step } });
        const found = parseRecipe(text, '/x.coppice.json').problems.filter(({ what }) => what.includes(`“${limit}”`));
        const has = measuresOf(kind, step.options).some((each) => each === limit);
        assert.equal(found.length, has ? 0 : 1, `${limit}: ${JSON.stringify(found)}`);
        if (limit === 'maxPlp') assert.match(found[0].action, /“maxPpl”/);
      }
    });
  }

  it('are checked in options as well, and files and records are fields', () => {
    const steps = {
      pruned: { job: 'prune', options: { blocks: [1] } },
      healed: { job: 'heal', options: { remove: '${steps.pruned.removd}', calibration: 't' } },
    };
    const text = JSON.stringify({ coppice: 1, model: 'm', steps });
    const [{ offset, length, action }] = parseRecipe(text, '/x.coppice.json').problems;
    assert.equal(text.slice(offset, offset + length), '"${steps.pruned.removd}"');
    assert.equal(action, 'Name “removed”.');
    for (const name of ['out', 'record']) assert.deepEqual(faultsOf(withCell('prune', `\${steps.step.${name}}`)), []);
  });

  it('are checked in repeated rows: the list, and what its items have', () => {
    const each = '${steps.step.blocks}';
    assert.deepEqual(faultsOf(withCell('score', '${each.index}', { each })), []);
    assert.match(faultsOf(withCell('score', '${each.idnex}', { each }))[0], /an item of “blocks”.*Name “index”/);
    assert.match(faultsOf(withCell('score', '1', { each: '${steps.step.blcks}' }))[0], /Name “blocks”/);
    assert.match(faultsOf(withCell('score', '1', { each: '${steps.step.criterion}' }))[0], /is no list/);
  });

  it('are single values in cells: an object has a field to name', () => {
    assert.match(
      faultsOf(withCell('heal', '${steps.step.heldOut.after}'))[0],
      /not one value: .*ppl.*Name one of them/,
    );
    assert.match(faultsOf(withCell('heal', '${steps.step.steps}'))[0], /list of objects/);
    assert.deepEqual(faultsOf(withCell('heal', '${steps.step.removed}')), []);
    assert.match(faultsOf(withCell('eval', '${steps.step.ppl.mean}'))[0], /one value, without fields/);
  });

  it('are named where few letters are wrong, and not where all are', () => {
    const names = ['ppl', 'meanNll', 'tokens', 'top1'];
    assert.deepEqual(
      ['pll', 'menaNll', 'Tokens', 'bytes'].map((name) => nearest(name, names)),
      ['ppl', 'meanNll', 'tokens', undefined],
    );
  });
});
