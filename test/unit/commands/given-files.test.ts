/** Files and folders that the user named for a run: they are kept, newest first, and outputs are not among them. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { givenFiles, keepGivenFiles } from '../../../src/host/given-files';
import type { JobSpec } from '../../../src/protocol/jobs';

describe('files that the user named', () => {
  const store = new Map<string, unknown>();
  const workspaceState = {
    get: <T>(key: string, fallback?: T) => (store.get(key) as T | undefined) ?? fallback,
    update: (key: string, value: unknown) => Promise.resolve(void store.set(key, value)),
  };
  const host = { context: { workspaceState } };
  const [model, text, data, out] = ['/models/toy', '/texts/prose.txt', '/data/alpaca.json', '/out'].map((path) =>
    resolve(path),
  );

  it('are those that jobs read, each once, the newest first; never what they write', async () => {
    const drawn = { calibration: text, samples: 1, length: 8, seed: 1 };
    await keepGivenFiles(host, { kind: 'score', checkpoint: model, criterion: 'ppl', ...drawn, records: [out] });
    assert.deepEqual(givenFiles(host), [model, text]);
    const spec: JobSpec = { kind: 'retrain', checkpoint: model, data: [data], out };
    await keepGivenFiles(host, spec);
    assert.deepEqual(givenFiles(host), [model, data, text]);
  });

  it('are at most a hundred', async () => {
    for (let n = 0; n < 120; n++) {
      await keepGivenFiles(host, { kind: 'prune', checkpoint: resolve(`/models/${n}`), blocks: [1], out });
    }
    assert.equal(givenFiles(host).length, 100);
    assert.equal(givenFiles(host)[0], resolve('/models/119'));
  });

  it('are none where something else is stored', () => {
    store.set('givenFiles', [1, text]);
    assert.deepEqual(givenFiles(host), [text]);
    store.set('givenFiles', 'x');
    assert.deepEqual(givenFiles(host), []);
  });
});
