/** `coppice experts --part` in processes of their own: `status` knows them, and `gather` makes what one process finds. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildCli, coppice, jsonOf } from '../support/built-cli';
import { type Json } from '../support/cli';
import { expertToy } from '../support/expert-toy';
import { itFull } from '../support/shared';
import { temporaryFolder } from '../support/temporary';

describe('command line: experts in parts', function () {
  this.timeout(60_000);
  before(() => buildCli());

  itFull('are those of one process, and drop experts with --scores', async () => {
    const folder = temporaryFolder();
    const [rows, parts, scores] = [join(folder, 'rows.json'), join(folder, 'parts'), join(folder, 'scores.json')];
    const ids = (r: number): number[] => Array.from({ length: 250 }, (_, i) => 3 + ((r * 37 + i * 11) % 280));
    writeFileSync(rows, JSON.stringify({ rows: Array.from({ length: 6 }, (_, r) => ids(r)) }));
    mkdirSync(parts);
    const run = ['experts', expertToy(), '--calibration', rows, '--no-measure', '--device', 'cpu', '--threads', '1'];
    const part = async (number: number): Promise<Json> =>
      jsonOf(await coppice([...run, '--part', `${number}/2`, '--record', join(parts, `${number}.json`), '--json']));
    const [second] = [await part(2)];
    assert.match(String(second.work), /^rows \d to 6 of 6$/);
    const { counts } = jsonOf(await coppice(['status', parts, '--json'])) as { counts: Json };
    assert.equal(counts.done, 1);
    const [, one] = await Promise.all([part(1), coppice([...run, '--json']).then(jsonOf)]);
    const gathered = jsonOf(await coppice(['gather', parts, '--out', scores, '--json']));
    const { scoringSeconds: _, seconds: __, ...numbers } = one;
    for (const [name, value] of Object.entries(numbers)) assert.deepEqual(gathered[name], value, name);
    const out = join(folder, 'fewer');
    const written = await coppice(['experts', expertToy(), '--scores', scores, '--no-measure', '--out', out, '--json']);
    assert.deepEqual(jsonOf(written).blocks, one.blocks);
  });
});
