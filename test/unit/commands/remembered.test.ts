/** What the user chose last time, beside what the settings say now. */
import assert from 'node:assert/strict';
import { recall, remember } from '../../../src/host/ask/remembered';

/** Global state as VS Code keeps it: what can be written as JSON. */
function host() {
  const values = new Map<string, string>();
  const globalState = {
    get: <T>(key: string, fallback?: T): T => (values.has(key) ? (JSON.parse(values.get(key)!) as T) : (fallback as T)),
    update: (key: string, value: unknown): Promise<void> => {
      values.set(key, JSON.stringify(value));
      return Promise.resolve();
    },
  };
  return { context: { globalState } };
}

describe('what was chosen last time', () => {
  it('is what Enter takes, if it is of the kind that is asked for', async () => {
    const coppice = host();
    assert.equal(recall(coppice, 'retrain', 'rank', 8), 8);
    await remember(coppice, 'retrain', { rank: 16, data: undefined });
    assert.equal(recall(coppice, 'retrain', 'rank', 8), 16);
    assert.equal(recall(coppice, 'retrain', 'rank', 'eight'), 'eight');
    assert.equal(recall(coppice, 'other', 'rank', 8), 8);
    await remember(coppice, 'retrain', { rank: undefined });
    assert.equal(recall(coppice, 'retrain', 'rank', 8), 16);
  });

  it('counts until the setting behind it changes', async () => {
    const coppice = host();
    await remember(coppice, 'score', { criterion: 'taylor' }, { criterion: 'ppl' });
    assert.equal(recall(coppice, 'score', 'criterion', 'ppl', 'ppl'), 'taylor');
    assert.equal(recall(coppice, 'score', 'criterion', 'greedy', 'greedy'), 'greedy');
    assert.equal(recall(coppice, 'score', 'criterion', 'ppl', 'ppl'), 'taylor'); // the setting is what it was again
  });

  it('does not count when nobody knows which setting was behind it', async () => {
    const coppice = host();
    await remember(coppice, 'score', { criterion: 'taylor' });
    assert.equal(recall(coppice, 'score', 'criterion', 'ppl', 'ppl'), 'ppl');
  });
});
