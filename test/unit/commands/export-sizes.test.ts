/** Sizes of exports are planned once for a model, and again where a file changed that decides what a format can hold. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { UserError } from '../../../src/engine/errors';
import { exportSize, formatFault } from '../../../src/host/ask/export-sizes';
import { temporaryFolder } from '../../support/temporary';

const sample = resolve(import.meta.dirname, '../../../media/sample');

describe('sizes of exports', () => {
  it('are planned again for another tokenizer, also of the same length', async () => {
    const folder = join(temporaryFolder(), 'model');
    cpSync(sample, folder, { recursive: true });
    const checkpoint = await openCheckpoint(folder);
    const shipped = { format: 'gguf', type: 'q8_0', removed: [] } as const;
    const bytes = await exportSize(checkpoint, shipped);
    assert.equal(await exportSize(checkpoint, shipped), bytes);
    assert.equal(await formatFault(checkpoint, 'gguf'), undefined);
    const file = join(folder, 'tokenizer.json');
    const before = statSync(file).size;
    // llama.cpp has no name for words that are cut so.
    writeFileSync(file, readFileSync(file, 'utf8').replace(String.raw`\\p{N}{1,3}`, String.raw`\\p{N}{1,4}`));
    assert.equal(statSync(file).size, before);
    await assert.rejects(exportSize(checkpoint, shipped), UserError);
    assert.ok((await formatFault(checkpoint, 'gguf')) instanceof UserError);
  });
});
