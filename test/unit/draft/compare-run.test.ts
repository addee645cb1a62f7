/** Whether a pair wrote the text of the model alone. */
import assert from 'node:assert/strict';
import { compareRun } from '../../../src/engine/draft/compare-run';
import type { RanText } from '../../../src/engine/verify/consumers/pairs';

const IDS = [4, 5, 6];
const judge = (...ran: RanText[]) =>
  compareRun(
    ran.map(() => ({ prompt: [1], ids: IDS, rounds: 2 })),
    ran,
  );

describe('draft/compare-run', () => {
  it('sums passes over texts that are the expected ones', () => {
    const found = judge({ ids: IDS, rounds: 2 }, { ids: IDS, rounds: 3 });
    assert.deepEqual(found, { texts: 2, textsEqual: 2, textsOther: 0, rounds: 5, forecastRounds: 4 });
  });

  it('takes what the model writes alone for its text, and leaves its passes out', () => {
    const other = [4, 7, 6];
    const found = judge({ ids: other, rounds: 3, alone: other }, { ids: IDS, rounds: 2 });
    assert.deepEqual(found, { texts: 2, textsEqual: 2, textsOther: 1, rounds: 2, forecastRounds: 2 });
  });

  it('takes a text for another one unless the model was not sure of the first token that differs', () => {
    const differs = { ids: [4, 7, 6], rounds: 3, alone: IDS };
    assert.equal(judge({ ...differs, lead: 0.05 }).textsEqual, 1);
    assert.equal(judge({ ...differs, lead: 0.2 }).textsEqual, 0);
    assert.equal(judge(differs).textsEqual, 0, 'nothing is known of the lead');
    assert.equal(judge({ ids: [], rounds: 0, alone: [] }).textsEqual, 0, 'nothing was written');
    assert.equal(judge({ ids: [4, 5], rounds: 1, alone: IDS }).textsEqual, 0, 'it ends too early');
  });

  it('sums no passes where none were forecast', () => {
    const found = compareRun([{ prompt: [1], ids: IDS, rounds: null }], [{ ids: IDS, rounds: 2 }]);
    assert.deepEqual([found.textsEqual, found.rounds, found.forecastRounds], [1, 0, 0]);
  });
});
