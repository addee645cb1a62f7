/** Which model stands below which, also by records that lie. */
import assert from 'node:assert/strict';
import { type Listed, lineOf, parentsOf } from '../../../src/state/lineage';
import { madeWords } from '../../../src/state/words/made-words';

const model = (path: string, identity: string, madeFrom?: string): Listed => ({ path, identity, madeFrom });
const found = (...all: Listed[]): object => Object.fromEntries(parentsOf(all, (path) => !path.includes('broken')));

describe('the lineage of models', () => {
  it('follows the records from the export to the original', () => {
    const all = [model('/a', 'A'), model('/b', 'B', 'A'), model('/b.gguf', 'G', 'B'), model('/other', 'O', 'gone')];
    assert.deepEqual(found(...all), { '/b': '/a', '/b.gguf': '/b' });
  });

  it('takes of two copies the one that lies beside it', () => {
    const all = [model('/x/a', 'A'), model('/y/a', 'A'), model('/y/b', 'B', 'A'), model('/z/c', 'C', 'A')];
    assert.deepEqual(found(...all), { '/y/b': '/y/a', '/z/c': '/x/a' });
  });

  it('has no order for circles, and none for a model of itself; what hangs below a circle stays there', () => {
    const circle = [model('/a', 'A', 'C'), model('/b', 'B', 'A'), model('/c', 'C', 'B')];
    assert.deepEqual(found(...circle, model('/d', 'D', 'A'), model('/e', 'E', 'E')), { '/d': '/a' });
  });

  it('goes from a model to its oldest known ancestor, and ends where a circle closes', () => {
    const origins: Record<string, string> = { G: 'B', B: 'A', X: 'Y', Y: 'X' };
    const line = (identity: string): string[] => lineOf(identity, origins[identity], (each) => origins[each]);
    assert.deepEqual(line('G'), ['G', 'B', 'A']);
    assert.deepEqual(line('A'), ['A']);
    assert.deepEqual(line('X'), ['X', 'Y', 'X']);
  });

  it('puts nothing below what cannot be run', () => {
    assert.deepEqual(found(model('/broken', 'A'), model('/b', 'B', 'A')), {});
  });

  it('says how a model was made', () => {
    assert.equal(madeWords({ kind: 'heal', healed: true }), 'pruned, healed');
    assert.equal(madeWords({ kind: 'heal' }), 'pruned');
    assert.equal(madeWords({ kind: 'merge', adapter: 'tales' }), 'tales merged');
    assert.equal(madeWords({ kind: 'of a later version' }), 'made by Coppice');
  });
});
