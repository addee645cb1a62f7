/** The cost of views that share their common beginnings. */
import assert from 'node:assert/strict';
import { SharedApplications, sharedApplications } from '../../../src/engine/model/shared-applications';
import { parseRemoved, type View, viewWithout } from '../../../src/engine/model/view';
import { uniform } from '../../support/random';

const BLOCKS = 7;
const without = (list: string): View => viewWithout(BLOCKS, parseRemoved(list, BLOCKS));

/** Counts the different beginnings up to every block that is computed. */
function counted(views: readonly View[]): number {
  const beginnings = new Set<string>();
  for (const { attention, ffn } of views) {
    for (let block = 0; block < BLOCKS; block++) {
      if (attention[block] || ffn[block])
        beginnings.add(JSON.stringify([attention, ffn].map((has) => has.slice(0, block + 1))));
    }
  }
  return beginnings.size;
}

describe('applications of a block, shared by views', () => {
  it('nested removals from the end cost one pass, and equal views nothing', () => {
    assert.equal(sharedApplications(['6', '5,6', '4-6'].map(without)), 6);
    assert.equal(sharedApplications(['2', '2', '2'].map(without)), 6);
    assert.equal(sharedApplications(['0', '1'].map(without)), 12);
  });

  it('are those of different beginnings, for any of the views that follow each other', () => {
    const random = uniform(3);
    const views = Array.from({ length: 12 }, () => {
      const removed = Array.from({ length: BLOCKS }, (_, block) => block).flatMap((block) => {
        const draw = random();
        return draw < 0.15 ? [{ block }] : draw < 0.25 ? [{ block, part: 'ffn' as const }] : [];
      });
      return viewWithout(BLOCKS, removed);
    });
    const shared = new SharedApplications(views);
    for (let from = 0; from <= views.length; from++) {
      for (let to = views.length; to >= from; to--) {
        assert.equal(shared.of({ from, to }), counted(views.slice(from, to)), `${from} to ${to}`);
      }
    }
  });
});
