/** Files of new weights: complete or not there, and refused with the reason when they are damaged or foreign. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { CancelledError, UserError } from '../../../src/engine/errors';
import { commonFolder, haveCommonFolder } from '../../../src/engine/files/paths';
import { hashFile } from '../../../src/engine/files/regular-file';
import { readTensor } from '../../../src/engine/formats/read-tensor';
import { readPatchFile } from '../../../src/engine/weights/patch-file';
import { PatchWriter } from '../../../src/engine/weights/patch-writer';
import type { KeyedPatch } from '../../../src/engine/weights/patches';
import { healedKeys, randomCorrections, writePatch } from '../../support/patches';
import { temporaryFolder } from '../../support/temporary';
import { ownTinyCheckpoint, tinyCheckpoint } from '../../support/tiny-models';

const TEXTS = [{ name: 'book.txt', sha256: 'c0'.repeat(32) }];
const CONTENTS = {
  removed: [1, '3.ffn'],
  method: 'refit',
  texts: TEXTS,
  facts: { tokens: 640 },
  keys: healedKeys([0, 2, 3]),
};
const model = (): string => tinyCheckpoint('llama-gqa-tied');

interface Header {
  readonly json: Record<string, Record<string, unknown>>;
  readonly data: Buffer;
}

function headerOf(path: string): Header {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  return {
    json: JSON.parse(bytes.subarray(8, 8 + length).toString()) as Header['json'],
    data: bytes.subarray(8 + length),
  };
}

/** A new patch file with a changed header or changed bytes. */
async function damagedPatch(change: (header: Header) => { json?: object; data?: Buffer } | undefined): Promise<string> {
  const path = await writePatch(join(temporaryFolder(), 'healed.safetensors'), model(), [1]);
  const header = headerOf(path);
  const { json = header.json, data = header.data } = change(header) ?? {};
  const text = Buffer.from(JSON.stringify(json));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat([start, text, data]));
  return path;
}

const note = ({ json }: Header): Record<string, unknown> =>
  JSON.parse(String(json.__metadata__['coppice.heal'])) as Record<string, unknown>;

const withNote = ({ json }: Header, changes: object, whole?: string): { json: object } => {
  const text = whole ?? JSON.stringify({ ...note({ json } as Header), ...changes });
  return { json: { ...json, __metadata__: { ...json.__metadata__, 'coppice.heal': text } } };
};

async function requireRefused(path: string, what: RegExp, why: RegExp, folder = model()): Promise<void> {
  await assert.rejects(
    openCheckpoint(folder).then((checkpoint) => readPatchFile(path, checkpoint)),
    (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.what, what);
      assert.match(error.why, why);
      assert.ok(error.action.length > 0);
      return true;
    },
  );
}

const numbersOf = async (patches: readonly KeyedPatch[]): Promise<Map<string, Float32Array>> => {
  const numbers = new Map<string, Float32Array>();
  for (const [key, patch] of patches) {
    const values = patch.kind === 'stored' ? await readTensor(patch.tensor) : undefined;
    numbers.set(JSON.stringify(key), values!);
  }
  return numbers;
};

async function written(checkpoint: Checkpoint, writer: PatchWriter, order = [0, 1, 2, 3, 4, 5]): Promise<void> {
  const all = await randomCorrections(checkpoint, [0, 2, 3]);
  for (const i of order) await writer.add(...all[i]);
}

