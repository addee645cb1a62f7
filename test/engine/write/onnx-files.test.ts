/** The files of exported ONNX models: where constants lie, and that no accident leaves half of a folder. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, type TensorProto } from 'onnx-buf';
import { CancelledError, UserError } from '../../../src/engine/errors';
import type { OnnxModelFacts, OnnxOptions } from '../../../src/engine/write/onnx/write-onnx';
import { ExportedModel, exported } from '../../support/onnx-model';
import { openToy } from '../../support/model';
import { describeSmallDisk } from '../../support/small-disk';
import { temporaryFolder } from '../../support/temporary';
import { ownTinyCheckpoint, tinyCheckpoint } from '../../support/tiny-models';

const toy = (): ReturnType<typeof openToy> => openToy(tinyCheckpoint('llama-gqa-tied'));

/** Where the bytes of a constant lie; undefined if they are in the model's file. */
function placeOf({ externalData }: TensorProto): { location: string; offset: number; length: number } | undefined {
  if (externalData.length === 0) return undefined;
  const of = (key: string): string => externalData.find((entry) => entry.key === key)!.value;
  return { location: of('location'), offset: Number(of('offset')), length: Number(of('length')) };
}

function modelIn(
  folder: string,
  name = 'model.onnx',
): {
  inputs: string[];
  outputs: string[];
  constants: readonly TensorProto[];
} {
  const { graph } = fromBinary(ModelProtoSchema, readFileSync(join(folder, 'onnx', name)));
  const shown = (value: { name?: string; type?: unknown }): string => {
    const type = value.type as { value: { value: { shape: { dim: { value: { value: unknown } }[] } } } };
    return `${value.name} ${type.value.value.shape.dim.map((dim) => String(dim.value.value)).join(' ')}`;
  };
  return { inputs: graph!.input.map(shown), outputs: graph!.output.map(shown), constants: graph!.initializer };
}

