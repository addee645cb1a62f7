/** `coppice export` and `verify`: what is written is the model, and a file that is not is found. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildCli, coppice } from '../support/built-cli';
import { type Json, keys, makeCliMaterial, readJson, run, sorted } from '../support/cli';
import { assertClose } from '../support/close';
import { describeShared, shared } from '../support/shared';
import { temporaryFolder } from '../support/temporary';

const PROMISED = 'format type out bytes files removed parametersBefore parametersAfter verified seconds';

/** Changes the byte at `from` (from the end where negative). */
function damage(file: string, from: number): void {
  const bytes = readFileSync(file);
  const at = from < 0 ? bytes.length + from : from;
  bytes[at] ^= 0x60;
  writeFileSync(file, bytes);
}

describe('command line: exports that need no model', function () {
  this.timeout(60_000);
  let model: string;

  before(() => {
    ({ model } = makeCliMaterial());
  });

  const WRONG: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['no format', ['--out', 'folder'], /--format is missing[^]*safetensors, gguf, onnx/],
    ['a type of another format', ['--format', 'safetensors', '--type', 'q8_0', '--out', 'o'], /f32, f16, bf16/],
    ['an unknown type', ['--type', 'q9', '--out', 'o.gguf'], /f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1/],
    ['two types', ['--type', 'f16,f32', '--out', 'o.gguf'], /gguf has one type/],
    ['a type twice', ['--format', 'onnx', '--type', 'q4,q4', '--out', 'o'], /names a type twice/],
    ['a GGUF folder', ['--format', 'gguf', '--out', 'o'], /a GGUF file ends in \.gguf/],
    ['a file of safetensors', ['--format', 'safetensors', '--out', 'o.gguf'], /written as a folder/],
    ['a target of GGUF', ['--target', 'webgpu', '--out', 'o.gguf'], /--target belongs to --format onnx/],
    ['a Modelfile of safetensors', ['--format', 'safetensors', '--modelfile', '--out', 'o'], /--modelfile belongs/],
    ['consumers unseen', ['--no-verify', '--consumers', '--out', 'o.gguf'], /--consumers needs the comparison/],
    ['windows of no text', ['--limit', '2', '--out', 'o.gguf'], /--limit needs --text/],
  ];

  for (const [what, args, words] of WRONG) {
    it(`refuses ${what}`, async () => {
      const { code, stderr } = await coppice(['export', model, ...args]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, words);
    });
  }

  it('refuses types that only llama.cpp makes with its command', async () => {
    const { code, stderr } = await coppice(['export', model, '--type', 'IQ4_XS', '--out', 'small.gguf']);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /llama-quantize small-f16\.gguf small\.gguf IQ4_XS/);
  });

  it('writes K-quants, says what takes their place in narrow rows, and finds them right', async () => {
    const out = join(temporaryFolder(), 'small.gguf');
    const { code, stdout, stderr } = await coppice(['export', model, '--type', 'Q4_K_M', '--out', out, '--json']);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /matrices have rows that are no multiple of 256 long: \d+ are Q5_0 in place of Q4_K/);
    const { verified } = JSON.parse(stdout) as { verified: { passed: boolean } };
    assert.equal(verified.passed, true);
    const { dtypes } = (await run('inspect', out)) as { dtypes: Json };
    assert.deepEqual(keys(dtypes), sorted('F32 Q5_0 Q8_0'), 'the head and the finer ones are Q8_0');
  });

  it('refuses a single module, an output that is there, and one in the model', async () => {
    const refused = async (words: RegExp, ...args: string[]): Promise<void> => {
      const { code, stderr } = await coppice(['export', model, '--format', 'safetensors', ...args]);
      assert.equal(code, 1, stderr);
      assert.match(stderr, words);
    };
    const folder = temporaryFolder();
    await refused(/without 1\.ffn cannot be written/, '--remove', '1.ffn', '--out', join(folder, 'x'));
    await refused(/exists already/, '--out', folder);
    await refused(/inside the source checkpoint/, '--out', join(model, 'x'));
    assert.deepEqual(readdirSync(folder), []);
  });
});