describe('a file of new weights', () => {
  it('keeps what was added, in any order, without what was not, and says what it belongs to', async () => {
    const checkpoint = await openCheckpoint(model());
    const path = join(temporaryFolder(), 'healed.safetensors');
    const writer = await PatchWriter.create(path, checkpoint, CONTENTS);
    await written(checkpoint, writer, [4, 0, 3]);
    assert.ok(!existsSync(path));
    assert.equal(await writer.finish({ kl: 0.25 }), path);
    const { note: read, patches, input } = await readPatchFile(path, checkpoint);
    const all = await randomCorrections(checkpoint, [0, 2, 3]);
    assert.deepEqual(await numbersOf(patches), new Map([4, 0, 3].map((i) => [JSON.stringify(all[i][0]), all[i][1]])));
    const { digest, ...others } = read;
    assert.equal(digest, writer.digest);
    assert.deepEqual(others, {
      base: { name: basename(model()), identity: checkpoint.identity, blocks: 4 },
      adapter: undefined,
      removed: [1, '3.ffn'],
      method: 'refit',
      texts: TEXTS,
      facts: { tokens: 640, kl: 0.25 },
    });
    assert.deepEqual([input.role, input.name], ['patch', 'healed.safetensors']);
    assert.equal(input.sha256, await hashFile(path));
  });

  it('has a digest of numbers and model, not of the order or the facts', async () => {
    const checkpoint = await openCheckpoint(model());
    const digest = async (order?: number[], contents: object = {}): Promise<string> => {
      const writer = await PatchWriter.temporary(checkpoint, { ...CONTENTS, ...contents }, temporaryFolder());
      await written(checkpoint, writer, order);
      const found = writer.digest;
      await writer.discard();
      return found;
    };
    const first = await digest();
    assert.equal(await digest([5, 4, 3, 2, 1, 0], { facts: {} }), first);
    assert.notEqual(await digest([0, 1]), first);
    assert.notEqual(await digest(undefined, { removed: [1] }), first);
    assert.notEqual(await digest(undefined, { adapter: 'ab'.repeat(32) }), first);
  });

  it('may have no tensor', async () => {
    const checkpoint = await openCheckpoint(model());
    const path = join(temporaryFolder(), 'empty.safetensors');
    await (await PatchWriter.create(path, checkpoint, CONTENTS)).finish();
    assert.deepEqual((await readPatchFile(path, checkpoint)).patches, []);
  });

  it('leaves nothing behind when it is discarded, nor a temporary one at its end', async () => {
    const checkpoint = await openCheckpoint(model());
    const folder = temporaryFolder();
    const writer = await PatchWriter.create(join(folder, 'healed.safetensors'), checkpoint, CONTENTS);
    await written(checkpoint, writer);
    await writer.discard();
    const temporary = await PatchWriter.temporary(checkpoint, CONTENTS, folder);
    await written(checkpoint, temporary);
    assert.equal((await temporary.patches()).length, 6);
    await temporary.discard();
    const nested = await PatchWriter.temporary(checkpoint, CONTENTS, join(folder, 'not', 'yet'));
    assert.equal(readdirSync(folder).length, 1);
    await nested.discard();
    assert.deepEqual(readdirSync(folder), []);
    await assert.rejects(temporary.patches(), /gone/);
  });

  it('never replaces a file, nor lies in the checkpoint or in a folder that is not there', async () => {
    const folder = temporaryFolder();
    const own = ownTinyCheckpoint('llama-plain');
    const checkpoint = await openCheckpoint(own);
    const path = join(folder, 'taken');
    writeFileSync(path, 'mine');
    const refused = async (at: string, why: RegExp): Promise<void> => {
      await assert.rejects(PatchWriter.create(at, checkpoint, CONTENTS), (error) => {
        assert.ok(error instanceof UserError, String(error));
        assert.match(error.why, why);
        return true;
      });
    };
    await refused(path, /never overwrites/);
    await refused(join(own, 'healed.safetensors'), /inside the checkpoint/);
    await refused(join(folder, 'none', 'healed.safetensors'), /no folder .*none/);
    const late = join(folder, 'late');
    const writer = await PatchWriter.create(late, checkpoint, CONTENTS);
    writeFileSync(late, 'mine');
    await assert.rejects(writer.finish(), /never overwrites/);
    await writer.discard();
    assert.deepEqual(readdirSync(folder).sort(), ['late', 'taken']);
    assert.equal(readFileSync(late, 'utf8'), 'mine');
  });

  it('takes announced weights only, once, finite and of the right size', async () => {
    const checkpoint = await openCheckpoint(model());
    const writer = await PatchWriter.temporary(checkpoint, CONTENTS, temporaryFolder());
    const o = { layer: 0, name: 'o' } as const;
    const values = new Float32Array(64 * 64);
    await assert.rejects(writer.add({ layer: 1, name: 'o' }, values), /1\.o was not announced/);
    await assert.rejects(writer.add(o, values.subarray(1)), /4095 numbers for 0\.o/);
    await assert.rejects(writer.add(o, values.with(77, NaN)), /infinities or NaN/);
    await writer.add(o, values);
    await assert.rejects(writer.add(o, values), /cannot be added/);
    await writer.discard();
    await assert.rejects(writer.add({ layer: 0, name: 'down' }, new Float32Array(64 * 96)), /cannot be added/);
  });

  it('can be cancelled while it is checked', async () => {
    const path = await writePatch(join(temporaryFolder(), 'healed.safetensors'), model(), [1]);
    const checkpoint = await openCheckpoint(model());
    const cancel = new AbortController();
    const reading = readPatchFile(path, checkpoint, { signal: cancel.signal, onProgress: () => cancel.abort() });
    await assert.rejects(reading, CancelledError);
  });
});