describe('write/onnx, the folder', () => {
  it('has the inputs and outputs of Hugging Face exports, with names for what varies', async () => {
    const { out } = await exported(await toy(), { kept: [0, 3] });
    const { inputs, outputs } = modelIn(out);
    const cache = (which: string, extent: string): string[] =>
      [0, 1].flatMap((i) => ['key', 'value'].map((name) => `${which}.${i}.${name} batch_size 2 ${extent} 16`));
    assert.deepEqual(inputs, [
      'input_ids batch_size sequence_length',
      'attention_mask batch_size total_sequence_length',
      ...cache('past_key_values', 'past_sequence_length'),
    ]);
    assert.deepEqual(outputs, ['logits batch_size sequence_length 288', ...cache('present', 'total_sequence_length')]);
  });

  it('keeps small constants in the model, and others at whole pages of files, none cut', async () => {
    const { out, files, bytes } = await exported(await toy(), { maxDataBytes: 50_000 });
    const constants = modelIn(out).constants.filter(({ dataType }) => dataType === 1);
    const ends = new Map<string, number>();
    for (const constant of constants) {
      const size = 4 * Number(constant.dims.reduce((product, extent) => product * extent, 1n));
      const place = placeOf(constant);
      assert.equal(place === undefined, size <= 1024, constant.name);
      if (!place) continue;
      assert.equal(place.length, size);
      assert.equal(place.offset % 4096, 0);
      assert.ok(place.offset >= (ends.get(place.location) ?? 0), 'after the constant before it');
      assert.ok(place.offset + size <= 50_000 || place.offset === 0, 'a larger one has a file of its own');
      ends.set(place.location, place.offset + size);
    }
    const names = [...ends.keys()];
    assert.ok(names.length > 5);
    assert.deepEqual(
      names,
      names.map((_, i) => (i === 0 ? 'model.onnx_data' : `model.onnx_data_${i}`)),
    );
    for (const [name, end] of ends) assert.equal(statSync(join(out, 'onnx', name)).size, end);
    assert.deepEqual(
      files,
      ['model.onnx', ...names].map((name) => ({
        name: `onnx/${name}`,
        bytes: statSync(join(out, 'onnx', name)).size,
      })),
    );
    assert.equal(
      bytes,
      files.reduce((sum, file) => sum + file.bytes, 0),
    );
  });

  it('has the tied matrix once', async () => {
    const { out } = await exported(await toy());
    const matrices = modelIn(out).constants.filter(({ dims }) => dims[0] === 288n);
    assert.deepEqual(
      matrices.map(({ name }) => name),
      ['model.embed_tokens.weight'],
    );
  });

  it('computes the same from many files as from one', async () => {
    const checkpoint = await toy();
    const logits = async (options: Partial<OnnxOptions>): Promise<Float32Array[][]> => {
      const model = await ExportedModel.open(checkpoint, (await exported(checkpoint, options)).out);
      try {
        return await model.begin([[5, 200, 7, 33]]);
      } finally {
        await model.close();
      }
    };
    assert.deepEqual(await logits({ maxDataBytes: 30_000 }), await logits({}));
  });

  it('has the files that belong beside the models, made from their facts', async () => {
    let facts: OnnxModelFacts | undefined;
    const { out, files } = await exported(await toy(), {
      kept: [2, 1],
      kinds: ['fp32'],
      beside: (given) => {
        facts = given;
        return Promise.resolve([
          { name: 'config.json', text: '{"ä": 1}' },
          { name: 'examples/node.mjs', text: '' },
        ]);
      },
    });
    assert.equal(readFileSync(join(out, 'config.json'), 'utf8'), '{"ä": 1}');
    assert.deepEqual(readdirSync(out).sort(), ['config.json', 'examples', 'onnx']);
    assert.deepEqual(
      files.slice(-2).map(({ name, bytes }) => [name, bytes]),
      [
        ['config.json', 9],
        ['examples/node.mjs', 0],
      ],
    );
    const { architecture, target, models } = facts!;
    assert.deepEqual([architecture.layers.length, target], [2, 'cpu']);
    const [model, data] = ['model.onnx', 'model.onnx_data'].map((name) => statSync(join(out, 'onnx', name)).size);
    assert.deepEqual(models, [
      {
        kind: 'fp32',
        file: 'onnx/model.onnx',
        data: [{ name: 'model.onnx_data', bytes: data }],
        bytes: model + data,
        usesPositionIds: false,
      },
    ]);
  });

  it('says what programs around onnxruntime cannot do with a model', async () => {
    const ragged = await openToy(tinyCheckpoint('ragged-plain'));
    assert.match((await exported(ragged)).notes.join(), /caches have different shapes/);
    const long = await openToy(tinyCheckpoint('llama-plain', { config: { max_position_embeddings: 200_000 } }));
    assert.match((await exported(long)).notes.join(), /131072 tokens/);
    assert.deepEqual((await exported(await toy())).notes, []);
  });

  it('refuses an output that exists, and a place in the source', async () => {
    const checkpoint = await toy();
    const taken = join(temporaryFolder(), 'model');
    mkdirSync(taken);
    await assert.rejects(exported(checkpoint, {}, taken), /exists already/);
    await assert.rejects(exported(checkpoint, {}, join(checkpoint.folder, 'out')), /inside the source/);
    assert.deepEqual(readdirSync(taken), []);
  });

  it('reports all that it writes', async () => {
    const seen: number[] = [];
    await exported(await toy(), { onProgress: ({ done, total }) => seen.push(done / total) });
    assert.ok(seen.length > 20 && seen.every((share, i) => share > (seen[i - 1] ?? 0)));
    assert.equal(seen.at(-1), 1);
  });

  it('leaves nothing when cancelled, at whatever moment, when the source changes or texts cannot be made', async () => {
    const parent = temporaryFolder();
    const folder = ownTinyCheckpoint('llama-plain');
    const checkpoint = await openToy(folder);
    const attempt = async (moment: number, act: (abort: AbortController) => void): Promise<void> => {
      const abort = new AbortController();
      let reports = 0;
      const onProgress = (): void => {
        if (reports++ === moment) act(abort);
      };
      await exported(checkpoint, { signal: abort.signal, onProgress }, join(parent, 'new', 'model'));
    };
    for (const moment of [0, 1, 5, 20]) {
      await assert.rejects(
        attempt(moment, (abort) => abort.abort()),
        CancelledError,
      );
      assert.deepEqual(readdirSync(parent), [], `cancelled at ${moment}`);
    }
    const beside = (): Promise<never> => Promise.reject(new UserError('no tokenizer', 'why', 'action'));
    await assert.rejects(exported(checkpoint, { beside }, join(parent, 'new', 'model')), /no tokenizer/);
    assert.deepEqual(readdirSync(parent), []);
    const grow = (): void => appendFileSync(join(folder, 'model.safetensors'), 'x');
    await assert.rejects(
      attempt(3, grow),
      (error) => error instanceof UserError && error.message.includes('changed while'),
    );
    assert.deepEqual(readdirSync(parent), []);
  });

  it('leaves nothing when the written bytes are not the model’s, or cannot be written', async () => {
    const parent = temporaryFolder();
    const out = join(parent, 'model');
    const checkpoint = await toy();
    let spoilt = false;
    const onProgress = ({ done, total }: { done: number; total: number }): void => {
      const [temporary] = readdirSync(parent);
      const data = join(parent, temporary, 'onnx', 'model.onnx_data');
      if (done < total || spoilt || !existsSync(data)) return;
      spoilt = true;
      const bytes = readFileSync(data);
      bytes[0] ^= 1;
      writeFileSync(data, bytes);
    };
    await assert.rejects(exported(checkpoint, { onProgress }, out), /are not the model's/);
    assert.ok(spoilt);
    const beside = (): Promise<{ name: string; text: string }[]> =>
      Promise.resolve([{ name: `${'x'.repeat(300)}.json`, text: '' }]);
    await assert.rejects(
      exported(checkpoint, { beside }, out),
      (error) => error instanceof UserError && error.message.includes('its name is too long'),
    );
    assert.deepEqual(readdirSync(parent), [], basename(out));
  });

  describeSmallDisk('on a full disk', 3, (disk) => {
    it('nothing is left, whether it was full before or fills up meanwhile', async () => {
      const fill = (bytes: number): void => writeFileSync(join(disk(), 'filler'), Buffer.alloc(bytes));
      fill(2_500_000);
      await assert.rejects(exported(await toy(), {}, join(disk(), 'a', 'b')), {
        name: 'UserError',
        why: /needs \d+ bytes and the disk has \d+ free/,
      });
      assert.deepEqual(readdirSync(disk()), ['filler']);
      rmSync(join(disk(), 'filler'));
      const onProgress = (): void => {
        try {
          fill(4_000_000);
        } catch {
          // that is the point
        }
      };
      await assert.rejects(exported(await toy(), { onProgress }, join(disk(), 'a', 'b')), {
        name: 'UserError',
        why: /disk is full/,
      });
      assert.deepEqual(readdirSync(disk()), ['filler']);
    });
  });
});
