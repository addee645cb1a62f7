/** `coppice export` and `verify` of models whose blocks differ from LLaMA's, and what a type or a graph cannot hold. */
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brokenCheckpoint } from '../support/broken';
import { buildCli, coppice } from '../support/built-cli';
import { type Json, run } from '../support/cli';
import { checkpointFolder, type FURTHER_FAMILIES, goldenGreedy } from '../support/golden';
import { describeShared } from '../support/shared';
import { temporaryFolder } from '../support/temporary';
import { writeTinyTokenizer } from '../support/tiny-tokenizer';

/** A toy with a tokenizer, in a folder of its own. */
function withTokenizer(family: (typeof FURTHER_FAMILIES)[number]): string {
  const folder = join(temporaryFolder(), family);
  cpSync(checkpointFolder(`families2/${family}`), folder, { recursive: true });
  writeTinyTokenizer(folder);
  return folder;
}

const onnx = (model: string, out: string, ...args: string[]): string[] => [
  ...['export', model, '--format', 'onnx', '--out', out],
  ...args,
];

describeShared('command line: exports of further families to ONNX', function () {
  this.timeout(120_000);
  before(() => buildCli());

  for (const [family, target] of [
    ['gemma2-softcap', 'cpu'],
    ['gemma3-pattern', 'webgpu'],
    ['phi3-partial', 'cpu'],
  ] as const) {
    it(`${family} without some blocks for ${target}: the files are the model`, async () => {
      const model = withTokenizer(family);
      const out = join(temporaryFolder(), 'model');
      const { removed } = goldenGreedy(`families2/${family}`);
      const args = ['--remove', removed.join(), '--type', 'fp32,fp16', '--target', target];
      const { verified } = await run(...onnx(model, out, ...args));
      const { passed, kinds } = verified as { passed: boolean; kinds: Json[] };
      assert.ok(passed);
      assert.deepEqual(
        kinds.map(({ kind, exact }) => [kind, exact]),
        [
          ['fp32', true],
          ['fp16', false],
        ],
      );
      const again = await run('verify', out, '--against', model);
      assert.deepEqual(again.verified, { ...(verified as Json), files: (again.verified as Json).files });
      assert.deepEqual(again.removed, removed);
    });
  }

  it('longrope: a shorter context, which the terminal and the README say and windows have to fit', async () => {
    const model = withTokenizer('phi3-longrope');
    const parent = temporaryFolder();
    const text = join(parent, 'text.txt');
    writeFileSync(text, 'The river bends, and the mill stands where it always stood.\n\n'.repeat(30));
    const measured = (window: string): string[] => ['--text', text, '--window', window, '--limit', '2'];
    const refused = await coppice(onnx(model, join(parent, 'model'), ...measured('32')));
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /--window 32 is longer[^]*can have 20 tokens[^]*use --window 19/);
    assert.deepEqual(readdirSync(parent), ['text.txt']);
    const { code, stdout, stderr } = await coppice(onnx(model, join(parent, 'model'), ...measured('19')));
    assert.equal(code, 0, stderr);
    assert.match(stdout + stderr, /texts can have 20 tokens[^]*announces 240/);
    assert.match(readFileSync(join(parent, 'model', 'README.md'), 'utf8'), /^Texts can have 20 tokens/m);
  });

  it('fp16: numbers beyond its range are found, and nothing is left', async () => {
    const row = Array.from({ length: 64 }, (_, i) => i);
    const model = await brokenCheckpoint('model.layers.1.mlp.up_proj.weight', row, 60_000);
    const parent = temporaryFolder();
    const out = join(parent, 'model');
    const { code, stderr } = await coppice(onnx(model, out, '--type', 'fp16,fp32'));
    assert.equal(code, 1);
    assert.match(stderr, /beyond 65504, where float16 ends[^]*use --type q8, or fp32 or q4/);
    assert.deepEqual(readdirSync(parent), []);
    const { verified } = await run(...onnx(model, out, '--type', 'fp32'));
    assert.ok((verified as Json).passed);
  });
});