describeShared('command line: exports of stories260K', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  const model = join(folder, 'stories260K-f32');

  before(() => {
    buildCli();
    cpSync(shared('models/stories260K-f32'), model, { recursive: true });
  });

  const verified = (json: Json): Json => json.verified as Json;

  it('safetensors: the contract, the same numbers, a record and a card', async () => {
    const out = join(folder, 'plain');
    const json = await run('export', model, '--format', 'safetensors', '--remove', '2', '--out', out);
    assert.deepEqual(keys(json), sorted(PROMISED));
    const { format, type, removed, bytes, files } = json;
    assert.deepEqual([format, type, removed, json.out], ['safetensors', 'stored', [2], out]);
    const sizes = (files as { name: string; bytes: number }[]).map((file) => file.bytes);
    assert.equal(
      sizes.reduce((a, b) => a + b, 0),
      bytes,
    );
    const { exact, passed, maxDifference, top1, greedy, weights } = verified(json);
    assert.deepEqual([exact, passed, maxDifference, top1], [true, true, 0, 1]);
    assert.deepEqual(greedy, { tokens: 16, equal: true });
    assert.deepEqual(weights, { tensors: 38, maxDifference: 0 });
    const record = readJson(join(out, 'coppice.json'));
    assert.equal(record.kind, 'export');
    assert.deepEqual((record.results as Json).verified, json.verified);
    assert.match(readFileSync(join(out, 'README.md'), 'utf8'), /All 38 tensors were compared/);
    assert.ok(!JSON.stringify(record).includes(folder), 'no path of this machine');
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes('partial')),
      [],
    );
  });

  it('safetensors: a rounded type, and the perplexity of a text with the written file', async () => {
    const text = join(folder, 'text.txt');
    writeFileSync(text, 'Once upon a time there was a girl. She had a red ball and a big dog.\n'.repeat(20));
    const out = join(folder, 'bf16');
    const args = ['--text', text, '--window', '32', '--limit', '2'];
    const json = await run('export', model, '--format', 'safetensors', '--type', 'bf16', ...args, '--out', out);
    const { exact, passed, maxDifference } = verified(json);
    assert.deepEqual([exact, passed], [false, true]);
    assert.ok((maxDifference as number) > 0 && (maxDifference as number) < 0.5);
    const [{ perplexity }] = json.measured as { perplexity: Json }[];
    const { ppl } = await run('eval', out, ...args);
    assert.equal(perplexity.ppl, ppl);
  });

  it('verify: finds the source by the record, and a changed weight, config or wrong source', async () => {
    const out = join(folder, 'checked');
    await run('export', model, '--format', 'safetensors', '--remove', '2', '--out', out);
    const json = await run('verify', out);
    assert.deepEqual([json.against, json.removed, verified(json).passed], [basename(model), [2], true]);
    const shown = await coppice(['verify', out]);
    assert.match(shown.stdout, /against +stories260K-f32 without 2[^]*verified +yes: the same numbers/);

    const wrong = await coppice(['verify', out, '--remove', '1', '--json']);
    assert.equal(wrong.code, 1);
    assert.match(String(verified(JSON.parse(wrong.stdout) as Json).why), /numbers of 1\.\w+ are not those/);

    damage(join(out, 'model.safetensors'), -3);
    const damaged = await coppice(['verify', out]);
    assert.equal(damaged.code, 1);
    assert.match(damaged.stdout, /changed: model\.safetensors[^]*verified +no: numbers of \w+/);

    const elsewhere = join(temporaryFolder(), 'copy');
    cpSync(out, elsewhere, { recursive: true });
    const alone = await coppice(['verify', elsewhere]);
    assert.match(alone.stderr, /stories260K-f32, which its record names, is not beside it[^]*--against CHECKPOINT/);
  });

  it('verify: files of other programs, by name of the model', async () => {
    const gguf = shared('models/stories260K-gguf');
    for (const [type, exact, most] of [
      ['f32', true, 1e-3],
      ['q8_0', false, 0.5],
      ['q4_0', false, 8],
    ] as const) {
      const json = await run('verify', join(gguf, `stories260K-${type}.gguf`), '--against', model);
      const { passed, maxDifference } = verified(json);
      assert.deepEqual([json.format, passed, verified(json).exact], ['gguf', true, exact], type);
      assert.ok((maxDifference as number) <= most, type);
    }
    const copy = join(folder, 'damaged.gguf');
    cpSync(join(gguf, 'stories260K-q4_0.gguf'), copy);
    damage(copy, -200);
    const damaged = await coppice(['verify', copy, '--against', model]);
    assert.equal(damaged.code, 1);
    assert.match(damaged.stdout, /verified +no: numbers of/);
  });

  it('gguf: the format by the name, a Modelfile, and the way back', async () => {
    const out = join(folder, 'small.gguf');
    const json = await run('export', model, '--remove', '2', '--modelfile', '--out', out);
    assert.deepEqual(keys(json), sorted(PROMISED));
    assert.deepEqual([json.format, json.type, verified(json).passed], ['gguf', 'stored', true]);
    assert.deepEqual(
      (json.files as Json[]).map(({ name }) => name),
      ['small.gguf'],
    );
    assert.match(readFileSync(`${out}.Modelfile`, 'utf8'), /^FROM \.\/small\.gguf$/m);
    const back = await run('verify', out, '--against', model, '--remove', '2');
    assert.equal(verified(back).exact, true);
    assert.ok(!existsSync(join(folder, 'small')));
  });

  it('gguf: quantized types, and the record in the file leads to the model', async () => {
    const out = join(folder, 'q8.gguf');
    const json = await run('export', model, '--remove', '2', '--type', 'Q8_0', '--out', out);
    assert.deepEqual([json.type, verified(json).exact, verified(json).passed], ['q8_0', false, true]);
    const again = await run('verify', out);
    assert.deepEqual([again.against, again.removed], [basename(model), [2]]);
    assert.deepEqual(again.verified, json.verified);
  });

  it('onnx: several kinds in one folder, each compared and measured as it is', async () => {
    const text = join(folder, 'story.txt');
    writeFileSync(text, 'Once upon a time there was a girl. She had a red ball and a big dog.\n'.repeat(20));
    const args = ['--text', text, '--window', '32', '--limit', '2'];
    const out = join(folder, 'onnx-model');
    const json = await run(
      'export',
      model,
      '--format',
      'onnx',
      '--type',
      'q4,fp32',
      '--remove',
      '2',
      ...args,
      '--out',
      out,
    );
    assert.deepEqual(keys(json), sorted(`${PROMISED} measured`));
    assert.deepEqual([json.format, json.type], ['onnx', 'q4,fp32']);
    const kinds = verified(json).kinds as Json[];
    assert.deepEqual(
      kinds.map(({ kind, exact, passed }) => [kind, exact, passed]),
      [
        ['fp32', true, true],
        ['q4', false, true],
      ],
    );
    assert.ok((kinds[0].maxDifference as number) <= 1e-3);
    assert.deepEqual(kinds[0].greedy, { tokens: 16, equal: true });
    const [fp32, q4] = json.measured as { type: string; perplexity: { ppl: number }; tokensPerSecond: number }[];
    const { ppl } = (await run('eval', model, '--remove', '2', ...args)) as { ppl: number };
    assertClose(fp32.perplexity.ppl, ppl, { relative: 1e-4 }, 'perplexity of the file');
    assert.ok(q4.perplexity.ppl !== ppl && q4.tokensPerSecond > 0);
    const readme = readFileSync(join(out, 'README.md'), 'utf8');
    assert.match(readme, /perplexity[^]*What was checked/i);

    damage(join(out, 'onnx/model.onnx_data'), 100);
    const damaged = await coppice(['verify', out]);
    assert.equal(damaged.code, 1);
    assert.match(damaged.stdout, /changed: onnx\/model\.onnx_data[^]*verified +no/);

    const graph = join(out, 'onnx/model.onnx');
    const whole = readFileSync(graph);
    const broken: readonly (readonly [string, () => void])[] = [
      ['cut', () => truncateSync(graph, whole.length >> 1)],
      ['no graph', () => writeFileSync(graph, 'x'.repeat(500))],
      [
        'another operator',
        () =>
          writeFileSync(
            graph,
            Buffer.from(whole.toString('latin1').replaceAll('MatMul', 'MatMux').replaceAll('Gemm', 'Gexm'), 'latin1'),
          ),
      ],
      ['data cut', () => truncateSync(join(out, 'onnx/model.onnx_data'), 1000)],
      ['data gone', () => rmSync(join(out, 'onnx/model.onnx_data'))],
    ];
    for (const [what, harm] of broken) {
      writeFileSync(graph, whole);
      harm();
      const { code, stdout, stderr } = await coppice(['verify', out, '--against', model]);
      assert.equal(code, 1, what);
      assert.match(
        stdout,
        /fp32 +not compared[^]*q4 +\d+ positions[^]*verified +no: fp32: \S+model\.onnx cannot be opened: /,
        `${what}: ${stderr}`,
      );
    }
  });

  it('leaves nothing behind that it could not finish', async () => {
    const out = join(folder, 'none');
    const text = join(folder, 'short.txt');
    writeFileSync(text, 'Once');
    const args = ['--format', 'onnx', '--text', text, '--out', out];
    assert.equal((await coppice(['export', model, ...args])).code, 1);
    assert.ok(!existsSync(out));
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes('partial')),
      [],
    );
  });
});
