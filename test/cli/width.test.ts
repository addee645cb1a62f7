/** `coppice width` and `--width`: a file of what is kept and a checkpoint of the same model, and what is refused. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { coppice } from '../support/built-cli';
import { assertClose } from '../support/close';
import { type Json, keys, makeCliMaterial, readJson, run } from '../support/cli';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';

describe('command line: width', function () {
  this.timeout(120_000);
  const { text } = makeCliMaterial();
  const model = tinyCheckpoint('llama-plain', { tokenizer: true }); // F32: rounding changes nothing
  const [saved, out, gguf, record] = ['w.width.safetensors', 'narrow', 'narrow.gguf', 'record.json'].map((name) =>
    join(temporaryFolder(), name),
  );
  const calibration = ['--calibration', text, '--samples', '4', '--length', '16'];
  let flap: Json;

  before(async () => {
    const outputs = ['--save', saved, '--out', out, '--gguf', gguf, '--record', record];
    flap = await run('width', model, '--method', 'flap', '--ratio', '0.4', ...calibration, ...outputs);
  });

  it('says what is kept, how large it is and its loss', () => {
    const contract = [
      'method',
      'ratio',
      'parametersBefore',
      'parametersAfter',
      'meanNll',
      'ppl',
      'layers',
      'out',
      'seconds',
    ];
    assert.deepEqual(
      contract.filter((name) => !keys(flap).includes(name)),
      [],
    );
    assert.deepEqual([flap.method, flap.ratio, flap.out, flap.save], ['flap', 0.4, out, saved]);
    const layers = flap.layers as { groups: number[]; neurons: number[] }[];
    assert.equal(layers.length, 4);
    assert.ok(layers.every(({ groups, neurons }) => groups.length > 0 && neurons.length > 0));
    const { results, inputs } = readJson(record) as { results: Json; inputs: Json[] };
    assert.deepEqual(
      results.layers,
      layers.map(({ groups, neurons }) => ({ groups, neurons: neurons.length })),
    );
    assert.deepEqual(
      inputs.map(({ role }) => role),
      ['model', 'calibration'],
    );
  });

  it('the file of what is kept, the checkpoint and the run have the same loss', async () => {
    const onTop = await run('eval', model, ...calibration, '--width', saved);
    const written = await run('eval', out, ...calibration);
    assert.equal(onTop.meanNll, flap.meanNll);
    assertClose(written.meanNll as number, flap.meanNll as number, { absolute: 1e-6 }, 'the checkpoint');
  });

  it('the GGUF file has the widths of each block', async () => {
    assert.equal(flap.gguf, gguf);
    const { kvHeads, ffn } = await run('inspect', gguf);
    const layers = flap.layers as { groups: number[]; neurons: number[] }[];
    assert.deepEqual([kvHeads, ffn], [layers.map((l) => l.groups.length), layers.map((l) => l.neurons.length)]);
  });

  it('writes another type with --dtype', async () => {
    const half = join(temporaryFolder(), 'half');
    const given = ['--method', 'wanda-sp', '--ratio', '0.3', '--dtype', 'bf16', '--out', half];
    await run('width', model, ...given, ...calibration);
    const { dtypes } = await run('inspect', half);
    assert.deepEqual(Object.keys(dtypes as Json), ['BF16']);
  });

  it('without --out and --save writes nothing, and finds a size', async () => {
    const found = await run('width', model, '--method', 'wanda-sp', '--as-large-as', '1', ...calibration);
    assert.deepEqual([found.out, found.save], [null, null]);
    const { target, parametersAfter, parametersBefore } = found as Record<string, number>;
    assert.ok(target < parametersBefore && Math.abs(parametersAfter - target) < 0.05 * target);
  });

  it('refuses what does not fit, before it computes', async () => {
    const refused = async (pattern: RegExp, ...words: string[]): Promise<void> => {
      const { stderr, code } = await coppice(['width', model, ...calibration, ...words, '--json']);
      assert.notEqual(code, 0);
      assert.match(stderr, pattern);
    };
    await refused(/not clear how much to remove/, '--method', 'flap');
    await refused(/llm-pruner does not know --metric/, '--method', 'llm-pruner', '--ratio', '0.2', '--metric', 'ifv');
    await refused(
      /wanda-sp does not know --no-compensation/,
      '--method',
      'wanda-sp',
      '--ratio',
      '0.2',
      '--no-compensation',
    );
    await refused(/--range is not one range/, '--method', 'llm-pruner', '--ratio', '0.2', '--range', '0,2');
    await refused(/blocks 2 to 4/, '--method', 'llm-pruner', '--ratio', '0.2', '--range', '2-4');
    await refused(/No model of 5,000 parameters.*can leave/s, '--method', 'wanda-sp', '--target-params', '5000');
    await refused(/exists already/, '--method', 'flap', '--ratio', '0.2', '--save', saved);
    await refused(/exists already/, '--method', 'flap', '--ratio', '0.2', '--out', out);
    await refused(/exists already/, '--method', 'flap', '--ratio', '0.2', '--gguf', gguf);
    const inside = join(model, 'x.width.safetensors');
    await refused(/inside the checkpoint/, '--method', 'flap', '--ratio', '0.2', '--save', inside);
    assert.ok(!existsSync(inside));
  });
});
