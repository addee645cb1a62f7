/** Records in the metadata of GGUF files: read back whole, and absent where a file has none that can be read. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GgufField, layOutGguf } from '../../../src/engine/formats/gguf/layout';
import { RECORD_KEY, recordInGguf } from '../../../src/engine/records/in-gguf';
import { newRecord, recordText, sharedRecord } from '../../../src/engine/records/record';
import { temporaryFolder } from '../../support/temporary';

const record = newRecord({
  kind: 'prune',
  inputs: [{ role: 'model', name: 'tiny', place: '../private/tiny', identity: 'abc' }],
  settings: { removed: [1, 2] },
  results: { note: 'é'.repeat(200_000) },
  started: new Date('2026-01-02T03:04:05Z'),
});

function fileWith(...fields: GgufField[]): string {
  const file = join(temporaryFolder(), 'model.gguf');
  writeFileSync(file, layOutGguf(fields, []).header);
  return file;
}

const text = (value: string): GgufField[1] => ({ type: 'string', value });

describe('records/in-gguf', () => {
  it('is read back whole, longer than what a header keeps of other texts, without places', async () => {
    const file = fileWith(['before', text('x')], [RECORD_KEY, text(recordText(sharedRecord(record)))]);
    const read = await recordInGguf(file);
    assert.deepEqual(read, { ...record, inputs: [{ role: 'model', name: 'tiny', identity: 'abc' }] });
  });

  it('is absent in files of other programs, and where it is damaged', async () => {
    const { schema: _, ...bare } = record;
    for (const fields of [
      [],
      [[RECORD_KEY, { type: 'u32', value: 1 }]],
      [[RECORD_KEY, text('{"schema":')]],
      [[RECORD_KEY, text(JSON.stringify(bare))]],
    ] as const) {
      assert.equal(await recordInGguf(fileWith(...(fields as readonly GgufField[]))), undefined);
    }
    assert.equal(await recordInGguf(join(temporaryFolder(), 'none.gguf')), undefined);
  });
});
