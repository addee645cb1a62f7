/** Every known broken file can be looked at: it never throws, and says what is wrong. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspectFile } from '../../../src/editors/inspection';
import { CONFIG, writeModel } from '../../support/checkpoint-files';
import { layOutGguf, SOUND, text, value } from '../../support/gguf-files';
import { describeShared, itShared, shared } from '../../support/shared';
import { tinyCheckpoint, type TinyName } from '../../support/tiny-models';
import { temporaryFolder } from '../../support/temporary';

/** A safetensors file with this header and this many bytes of data. */
function file(header: string, data: number): string {
  const path = join(temporaryFolder(), 'model.safetensors');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  writeFileSync(path, Buffer.concat([length, Buffer.from(header), Buffer.alloc(data)]));
  return path;
}

describe('inspection', () => {
  it('lists several problems, and the tensors that have none', async () => {
    const path = file(
      '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F3","shape":[1],"data_offsets":[8,12]},' +
        '"c":{"dtype":"F32","shape":[-1],"data_offsets":[12,16]}}',
      16,
    );
    const { description, rows } = await inspectFile(path);
    assert.deepEqual(
      rows.map(({ name }) => name),
      ['a'],
    );
    assert.deepEqual(
      description.problems.map(({ field }) => field),
      ['tensor "b", dtype', 'tensor "c", shape'],
    );
    const at = readFileSync(path).indexOf('"b"');
    assert.equal(description.problems[0].offset, at);
    assert.ok(description.noStatistics);
  });

  it('shows the range of widths where blocks differ, and who can open such a checkpoint', async () => {
    const layer = { heads: 2, kv_heads: 1, head_dim: 4, ffn: 5, biases: [] };
    const layers = [layer, { ...layer, heads: 6, kv_heads: 3, ffn: 12 }, layer];
    const folder = writeModel({
      ...CONFIG,
      model_type: 'coppice',
      coppice_family: 'llama',
      coppice_layers: layers,
    });
    const { description } = await inspectFile(join(folder, 'model.safetensors'));
    const facts = new Map(description.facts.map(({ name, value, note }) => [name, note ?? value]));
    assert.deepEqual(
      ['Architecture', 'Heads', 'FFN size', 'Parameters per block', 'Can be pruned'].map((name) => facts.get(name)),
      [
        'lists the shapes of its blocks; only Coppice opens it',
        '2–6, 1–3 for keys and values, size 4 each',
        '5–12',
        '328–880',
        'Yes',
      ],
    );
    assert.deepEqual(description.problems, []);
    assert.match(description.config.find(({ name }) => name === 'coppice_layers')?.value ?? '', /^\[\{"heads":2,/);
  });

  it('says in words what blocks have that those of LLaMA do not, and has a row for each tensor as it is stored', async () => {
    const factsOf = async (name: TinyName): Promise<ReadonlyMap<string, string>> => {
      const { description, rows } = await inspectFile(join(tinyCheckpoint(name, { shards: 1 }), 'model.safetensors'));
      const shapes = rows.map((row) => [row.name, row.shape.join(' × ')] as const);
      return new Map([...description.facts.map(({ name: fact, value }) => [fact, value] as const), ...shapes]);
    };
    const gemma = await factsOf('gemma2-softcap');
    assert.deepEqual(
      ['Windows', 'Rotation', 'Norms', 'Caps', 'Matrices'].map((name) => gemma.get(name)),
      [
        '5 in 0, 2; none in 1, 3',
        undefined,
        'before and behind modules, weights + 1',
        'scores at 2, logits at 3',
        undefined,
      ],
    );
    const phi = await factsOf('phi3-partial');
    assert.deepEqual(
      ['Windows', 'Rotation', 'Matrices', 'model.layers.3.self_attn.qkv_proj.weight'].map((name) => phi.get(name)),
      ['7', '8 of 16 entries', 'q, k and v in one matrix, gate and up in one', '128 × 64'],
    );
  });

  it('says where bytes are missing or too many', async () => {
    const header = '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
    const short = await inspectFile(file(header, 4));
    assert.match(
      short.description.problems[0].why,
      /^the file is truncated: tensor "[^"]+" needs bytes up to \d+, the file ends at \d+$/,
    );
    const long = await inspectFile(file(header, 12));
    assert.deepEqual(
      long.description.problems.map(({ field, offset }) => [field, offset]),
      [['file size', 8 + header.length + 8]],
    );
    assert.equal(long.rows.length, 1);
  });

  it('shows a file that is not there, and one that is something else', async () => {
    const folder = temporaryFolder();
    const missing = await inspectFile(join(folder, 'missing.safetensors'));
    assert.equal(missing.description.problems.length, 1);
    const pointer = join(folder, 'pointer.safetensors');
    writeFileSync(pointer, 'version https://git-lfs.github.com/spec/v1\n');
    assert.match((await inspectFile(pointer)).description.problems[0].why, /LFS/);
  });
});

describe('inspection of GGUF files', () => {
  /** What the editor says of a file, and whether it has statistics. */
  async function said(bytes: Buffer) {
    const path = join(temporaryFolder(), 'model.gguf');
    writeFileSync(path, bytes);
    const { description } = await inspectFile(path);
    const facts = new Map(description.facts.map(({ name, value }) => [name, value]));
    return { ...description, pruned: facts.get('Can be pruned'), architecture: facts.get('Architecture') };
  }

  it('says of an unknown architecture that it cannot be pruned; its tensors have statistics', async () => {
    const metadata = [['general.architecture', value('string', text('mamba'))], ...SOUND.metadata!.slice(1)] as const;
    const { pruned, architecture, noStatistics, problems } = await said(layOutGguf({ ...SOUND, metadata }));
    assert.deepEqual([architecture, pruned], ['mamba', 'No: general.architecture is "mamba"']);
    assert.deepEqual([noStatistics, problems], [undefined, []]);
  });

  it('says what a file that contradicts itself lacks', async () => {
    const { pruned, noStatistics } = await said(layOutGguf(SOUND));
    assert.match(pruned ?? '', /^No: .*llama\.feed_forward_length/);
    assert.equal(noStatistics, undefined);
  });

  it('has no statistics of a damaged file', async () => {
    const whole = layOutGguf(SOUND);
    const { noStatistics, problems } = await said(whole.subarray(0, whole.length - 100));
    assert.ok(noStatistics);
    assert.equal(problems[0].severity, 'error');
  });

  itShared('says of a quantized model that it can be pruned', async () => {
    const whole = readFileSync(shared('models/stories260K-gguf/stories260K-q4_0.gguf'));
    const { pruned, strip, noStatistics } = await said(whole);
    assert.deepEqual([pruned, noStatistics], ['Yes', undefined]);
    assert.equal(strip.length, 7); // embedding, 5 blocks, final norm
  });
});

describeShared('inspection of known broken files', () => {
  for (const folder of ['data/bad-safetensors', 'data/bad-gguf']) {
    const expected = readFileSync(shared(folder, 'EXPECTED.tsv'), 'utf8').trim().split('\n').slice(1);
    for (const name of readdirSync(shared(folder)).filter((each) => each !== 'EXPECTED.tsv')) {
      it(name, async () => {
        const verdict = expected.find((each) => each.startsWith(`${name}\t`))?.split('\t')[2] ?? '';
        const { description } = await inspectFile(shared(folder, name));
        const errors = description.problems.filter(({ severity }) => severity === 'error');
        if (verdict.startsWith('reject') && !verdict.includes(' or '))
          assert.ok(errors.length > 0, 'no problem is shown');
        if (verdict.startsWith('OK')) assert.deepEqual(errors, []);
      });
    }
  }
});
