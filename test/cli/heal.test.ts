/** `coppice heal` and `--heal`: a patch and a checkpoint of the same healing, what belongs to them, and what is refused. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Json, keys, makeCliMaterial, readJson, run, sorted } from '../support/cli';
import { coppice, type CliResult } from '../support/built-cli';
import { assertClose } from '../support/close';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';

describe('command line: heal', function () {
  this.timeout(180_000);
  let model: string;
  let text: string;
  let other: string;
  let patch: string;
  let out: string;
  let healed: Json;
  const measuring = ['--window', '32', '--limit', '4'];

  before(async () => {
    ({ text } = makeCliMaterial());
    model = tinyCheckpoint('llama-plain', { tokenizer: true }); // F32: rounding changes nothing
    const folder = temporaryFolder();
    [patch, out, other] = ['p.safetensors', 'healed', 'other.txt'].map((name) => join(folder, name));
    writeFileSync(other, readFileSync(text, 'utf8').toUpperCase());
    const healing = ['--data', text, '--tokens', '512', '--length', '16', '--held-out', '0'];
    healed = await run('heal', model, '--remove', '1', ...healing, '--out', out, '--patch', patch);
  });

  it('writes a checkpoint and a patch, which are the same model', async () => {
    assert.deepEqual([healed.out, healed.patch, healed.weights], [out, patch, 'healed']);
    const onTop = await run('eval', model, ...measuring, '--text', other, '--heal', patch);
    assert.deepEqual(onTop.removed, [1]);
    const written = await run('eval', out, ...measuring, '--text', other);
    assert.equal(onTop.meanNll, written.meanNll);
    const plain = await run('eval', model, ...measuring, '--text', other, '--remove', '1');
    assert.notEqual(plain.meanNll, written.meanNll);
    const ids = ['--ids', '5,6,7', '--max-new-tokens', '6', '--ignore-eos'];
    assert.deepEqual(
      (await run('generate', model, ...ids, '--heal', patch)).ids,
      (await run('generate', out, ...ids)).ids,
    );
  });

  it('names the patch in records, by its hash, and in scores, which then choose no blocks of the plain model', async () => {
    const folder = temporaryFolder();
    const record = join(folder, 'record.json');
    const scores = await run('score', model, '--criterion', 'magnitude', '--heal', patch, '--record', record);
    const sha256 = createHash('sha256').update(readFileSync(patch)).digest('hex');
    const { inputs } = readJson(record) as { inputs: Json[] };
    const found = inputs.find(({ role }) => role === 'patch');
    assert.deepEqual([found?.name, found?.sha256], ['p.safetensors', sha256]);
    assert.deepEqual(scores.patch, { name: 'p.safetensors', sha256 });
    const file = join(folder, 'scores.json');
    writeFileSync(file, JSON.stringify({ ...scores, removed: [] }));
    const chosen = ['--scores', file, '--count', '1', '--no-keep-ends', '--out', join(folder, 'pruned')];
    refused(await coppice(['prune', model, ...chosen]), /scores of a healed model/);
  });

  it('warns of a text that the weights were healed on, in a patch and in a checkpoint', async () => {
    const warned = async (...words: string[]): Promise<boolean> => {
      const { stderr, code } = await coppice(['eval', ...words, ...measuring, '--json']);
      assert.equal(code, 0, stderr);
      return stderr.includes('warning: blocks or tokens were chosen, or weights fitted, on this text');
    };
    assert.deepEqual(
      [
        await warned(model, '--heal', patch, '--text', text),
        await warned(out, '--text', text),
        await warned(model, '--heal', patch, '--text', other),
        await warned(out, '--text', other),
        await warned(model, '--remove', '1', '--text', text),
      ],
      [true, true, false, false, false],
    );
  });

  it('retrains on a patch, and merges what was trained with it', async () => {
    const folder = temporaryFolder();
    const adapter = join(folder, 'adapter');
    const training = ['--data', text, '--length', '24', '--batch', '2', '--steps', '3', '--lr', '0.02'];
    await run('retrain', model, '--heal', patch, ...training, '--out', adapter);
    const merged = join(folder, 'merged');
    const json = await run('merge', model, '--heal', patch, '--adapter', adapter, '--out', merged);
    assert.deepEqual(json.removed, [1]);
    const text4 = [...measuring, '--text', other];
    const loss = async (...words: string[]): Promise<number> =>
      (await run('eval', ...words, ...text4)).meanNll as number;
    const onTop = await loss(model, '--heal', patch, '--adapter', adapter);
    assertClose(await loss(merged), onTop, { absolute: 1e-5 }, 'merged');
    assertClose(await loss(out, '--adapter', adapter), onTop, { absolute: 1e-5 }, 'on the healed checkpoint');
    assert.match(readFileSync(join(merged, 'README.md'), 'utf8'), /corrected by least squares \(refit\)/);
    refused(await coppice(['eval', model, ...text4, '--adapter', adapter]), /trained on healed weights/);
    refused(await coppice(['merge', model, '--adapter', adapter, '--out', join(folder, 'x')]), /--heal FILE/);
  });

  it('heals a model with an adapter, which its patch needs then', async () => {
    const folder = temporaryFolder();
    const [adapter, again] = [join(folder, 'adapter'), join(folder, 'again.safetensors')];
    const training = ['--data', text, '--length', '24', '--batch', '2', '--steps', '3', '--lr', '0.02'];
    await run('retrain', model, '--remove', '1', '--heal', 'none', ...training, '--out', adapter);
    const healing = ['--data', text, '--tokens', '512', '--length', '16', '--held-out', '0'];
    const both = join(folder, 'both');
    await run('heal', model, '--adapter', adapter, ...healing, '--out', both, '--patch', again);
    const text4 = [...measuring, '--text', other];
    const onTop = await run('eval', model, '--heal', again, '--adapter', adapter, ...text4);
    assertClose(
      (await run('eval', both, ...text4)).meanNll as number,
      onTop.meanNll as number,
      { absolute: 1e-5 },
      'loss',
    );
    refused(await coppice(['eval', model, '--heal', again, ...text4]), /needs an adapter/);
    refused(
      await coppice(['retrain', model, '--heal', again, ...training, '--out', join(folder, 'x')]),
      /needs an adapter/,
    );
    refused(
      await coppice(['merge', model, '--heal', again, '--adapter', adapter, '--out', join(folder, 'x')]),
      /were healed with an adapter on the model, and include it/,
    );
  });

  it('refuses patches of other models, damaged ones, and what is none', async () => {
    const folder = temporaryFolder();
    const eval3 = (path: string, file: string): Promise<CliResult> =>
      coppice(['eval', path, ...measuring, '--text', other, '--heal', file]);
    refused(await eval3(tinyCheckpoint('llama-bias', { tokenizer: true }), patch), /identity/);
    const damaged = join(folder, 'damaged.safetensors');
    const bytes = readFileSync(patch);
    bytes[bytes.length - 100] ^= 1;
    writeFileSync(damaged, bytes);
    refused(await eval3(model, damaged), /damaged\.safetensors is damaged/);
    refused(await eval3(model, join(model, 'model.safetensors')), /not a file of healed weights/);
    refused(await eval3(model, join(folder, 'none')), /there is no .*none/);
    refused(await eval3(model, folder), /it is a folder/);
  });

  it('refuses outputs before it works: a model without a module as a checkpoint, and files that exist', async () => {
    const folder = temporaryFolder();
    const heal = (...words: string[]): Promise<CliResult> => coppice(['heal', model, '--data', text, ...words]);
    const module = await heal('--remove', '2.ffn', '--out', join(folder, 'out'));
    refused(module, /2\.ffn cannot be written[\s\S]*--patch FILE/);
    const taken = join(folder, 'taken');
    copyFileSync(patch, taken);
    refused(await heal('--remove', '1', '--patch', taken), /exists/);
    assert.deepEqual(readFileSync(taken), readFileSync(patch));
    refused(await heal('--remove', '1', '--patch', join(model, 'p')), /inside the checkpoint/);
    mkdirSync(join(folder, 'dir'));
    refused(await heal('--remove', '1', '--out', join(folder, 'dir')), /exists already/);
    assert.deepEqual(readdirSync(folder).sort(), ['dir', 'taken']);
  });

  it('leaves out single modules in a patch', async () => {
    const file = join(temporaryFolder(), 'module.safetensors');
    const healing = ['--data', text, '--tokens', '512', '--length', '16', '--held-out', '0'];
    await run('heal', model, '--remove', '1.ffn', ...healing, '--patch', file);
    assert.deepEqual((await run('eval', model, ...measuring, '--text', other, '--heal', file)).removed, ['1.ffn']);
  });

  it('makes the folders of a checkpoint, as pruning does', async () => {
    const nested = join(temporaryFolder(), 'new', 'healed');
    const healing = ['--data', text, '--tokens', '512', '--length', '16', '--held-out', '0'];
    assert.equal((await run('heal', model, '--remove', '1', ...healing, '--out', nested)).out, nested);
    assert.deepEqual(readdirSync(join(nested, '..')), ['healed']);
  });

  it('refuses to leave out all blocks, before the work starts', async () => {
    const all = ['--remove', '0-99'];
    assert.match((await coppice(['heal', model, ...all])).stderr, /is beyond the last block/);
    const { blocks } = (await run('inspect', model)) as { blocks: number };
    const { code, stderr } = await coppice(['heal', model, '--remove', `0-${blocks - 1}`]);
    assert.equal(code, 1);
    assert.match(stderr, /all blocks are left out/);
  });

  it('leaves nothing when it is interrupted', async () => {
    const folder = temporaryFolder();
    const words = ['--data', text, '--tokens', '4096', '--out', join(folder, 'out'), '--patch', join(folder, 'p')];
    const { code } = await coppice(['heal', model, '--remove', '1', ...words], { interrupt: 'SIGINT' });
    assert.equal(code, 130);
    assert.deepEqual(readdirSync(folder), []);
    assert.ok(!existsSync(join(folder, 'out')));
  });

  it('prints and returns what it promises', () => {
    const shape =
      'removed method ridge step stepCut tokens text fit heldOut steps weights out patch leftBehind seconds writingSeconds device precision';
    assert.deepEqual(keys(healed), sorted(shape));
  });
});

function refused({ code, stderr }: CliResult, words: RegExp): void {
  assert.ok(code === 1 || code === 2, `${code}: ${stderr}`);
  assert.match(stderr, words);
  assert.doesNotMatch(stderr, /This is a bug/);
}