describe('a file that is not a patch of the model', () => {
  it('is refused if it is cut or has bytes at its end', async () => {
    const path = await writePatch(join(temporaryFolder(), 'healed.safetensors'), model(), [1]);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, -4));
    await requireRefused(path, /healed\.safetensors/, /truncated/);
    writeFileSync(path, bytes.subarray(0, 100));
    await requireRefused(path, /healed\.safetensors/, /ends after 100/);
    writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(4)]));
    await requireRefused(path, /healed\.safetensors/, /4 bytes after the last tensor/);
    writeFileSync(path, 'not a safetensors file');
    await requireRefused(path, /healed\.safetensors/, /./);
  });

  it('is refused if it is a checkpoint, or its note is not one', async () => {
    await requireRefused(join(model(), 'model.safetensors'), /the note "coppice.heal"/, /it is missing/);
    const cases: [object | string, RegExp][] = [
      ['{', /not valid JSON/],
      ['[]', /not a JSON object/],
      [`{"a":${'['.repeat(50)}${']'.repeat(50)}}`, /./],
      [' '.repeat(2_000_000), /2000000 characters/],
      [{ version: 2 }, /version is 2/],
      [{ version: undefined }, /version is missing/],
      [{ base: 'x' }, /base/],
      [{ base: { name: 'x', identity: 'short', blocks: 4 } }, /base/],
      [{ base: { name: 'x', identity: 'a'.repeat(64), blocks: 1e9 } }, /base/],
      [{ adapter: 'x' }, /adapter/],
      [{ removed: [4] }, /removed/],
      [{ removed: ['1.head'] }, /removed/],
      [{ removed: ['9.ffn'] }, /removed/],
      [{ removed: [-1] }, /removed/],
      [{ removed: Array(20_000).fill(0) }, /./],
      [{ method: 7 }, /method/],
      [{ texts: [{ name: 'x' }] }, /texts/],
      [{ facts: { nested: {} } }, /facts/],
      [{ digest: 'x' }, /digest/],
    ];
    for (const [change, why] of cases) {
      const path = await damagedPatch((header) =>
        typeof change === 'string' ? withNote(header, {}, change) : withNote(header, change),
      );
      await requireRefused(path, /the note "coppice.heal" in its header/, why);
    }
  });

  it('is refused if names, types or shapes are not those of the model', async () => {
    const O = 'model.layers.0.self_attn.o_proj.weight';
    const renamed = await damagedPatch(({ json }) => {
      const { [O]: entry, ...others } = json;
      return { json: { ...others, 'model.layers.9.self_attn.o_proj.weight': entry } };
    });
    await requireRefused(renamed, /layers\.9.*cannot be used/, /not a weight of this model/);
    const reshaped = await damagedPatch(({ json }) => ({ json: { ...json, [O]: { ...json[O], shape: [32, 128] } } }));
    await requireRefused(reshaped, /o_proj.*cannot be used/, /\[32, 128\], it has to be \[64, 64\]/);
    const retyped = await damagedPatch(({ json }) => ({
      json: { ...json, [O]: { ...json[O], dtype: 'BF16', shape: [64, 128] } },
    }));
    await requireRefused(retyped, /o_proj.*cannot be used/, /stored as BF16/);
    const head = await damagedPatch(({ json }) => {
      const { [O]: entry, ...others } = json;
      return { json: { ...others, 'lm_head.weight': entry } };
    });
    await requireRefused(head, /lm_head/, /not a weight of this model/); // tied: it would be a second embedding
  });

  it('is refused if a number is not finite or not the one that was written', async () => {
    for (const value of [NaN, Infinity, -Infinity]) {
      const path = await damagedPatch(({ data }) => {
        data.writeFloatLE(value, 4 * 1234);
        return { data };
      });
      await requireRefused(path, /o_proj.*cannot be used/, /infinities or NaN/);
    }
    const flipped = await damagedPatch(({ data }) => {
      data[4 * 5000] ^= 1;
      return { data };
    });
    await requireRefused(flipped, /is damaged/, /not those that were written/);
    const other = await damagedPatch((header) => withNote(header, { removed: [2] }));
    await requireRefused(other, /is damaged/, /not those that were written/);
  });

  it('is refused by another model', async () => {
    const path = await writePatch(join(temporaryFolder(), 'healed.safetensors'), model(), [1]);
    await requireRefused(path, /does not belong to/, /whose files differ/, tinyCheckpoint('llama-plain'));
    const deeper = tinyCheckpoint('llama-gqa-tied', { config: { num_hidden_layers: 5 } });
    await requireRefused(path, /does not belong to/, /whose files differ/, deeper);
  });
});

describe('paths on several drives', () => {
  it('have no common folder', () => {
    assert.ok(haveCommonFolder(['/a/b', '/a/c/d']) && haveCommonFolder([]));
    assert.ok(!haveCommonFolder(['C:/a/b', 'D:/a/b']));
    assert.throws(() => commonFolder(['C:/a/b', 'D:/a/b']), /several drives/);
    assert.equal(commonFolder(['/a/b/x', '/a/b/y']), '/a/b');
  });
});
