/** `coppice init`: what it writes runs, and the export has the size that was said. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { writtenBytes } from '../../src/estimates/written-bytes';
import { formatBytes } from '../../src/format/numbers';
import { coppice } from '../support/built-cli';
import { makeCliMaterial, run } from '../support/cli';
import { bytesOnDisk } from '../support/disk';
import { itFull } from '../support/shared';
import { temporaryFolder } from '../support/temporary';

const sample = resolve(import.meta.dirname, '../../media/sample');

describe('command line: init', function () {
  this.timeout(120_000);
  let model: string;

  before(() => {
    ({ model } = makeCliMaterial());
  });

  it('writes a recipe that runs as it is, and the shipped folder keeps to the size', async () => {
    const home = temporaryFolder();
    const recipe = join(home, 'small.coppice.json');
    const found = await run('init', sample, '--fit', '4.5MB', '--format', 'safetensors', '--out', recipe);
    assert.deepEqual([found.recipe, found.removes, found.format, found.type], [recipe, 3, 'safetensors', null]);
    const ended = await run('run', recipe, '--quick', '--set', 'tokens=512', '--set', 'count=3');
    assert.deepEqual([ended.ended, ended.ran], ['done', 9]);
    const shipped = bytesOnDisk(join(home, '.coppice/small.quick/outputs/sample-smaller-safetensors'));
    const expected = Number(found.expectedBytes);
    assert.ok(shipped <= expected && expected - shipped < 70_000, `${shipped} of ${expected}`);
    const state = join(home, '.coppice/small.quick');
    assert.deepEqual(
      [existsSync(join(state, 'healed/healed')), existsSync(join(state, 'chosen/chosen'))],
      [true, false],
    );
    // Nothing runs again, and the end says what was found: the table of the report.
    const { stdout } = await coppice(['run', recipe, '--quick', '--set', 'tokens=512', '--set', 'count=3']);
    const report = readFileSync(join(home, '.coppice/small.quick/report.md'), 'utf8');
    assert.match(stdout, /3 of 12 blocks removed \(.*\), chosen by ppl, healed, written as safetensors/);
    assert.match(stdout, /original: sample +ships: sample-smaller-safetensors/);
    for (const text of [stdout, report]) {
      assert.match(text, new RegExp(`size of the files.*${formatBytes(shipped).replace('.', '\\.')}`));
      assert.match(text, /perplexity on evaluation\.txt.*[×x]/);
      assert.doesNotMatch(text, /not measured/);
    }
    assert.match(report, /\| Once upon a time \| , .+ \| , .+ \|/);
    const plan = await run('run', recipe, '--dry-run');
    const steps = plan.steps as { state: string; expected: { seconds: number } | null }[];
    assert.ok(steps.every(({ state, expected }) => state === 'run' && expected!.seconds > 0));
  });

  it('takes GGUF where nothing is said of the format, and smaller weights before fewer blocks', async () => {
    const recipe = join(temporaryFolder(), 'small.coppice.json');
    const { removes, format, type } = await run('init', sample, '--fit', '4.5MB', '--out', recipe);
    assert.deepEqual([removes, format, type], [0, 'gguf', 'q8_0']);
  });

  it('knows the bytes of a GGUF file before it is written, but for its record', async () => {
    const checkpoint = await openCheckpoint(model);
    for (const type of ['f16', 'q8_0', 'q4_0']) {
      const out = join(temporaryFolder(), 'model.gguf');
      await run('export', model, '--remove', '1', '--type', type, '--out', out, '--no-verify');
      const expected = await writtenBytes(checkpoint, { format: 'gguf', type, removed: [1] });
      const more = expected - statSync(out).size;
      assert.ok(more >= 0 && more <= 2048, `${type}: ${more}`);
    }
  });

  it('knows them too where an importance matrix gives some matrices another type', async () => {
    const checkpoint = await openCheckpoint(sample);
    const out = join(temporaryFolder(), 'model.gguf');
    const matrix = ['--imatrix', 'auto', '--calibration', join(sample, 'calibration.txt'), '--samples', '1'];
    await run('export', sample, '--type', 'q4_0', ...matrix, '--out', out, '--no-verify');
    const shipped = { format: 'gguf', type: 'q4_0', removed: [] } as const;
    const [plain, weighed] = [
      await writtenBytes(checkpoint, shipped),
      await writtenBytes(checkpoint, { ...shipped, weighed: true }),
    ];
    assert.ok(weighed > plain);
    const more = weighed - statSync(out).size;
    assert.ok(more >= 0 && more <= 2048, String(more));
  });

  it('knows the bytes of ONNX files before they are written, but for what lies beside them', async () => {
    const checkpoint = await openCheckpoint(model);
    const out = join(temporaryFolder(), 'model');
    await run('export', model, '--format', 'onnx', '--type', 'q8', '--remove', '1', '--out', out, '--no-verify');
    const more = (await writtenBytes(checkpoint, { format: 'onnx', type: 'q8', removed: [1] })) - bytesOnDisk(out);
    assert.ok(more >= 0 && more <= 6 * 1024, String(more));
  });

  itFull('trims the vocabulary first: the steps work on the trimmed model, and the size is met', async () => {
    const home = temporaryFolder();
    const file = join(home, 'words.coppice.json');
    const texts = join(sample, 'calibration.txt');
    const made = await run('init', sample, '--fewer', '0.25', '--vocabulary', texts, '--out', file);
    const notes = made.notes as string[];
    assert.match(notes[0], /^1,408 of 2,048 tokens stay/);
    assert.ok(notes.some((note) => note.startsWith('With all tokens it would lose')));
    const free = readFileSync(file, 'utf8').replace('// "maxBitsGrowth": 0.03', '"maxBitsGrowth": 0.5');
    writeFileSync(file, free);
    const ended = await run(
      'run',
      file,
      '--quick',
      '--step',
      'shipped',
      '--set',
      'tokens=512',
      '--set',
      `count=${String(made.removes)}`,
    );
    assert.equal(ended.ended, 'done');
    const shipped = await openCheckpoint(join(home, '.coppice/words.quick/outputs/sample-shorter.gguf'));
    assert.equal(shipped.architecture!.vocabulary, 1408);
    assert.equal(shipped.architecture!.layers.length, 12 - Number(made.removes));
    const expected = Number(made.expectedBytes);
    assert.ok(Math.abs(shipped.size.all - expected) < 70_000, `${shipped.size.all} of ${expected}`);
  });

  it('refuses two goals, an existing recipe, and one inside the model', async () => {
    const home = temporaryFolder();
    const there = join(home, 'a.coppice.json');
    writeFileSync(there, 'mine');
    const refused = async (code: number, words: RegExp, ...args: string[]): Promise<void> => {
      const result = await coppice(['init', model, ...args], { cwd: home });
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, words);
    };
    await refused(2, /--fewer and --faster are given/, '--fewer', '0.2', '--faster', '2');
    await refused(1, /exists already/, '--out', there);
    assert.equal(readFileSync(there, 'utf8'), 'mine');
    await refused(1, /inside the checkpoint/, '--out', join(model, 'x.coppice.json'));
    await refused(2, /There is no recipe table-1.*table-2/s, '--paper', 'table-1');
    await refused(2, /--fit cannot be used with --paper/, '--paper', 'table-2', '--fit', '5MB');
    assert.ok(readdirSync(home).length === 1);
  });

  it('writes a recipe whose result is larger than the model only after a yes', async () => {
    const home = temporaryFolder();
    const asked = ['init', sample, '--format', 'onnx', '--type', 'fp32', '--out', 'large.coppice.json'];
    for (const args of [asked, [...asked, '--json']]) {
      const { code, stderr } = await coppice(args, { cwd: home });
      assert.equal(code, 2);
      assert.match(stderr, /larger than the model: about 8\.\d MB, and it has 5\.4 MB now/);
      assert.match(stderr, /--fit.*--yes/);
      assert.deepEqual(readdirSync(home), []);
    }
    const { code, stderr } = await coppice([...asked, '--yes'], { cwd: home });
    assert.equal(code, 0);
    assert.match(stderr, /warning: The exported files will be larger/);
    assert.deepEqual(readdirSync(home), ['large.coppice.json']);
  });

  it('copies a recipe of the paper, which then has a plan', async () => {
    const home = temporaryFolder();
    const { code, stderr } = await coppice(['init', sample, '--paper', 'table-2'], { cwd: home });
    assert.equal(code, 0, stderr);
    const file = join(home, 'sample-table-2.coppice.json');
    assert.ok(existsSync(file));
    const plan = await run('run', file, '--dry-run');
    assert.equal(plan.model, sample);
  });
});
