/** `coppice eval`, `generate` and `merge`: texts under a model, its views, its adapters and what was written of them. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { writeAdapter } from '../../src/engine/adapter/files';
import { loadTokenizer } from '../../src/engine/tokenizer/tokenizer';
import { randomAdapter } from '../support/adapters';
import { type Json, keys, makeCliMaterial, readJson, run, sorted } from '../support/cli';
import { hashesOf } from '../support/hashes';
import { assertClose } from '../support/close';
import { describeShared, shared } from '../support/shared';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';
import { buildCli, coppice, jsonOf } from '../support/built-cli';

const MEASURED = 'precision ppl meanNll bitsPerByte tokens windows window bos vocabulary removed calibrated seconds';
const COMPARED = 'kl top1 against';

describe('command line: texts', function () {
  this.timeout(120_000);
  let model: string;
  let rows: string;
  let text: string;

  before(() => {
    ({ model, rows, text } = makeCliMaterial());
  });

  it('eval: a text, a view of the model, and the written model alike', async () => {
    const folder = join(temporaryFolder(), 'pruned');
    await run('prune', model, '--blocks', '2', '--out', folder);
    const args = ['--text', text, '--window', '32', '--limit', '4'];
    const json = await run('eval', model, ...args, '--remove', '2', '--bos', 'window');
    assert.deepEqual(keys(json), sorted(`${MEASURED} ${COMPARED}`));
    assert.deepEqual([json.windows, json.window, json.bos, json.tokens], [4, 32, 'window', 128]);
    assert.deepEqual(json.removed, [2]);
    const written = await run('eval', folder, ...args, '--bos', 'window');
    assert.equal(written.meanNll, json.meanNll);
    assert.equal(written.kl, undefined, 'its original is elsewhere');
    const part = await run('eval', model, ...args, '--remove', '2.ffn');
    assert.deepEqual(part.removed, ['2.ffn']);
    const { blocks } = (await run('inspect', model)) as { blocks: number };
    const { code, stderr } = await coppice(['eval', model, ...args, '--remove', `0-${blocks - 1}`]);
    assert.equal(code, 0);
    assert.match(stderr, /warning: all blocks are left out: the numbers are those of embedding and head alone/);
  });

  it('eval: how near a model is to the unpruned one: a view, a written model beside its original, and by name', async () => {
    const folder = temporaryFolder();
    const [whole, pruned] = [join(folder, 'whole'), join(folder, 'pruned')];
    cpSync(model, whole, { recursive: true });
    await run('prune', whole, '--blocks', '2', '--out', pruned);
    const args = ['--text', text, '--window', '32', '--limit', '4'];
    assert.deepEqual(keys(await run('eval', whole, ...args)), sorted(MEASURED));
    const record = join(folder, 'record.json');
    const view = await run('eval', whole, ...args, '--remove', '2', '--repetition', '2', '--record', record);
    assert.ok((view.kl as number) > 0 && (view.top1 as number) < 1);
    assert.deepEqual(keys(view.repetition as Json), ['mean', 'texts', 'unpruned']);
    const { inputs } = readJson(record) as { inputs: Json[] };
    assert.deepEqual(inputs.find(({ role }) => role === 'against')?.name, 'whole');
    const written = await run('eval', pruned, ...args, '--repetition', '2');
    for (const key of ['ppl', 'kl', 'top1', 'against', 'repetition']) assert.deepEqual(written[key], view[key], key);
    const copy = join(temporaryFolder(), 'copy');
    cpSync(pruned, copy, { recursive: true });
    const alone = await coppice(['eval', copy, ...args]);
    assert.match(alone.stderr, /whole, which this model was made from, is not beside it[^]*--against CHECKPOINT/);
    const named = await coppice(['eval', copy, ...args, '--against', whole]);
    assert.match(named.stdout, /KL divergence +[\d.e-]+ nats from whole\nsame next token +\d+/);
    const other = tinyCheckpoint('llama-plain', { tokenizer: true, config: { vocab_size: 300 } });
    const refused = await coppice(['eval', copy, ...args, '--against', other]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /its vocabulary has 300 tokens, that of the model 288[^]*compare the bits per byte/);
  });

  it('eval: bits per byte, alone where the original has another vocabulary', async () => {
    const folder = temporaryFolder();
    const [whole, trimmed] = [join(folder, 'whole'), join(folder, 'trimmed')];
    cpSync(model, whole, { recursive: true });
    await run('prune', whole, '--blocks', '2', '--out', join(folder, 'pruned'));
    cpSync(tinyCheckpoint('llama-plain', { tokenizer: true, config: { vocab_size: 300 } }), trimmed, {
      recursive: true,
    });
    cpSync(join(folder, 'pruned', 'coppice.json'), join(trimmed, 'coppice.json'));
    const args = ['--text', text, '--window', '32', '--limit', '4', '--bos', 'window'];
    const { code, stdout, stderr } = await coppice(['eval', trimmed, ...args]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /mean loss .*\nbits per byte +\d\.\d+\n/);
    assert.doesNotMatch(stdout, /KL divergence/);
    assert.match(
      stderr,
      /cannot be compared with token by token \(whole: its vocabulary has 288 tokens, that of the model 300 tokens\): compare the bits/,
    );
    const json = await run('eval', trimmed, ...args);
    const tokenizer = await loadTokenizer(trimmed);
    const ids = await tokenizer.encode(readFileSync(text, 'utf8'), { addSpecialTokens: false });
    const read = Buffer.byteLength(await tokenizer.decode(ids.slice(0, 128), { skipSpecialTokens: false }));
    const bits = ((json.meanNll as number) / Math.LN2) * (128 / read);
    assertClose(json.bitsPerByte as number, bits, { relative: 1e-12 }, 'bits per byte');
    assert.equal(json.vocabulary, 300);
    const without = await run('eval', trimmed, ...args, '--remove', '1');
    assert.deepEqual((without.against as Json).model, 'trimmed', 'the checkpoint with all its blocks');
  });

  it('merge: an adapter on top, merged at once, and merged on the pruned checkpoint are the same', async () => {
    const folder = temporaryFolder();
    const checkpoint = await openCheckpoint(model);
    const lora = randomAdapter(checkpoint.architecture!, { removed: [1, 2] });
    const adapter = await writeAdapter(join(folder, 'adapter'), lora, checkpoint);
    const before = hashesOf(model);
    const merged = join(folder, 'merged');
    const json = await run('merge', model, '--adapter', adapter, '--out', merged, '--dtype', 'f32');
    const promised =
      'removed kept parametersBefore parametersAfter bytesBefore bytesAfter rank alpha targets adaptedBlocks dtype out leftBehind seconds';
    assert.deepEqual(keys(json), sorted(promised));
    assert.deepEqual([json.removed, json.kept, json.dtype, json.rank], [[1, 2], [0, 3], 'F32', 4]);
    await run('prune', model, '--blocks', '1,2', '--out', join(folder, 'pruned'));
    await run('merge', join(folder, 'pruned'), '--adapter', adapter, '--out', join(folder, 'later'), '--dtype', 'f32');
    assert.equal(hashesOf(merged)['model.safetensors'], hashesOf(join(folder, 'later'))['model.safetensors']);
    assert.deepEqual(hashesOf(model), before);

    const args = ['--text', text, '--window', '32', '--limit', '4'];
    const onTop = await run('eval', model, ...args, '--adapter', adapter);
    assert.deepEqual(onTop.removed, [1, 2]);
    assertClose(
      (await run('eval', merged, ...args)).meanNll as number,
      onTop.meanNll as number,
      { absolute: 1e-5 },
      'loss',
    );
    const ids = ['--ids', '5,6,7', '--max-new-tokens', '6', '--ignore-eos'];
    const { ids: continued } = await run('generate', model, ...ids, '--adapter', adapter);
    assert.deepEqual((await run('generate', merged, ...ids)).ids, continued);
    const scoring = ['--calibration', rows, '--samples', '4', '--length', '24'];
    const scores = await run('score', model, ...scoring, '--adapter', adapter);
    assert.equal((scores.blocks as unknown[]).length, 2);
    assertClose(
      (scores.full as Json).meanNll as number,
      ((await run('score', merged, ...scoring)).full as Json).meanNll as number,
      { absolute: 1e-5 },
      'full',
    );
    const tiny = ['--prompt-tokens', '8', '--new-tokens', '2', '--repeats', '1'];
    assert.deepEqual((await run('bench', model, ...tiny, '--adapter', adapter)).removed, [1, 2]);
    const single = await coppice(['bench', model, '--prompt-tokens', '8', '--new-tokens', '1', '--repeats', '1']);
    assert.match(single.stdout, /decode +not measured \(1 token\)/);
    const first = await coppice(['generate', model, '--ids', '5,6', '--max-new-tokens', '1', '--ignore-eos']);
    assert.match(first.stderr, /2 prompt tokens at [\d.]+\/s, 1 new token, float32 on cpu/);
    for (const command of [
      ['eval', merged, '--text', text],
      ['merge', merged, '--out', join(folder, 'twice')],
    ]) {
      const again = await coppice([...command, '--adapter', adapter]);
      assert.equal(again.code, 1);
      assert.match(again.stderr, /does not belong to merged[^]*--other-base/);
    }
  });

  it('eval: warns when the text is the one that the blocks were scored with', async () => {
    const folder = join(temporaryFolder(), 'pruned');
    const calibration = ['--calibration', text, '--samples', '2', '--length', '32'];
    await run(
      'prune',
      model,
      '--criterion',
      'block-influence',
      ...calibration,
      '--count',
      '1',
      '--no-keep-ends',
      '--out',
      folder,
    );
    const args = ['--window', '32', '--limit', '1', '--json'];
    const same = await coppice(['eval', folder, '--text', text, ...args]);
    assert.match(same.stderr, /warning: blocks or tokens were chosen, or weights fitted, on this text/);
    assert.equal(same.code, 0);
    const another = join(temporaryFolder(), 'another.txt');
    writeFileSync(another, readFileSync(text, 'utf8').toUpperCase());
    assert.doesNotMatch((await coppice(['eval', folder, '--text', another, ...args])).stderr, /blocks were scored/);
  });

  it('eval: warns of windows that are longer than the model was made for', async () => {
    const args = ['eval', model, '--text', text, '--limit', '1', '--json'];
    const long = await coppice([...args, '--window', '300']);
    assert.equal(long.code, 0, long.stderr);
    assert.match(long.stderr, /warning: windows of 300 tokens are longer than the model’s context of 256/);
    assert.doesNotMatch((await coppice([...args, '--window', '64'])).stderr, /warning: windows/);
  });

  it('generate: with a draft the text is the same, whatever drafts, and says what the draft did', async () => {
    const args = ['generate', model, '--ids', '5,6,7', '--max-new-tokens', '20', '--ignore-eos'] as const;
    const plain = await run(...args);
    assert.equal(plain.draft, undefined);
    const other = join(temporaryFolder(), 'shorter');
    await run('prune', model, '--blocks', '2', '--out', other);
    const record = join(temporaryFolder(), 'record.json');
    for (const [draft, name] of [
      ['int4', 'int4'],
      ['int8', 'int8'],
      ['1-2', '1-2'],
      [other, 'shorter'],
    ] as const) {
      const json = await run(...args, '--draft', draft, '--draft-length', '2', '--record', record);
      assert.deepEqual(json.ids, plain.ids, name);
      const told = json.draft as Json;
      assert.deepEqual(
        [keys(told), told.model, told.precision, told.length],
        [sorted('model precision length rounds drafted accepted'), name, name === 'int8' ? 'int8' : 'int4', 2],
      );
      const { inputs, settings } = readJson(record) as { inputs: Json[]; settings: Json };
      assert.equal(settings.draft, name);
      assert.equal(inputs.filter(({ role }) => role === 'draft').length, name === 'shorter' ? 1 : 0);
    }
    const { stderr } = await coppice([...args, '--draft', '2', '--draft-precision', 'float32']);
    assert.match(stderr, /draft 2: \d+ of \d+ proposed tokens? stayed, [\d.]+ tokens a pass of the model/);
    const drawn = await run(...args, '--draft', '2', '--temperature', '1', '--seed', '3');
    assert.deepEqual(
      (await run(...args, '--draft', '2', '--temperature', '1', '--seed', '3')).ids,
      drawn.ids,
      'a seed repeats it',
    );
  });

  it('generate: refuses a draft that cannot be one', async () => {
    const refused = async (words: RegExp, ...args: string[]): Promise<void> => {
      const { code, stderr } = await coppice(['generate', model, '--ids', '5', ...args]);
      assert.ok(code !== 0 && words.test(stderr), stderr);
    };
    await refused(/beyond the last block/, '--draft', '40-50');
    await refused(/there is no .*nothing/, '--draft', 'nothing');
    await refused(/computes in int4 itself.*--precision float32/s, '--draft', 'int4', '--precision', 'int4');
    await refused(/computes in int4 itself/, '--draft', 'int8', '--precision', 'int4');
    await refused(/--draft-length.*from 1 to 16|It must be a whole number/s, '--draft', 'int4', '--draft-length', '17');
    const { stderr } = await coppice(['generate', model, '--prompts', text, '--draft', 'int4']);
    assert.match(stderr, /--draft.* cannot be used with .*--prompts|--prompts.* cannot be used with .*--draft/s);
    const sample = resolve(import.meta.dirname, '../../media/sample');
    await refused(/cannot draft for this model.*vocabulary has 2048 tokens.*same tokenizer/s, '--draft', sample);
  });

  it('generate: the new tokens only; the same text as it streams', async () => {
    const args = ['generate', model, '--prompt', 'The river', '--max-new-tokens', '6', '--ignore-eos'];
    const json = await run(...args);
    assert.deepEqual(
      keys(json),
      sorted(
        'promptIds ids text stopped timeToFirstToken prefillTokensPerSecond decodeTokensPerSecond removed precision',
      ),
    );
    assert.equal((json.ids as number[]).length, 6);
    const plain = await coppice([...args, '--quiet']);
    assert.equal(plain.stdout, `The river${json.text as string}\n`);
    assert.equal(plain.stderr, '');
    const ids = (json.promptIds as number[]).join(',');
    assert.deepEqual(
      (await run('generate', model, '--ids', ids, '--max-new-tokens', '6', '--ignore-eos')).ids,
      json.ids,
    );
  });

  it('generate: an answer begins on a line of its own', async () => {
    const args = ['generate', model, '--prompt', 'The river', '--chat', '--max-new-tokens', '4', '--ignore-eos'];
    const { text: answer, promptIds } = await run(...args);
    assert.equal((await coppice([...args, '--quiet'])).stdout, `The river\n${answer as string}\n`);
    const plain = (await run(...args.filter((arg) => arg !== '--chat'))).promptIds as number[];
    assert.ok((promptIds as number[]).length > plain.length);
  });

  it('generate: a system message is a turn before the prompt, and needs the chat template', async () => {
    const record = join(temporaryFolder(), 'record.json');
    const args = ['generate', model, '--prompt', 'The river', '--system', 'Be short.', '--max-new-tokens', '2'];
    const { promptIds } = await run(...args, '--chat', '--record', record);
    const written = 'system: Be short.</s>user: The river</s>assistant: ';
    const tokenizer = await loadTokenizer(model);
    assert.deepEqual(promptIds, await tokenizer.encode(written, { addSpecialTokens: false }));
    assert.equal((readJson(record) as { settings: Json }).settings.system, 'Be short.');
    const { code, stderr } = await coppice(args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /--system needs --chat[^]*Add it, or leave --system out/);
  });

  it('generate: sampling repeats with its seed; ids need no tokenizer', async () => {
    const bare = tinyCheckpoint('llama-plain');
    const args = ['generate', bare, '--ids', '5,6,7', '--temperature', '1.5', '--top-k', '50', '--max-new-tokens', '8'];
    const [a, b, c] = [
      await run(...args, '--seed', '1'),
      await run(...args, '--seed', '1'),
      await run(...args, '--seed', '2'),
    ];
    assert.deepEqual(a.ids, b.ids);
    assert.notDeepEqual(a.ids, c.ids);
    assert.equal(a.text, null);
  });

  it('generate: ends quietly when nobody reads any more', async () => {
    const args = ['generate', model, '--ids', '5', '--max-new-tokens', '200', '--ignore-eos'];
    const { code, stderr } = await coppice(args, { closeStdout: true });
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /error/);
  });
});

describeShared('command line: texts stories260K', function () {
  this.timeout(120_000);
  const model = shared('models/stories260K-f32');
  const golden = (name: string): Json => readJson(shared('golden/stories260K', name));
  before(buildCli);

  it('continues with the golden ids, whole and as a view', async () => {
    interface Continuation {
      promptIds: number[];
      ids: number[];
    }
    const expected = golden('greedy.json') as { removed: number[]; full: Continuation[]; pruned: Continuation[] };
    const continued = async ({ promptIds }: Continuation, count: number, ...args: string[]): Promise<unknown> => {
      const ids = ['--ids', promptIds.join(','), '--max-new-tokens', String(count), '--ignore-eos'];
      return jsonOf(await coppice(['generate', model, ...ids, ...args, '--json'])).ids;
    };
    const [full] = expected.full;
    const [pruned] = expected.pruned;
    assert.deepEqual(await continued(full, full.ids.length), full.ids);
    const remove = ['--remove', expected.removed.join(',')];
    assert.deepEqual(await continued(pruned, pruned.ids.length, ...remove), pruned.ids);
  });
});
