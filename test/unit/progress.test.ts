/** One progress of a job that has phases. */
import assert from 'node:assert/strict';
import { inPhases, labelled, type Progress, Work } from '../../src/engine/progress';

function reported(shares: readonly { share: number; unpaced?: true }[]): { seen: Progress[]; jobs: Work[] } {
  const seen: Progress[] = [];
  const phases = inPhases({ onProgress: (progress) => seen.push(progress) }, shares);
  return { seen, jobs: phases.map((job, phase) => new Work(job, 4, 'rows', `phase ${phase}`)) };
}

const shares = (seen: readonly Progress[]): number[] => seen.map(({ done, total }) => done / total);

describe('phases of a job', () => {
  it('are shares of one whole', () => {
    const { seen, jobs } = reported([{ share: 1 }, { share: 3 }]);
    jobs[0].advance(2);
    jobs[0].advance(2);
    jobs[1].advance(2);
    jobs[1].advance(2);
    assert.deepEqual(shares(seen), [0.125, 0.25, 0.625, 1]);
    assert.deepEqual([...new Set(seen.map(({ label }) => label))], ['phase 0', 'phase 1']);
  });

  it('never go back, whatever a phase reports', () => {
    const { seen, jobs } = reported([{ share: 1 }, { share: 1 }]);
    jobs[0].advance(40); // more than it had said
    jobs[1].advance(1);
    jobs[0].advance(-40);
    for (const [i, share] of shares(seen).entries()) assert.ok(share >= (shares(seen)[i - 1] ?? 0) && share <= 1);
    assert.equal(shares(seen)[0], 0.5);
  });

  it('say of which phases the pace means nothing for the rest', () => {
    const { seen, jobs } = reported([{ share: 1, unpaced: true }, { share: 9 }]);
    jobs[0].advance(1);
    jobs[1].advance(1);
    assert.deepEqual(
      seen.map(({ unpaced }) => unpaced),
      [true, undefined],
    );
  });

  it('can have phases themselves, and names', () => {
    const seen: Progress[] = [];
    const [, second] = inPhases({ onProgress: (progress) => seen.push(progress) }, [{ share: 1 }, { share: 1 }]);
    const [, inner] = inPhases(labelled(second, 'round 2 of 2'), [{ share: 1 }, { share: 1 }]);
    new Work(inner, 2, 'rows', 'losses').advance(1);
    assert.deepEqual(shares(seen), [0.875]);
    assert.equal(seen[0].label, 'round 2 of 2, losses');
  });

  it('hand on the signal', () => {
    const controller = new AbortController();
    const [only] = inPhases({ signal: controller.signal }, [{ share: 1 }]);
    controller.abort();
    assert.throws(() => new Work(only, 1, 'rows', 'x').advance(1));
  });
});
