/** `coppice export --imatrix`: measured, kept, read again, and refused where nothing would use it. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readImportanceMatrix } from '../../src/engine/formats/gguf/imatrix';
import { buildCli, coppice } from '../support/built-cli';
import { type Json, run } from '../support/cli';
import { editGguf, readGgufContent } from '../support/gguf-edits';
import { temporaryFolder } from '../support/temporary';

const model = resolve('media/sample');
const text = join(model, 'calibration.txt');
const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const write = (out: string, ...args: string[]): Promise<Json> =>
  run('export', model, '--remove', '4-6', '--type', 'q4_0', '--out', at(out), ...args);

describe('command line: exports by an importance matrix', function () {
  this.timeout(120_000);
  before(() => buildCli());

  it('measures the model that is exported, keeps the matrix, and writes the same file from it', async () => {
    const auto = ['--imatrix', 'auto', '--calibration', text, '--samples', '4', '--length', '32'];
    const measured = await write('auto.gguf', ...auto, '--save-imatrix', at('imatrix.gguf'));
    const matrices = 9 * 7;
    assert.deepEqual(measured.imatrix, {
      ...{ from: 'auto', rows: 4, tokens: 128, matrices },
      saved: at('imatrix.gguf'),
    });
    assert.equal((measured.verified as Json).passed, true);
    const kept = await readImportanceMatrix(at('imatrix.gguf'));
    assert.deepEqual(
      [kept.entries.size, kept.texts, kept.rows, kept.rowLength],
      [matrices, ['calibration.txt'], 4, 32],
    );
    const again = await write('file.gguf', '--imatrix', at('imatrix.gguf'));
    assert.deepEqual(again.imatrix, { from: 'imatrix.gguf', matrices });
    const plain = await write('plain.gguf');
    assert.equal(plain.imatrix, undefined);
    const [first, second, third] = await Promise.all(
      ['auto.gguf', 'file.gguf', 'plain.gguf'].map(async (name) => (await readGgufContent(at(name))).tensors),
    );
    assert.deepEqual(second, first);
    const changed = first.filter(({ data }, i) => !data.equals(third[i].data)).map(({ name }) => name);
    assert.equal(changed.length, matrices, 'every matrix of a block is rounded otherwise, and no other tensor');
    const shown = await coppice(['export', model, '--type', 'q4_0', ...auto, '--out', at('shown.gguf'), '--no-verify']);
    assert.match(shown.stdout, /imatrix +auto: 84 matrices, from 128 tokens of 4 rows\n/);
  });

  it('verify knows the file, and finds damage in it', async () => {
    const { verified } = await run('verify', at('auto.gguf'), '--against', model);
    assert.equal((verified as Json).passed, true);
    const damaged = await editGguf(at('auto.gguf'), join(temporaryFolder(), 'damaged.gguf'), ({ tensors }) => {
      const [up, gate] = ['up', 'gate'].map((name) =>
        tensors.findIndex((each) => each.name === `blk.3.ffn_${name}.weight`),
      );
      [tensors[up], tensors[gate]] = [
        { ...tensors[up], data: tensors[gate].data },
        { ...tensors[gate], data: tensors[up].data },
      ];
    });
    const { code, stdout } = await coppice(['verify', damaged, '--against', model]);
    assert.equal(code, 1, stdout);
    assert.match(stdout, /numbers of 3\.(gate|up) are not those of the model/);
  });

  for (const [why, args, words] of [
    ['a type without a search', ['--type', 'q8_0', '--imatrix', 'auto', '--calibration', text], /changes nothing/],
    ['no type', ['--imatrix', 'auto', '--calibration', text], /every weight keeps the type/],
    ['no text', ['--type', 'q4_0', '--imatrix', 'auto'], /needs a text/],
    ['a text beside a file', ['--type', 'q4_0', '--imatrix', at('imatrix.gguf'), '--calibration', text], /belongs to/],
    ['a text without it', ['--type', 'q4_0', '--calibration', text], /needs --imatrix/],
    ['another model', ['--type', 'q4_0', '--remove', '1', '--imatrix', at('imatrix.gguf')], /it has 9 blocks/],
    ['a model in its place', ['--type', 'q4_0', '--imatrix', at('plain.gguf')], /no sums of any matrix/],
    [
      'a file that is there',
      ['--type', 'q4_0', '--imatrix', 'auto', '--calibration', text, '--save-imatrix', at('plain.gguf')],
      /exists already/,
    ],
  ] as const) {
    it(`refuses ${why}, and writes nothing`, async () => {
      const before = readdirSync(folder).sort();
      const { code, stderr } = await coppice(['export', model, '--format', 'gguf', '--out', at('no.gguf'), ...args]);
      assert.notEqual(code, 0);
      assert.match(stderr, words);
      assert.equal(existsSync(at('no.gguf')), false);
      assert.deepEqual(readdirSync(folder).sort(), before);
    });
  }
});
