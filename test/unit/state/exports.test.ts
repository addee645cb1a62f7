/** What was exported is found by its record, and told newest first. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newRecord, recordText } from '../../../src/engine/records/record';
import { exportsOf } from '../../../src/state/exported';
import { groupFiles } from '../../../src/state/group-files';
import { OnnxFolders } from '../../../src/state/onnx-folders';
import type { Origin } from '../../../src/state/origins';
import { temporaryFolder } from '../../support/temporary';

const state = () => {
  const kept = new Map<string, unknown>();
  return {
    get: (key: string): unknown => kept.get(key),
    update: (key: string, value: unknown) => Promise.resolve(void kept.set(key, value)),
  };
};

/** A folder as an export leaves it. */
function exportFolder(parent: string, name: string, settings: object, kind = 'export'): string {
  const folder = join(parent, name);
  mkdirSync(folder);
  const record = newRecord({
    kind,
    inputs: [{ role: 'model', name: 'sample', identity: 'A' }],
    settings: { ...settings },
    results: { bytes: 2.9e6, removed: [4, 5] },
    started: new Date(),
  });
  writeFileSync(join(folder, 'coppice.json'), recordText(record));
  return folder;
}

describe('exported folders of ONNX models', () => {
  it('are told from other folders by their record, and those elsewhere are remembered as long as they are there', async () => {
    const parent = temporaryFolder();
    const q8 = exportFolder(parent, 'q8', { format: 'onnx', type: 'q8,fp32' });
    const others = [
      exportFolder(parent, 'safetensors', { format: 'safetensors', type: 'f16' }),
      exportFolder(parent, 'pruned', { format: 'onnx' }, 'prune'),
      join(parent, 'gone'),
    ];
    writeFileSync(join(others[1], 'coppice.json'), 'no record');
    const memento = state();
    const found = await new OnnxFolders(memento).list([q8, ...others]);
    assert.deepEqual(
      found.map(({ finished: _, ...folder }) => folder),
      [{ path: q8, identity: 'A', name: 'sample', types: 'q8, fp32', bytes: 2.9e6, removed: [4, 5] }],
    );
    const folders = new OnnxFolders(memento);
    assert.deepEqual(await folders.list([]), []);
    await folders.remember(q8);
    assert.deepEqual(
      (await new OnnxFolders(memento).list([])).map(({ path }) => path),
      [q8],
    ); // in the next window
    rmSync(q8, { recursive: true });
    assert.deepEqual(await folders.list([q8]), []);
  });

  it('are found by their files', () => {
    const files = ['/w/app/onnx/model_q8.onnx', '/w/app/onnx/model.onnx', '/w/x.onnx.coppice-partial/onnx/model.onnx'];
    assert.deepEqual(groupFiles(files).onnx, ['/w/app']);
  });

  it('are listed with other exports, the last one first', () => {
    const origin = (finished: string, kind = 'export', identity = 'A'): Origin => ({
      ...{ name: 'sample', identity, kind, finished, removed: [], texts: [] },
    });
    const origins = new Map([
      ['/w/a.gguf', origin('2026-01-01T00:00:00Z')],
      ['/w/b', origin('2026-01-03T00:00:00Z')],
      ['/w/pruned', origin('2026-01-04T00:00:00Z', 'prune')],
      ['/w/other.gguf', origin('2026-01-05T00:00:00Z', 'export', 'B')],
    ]);
    const folder = { path: '/w/onnx-q8', identity: 'A', name: 'sample', types: 'q8', bytes: 1, removed: [] };
    const listing = { origins, exports: [{ ...folder, finished: '2026-01-02T00:00:00Z' }] };
    assert.deepEqual(
      exportsOf(listing, 'A').map(({ path }) => path),
      ['/w/b', '/w/onnx-q8', '/w/a.gguf'],
    );
    assert.equal(exportsOf(listing)[0].path, '/w/other.gguf');
  });
});
