/** Reading GGUF headers: what sound files say, and that no file can make the reader hang, recurse or set memory aside. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DamagedFile } from '../../../src/engine/formats/damage';
import { type GgufHeader, isGguf, openGguf, readGgufHeader } from '../../../src/engine/formats/gguf/file';
import type { GgufArray } from '../../../src/engine/formats/gguf/metadata';
import { summarizeGguf } from '../../../src/engine/checkpoint/gguf/summary';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { UserError } from '../../../src/engine/errors';
import { uniform } from '../../support/random';
import { describeShared, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { layOutGguf, list, memorySource, SOUND, text, u32, u64, value, type Layout } from '../../support/gguf-files';

const read = (layout: Layout): Promise<GgufHeader> => readGgufHeader(memorySource(layOutGguf(layout)), 'm.gguf');

async function refused(layout: Layout, field: string, why: RegExp): Promise<void> {
  await assert.rejects(read(layout), (error: unknown) => {
    assert.ok(error instanceof DamagedFile, String(error));
    assert.equal(error.field, field);
    assert.match(error.why, why);
    assert.ok(error.offset !== undefined);
    return true;
  });
}

const withTensor = (tensor: Partial<NonNullable<Layout['tensors']>[number]>): Layout => ({
  ...SOUND,
  tensors: [{ ...SOUND.tensors![0], ...tensor }, ...SOUND.tensors!.slice(1)],
});

describe('GGUF header', () => {
  it('gives metadata and tensors, rows first', async () => {
    const { version, metadata, tensors, dataStart, notes } = await read(SOUND);
    assert.equal(version, 3);
    assert.equal(metadata.get('general.architecture')?.value, 'llama');
    assert.equal(metadata.get('llama.block_count')?.value, 2);
    assert.deepEqual(tensors[0].shape, [4, 8]);
    assert.deepEqual(
      tensors.map(({ dtype, offset, bytes }) => [dtype, offset - dataStart, bytes]),
      [
        ['F32', 0, 128],
        ['F32', 128, 512],
        ['F32', 640, 512],
      ],
    );
    assert.deepEqual(notes, []);
  });

  it('reads every kind of value', async () => {
    const i64 = Buffer.from(BigInt64Array.of(-(2n ** 60n)).buffer);
    const f64 = Buffer.from(Float64Array.of(0.5).buffer);
    const { metadata } = await read({
      metadata: [
        ['u8', value('u8', Buffer.from([255]))],
        ['i8', value('i8', Buffer.from([255]))],
        ['bool', value('bool', Buffer.from([1]))],
        ['u64', value('u64', u64(2n ** 64n - 1n))],
        ['i64', value('i64', i64)],
        ['f64', value('f64', f64)],
        ['nested', list('array', [list('u8', [Buffer.from([1])]).subarray(4)])],
        ['empty', list('string', [])],
      ],
    });
    assert.deepEqual(
      [...metadata.values()].slice(0, 6).map((entry) => entry.value),
      [255, -1, true, 2n ** 64n - 1n, -(2n ** 60n), 0.5],
    );
    assert.deepEqual(metadata.get('nested')?.value, { of: 'array', length: 1, first: [] });
    assert.deepEqual(metadata.get('empty')?.value, { of: 'string', length: 0, first: [] });
  });

  it('goes over a vocabulary without holding it, and keeps the start of long texts', async () => {
    const tokens = Array.from({ length: 150_000 }, (_, i) => text(`token ${i}`));
    const scores = Array.from({ length: 150_000 }, (_, i) => u32(i));
    const { metadata } = await read({
      metadata: [
        ['tokens', list('string', tokens)],
        ['scores', list('u32', scores)],
        ['template', value('string', text('x'.repeat(400_000)))],
        ['after', value('u32', u32(7))],
      ],
    });
    const array = metadata.get('tokens')?.value as GgufArray;
    assert.equal(array.length, 150_000);
    assert.deepEqual(array.first.slice(0, 2), ['token 0', 'token 1']);
    assert.ok(array.first.length < 100);
    assert.equal((metadata.get('scores')?.value as GgufArray).first[31], 31);
    const template = metadata.get('template');
    assert.equal(template?.bytes, 400_000);
    assert.equal((template?.value as string).length, 100_000);
    assert.equal(metadata.get('after')?.value, 7);
  });

  it('names field and place of what is wrong', async () => {
    const one = (bytes: Buffer): Layout => ({ metadata: [['k', bytes]] });
    await refused({ ...SOUND, version: 1 }, 'version', /it is 1/);
    await refused({ ...SOUND, version: 0x03000000 }, 'version', /big-endian/);
    await refused({ ...SOUND, counts: { tensors: 2n ** 63n } }, 'number of tensors', /more than/);
    await refused({ ...SOUND, counts: { entries: 1e9 } }, 'number of metadata entries', /more than/);
    await refused(one(u32(13)), 'metadata "k"', /its type is 13/);
    await refused(one(value('bool', Buffer.from([7]))), 'metadata "k"', /not true/);
    await refused(one(list('f64', [], 2n ** 40n)), 'metadata "k"', /more than/);
    await refused(one(list('u8', [], 1e8)), 'metadata "k"', /file ends/);
    await refused(one(list('string', [u64(2n ** 63n)])), 'metadata "k"', /more than/);
    await refused(
      { ...SOUND, metadata: [...SOUND.metadata!, SOUND.metadata![0]] },
      'metadata "general.architecture"',
      /twice/,
    );
    await refused(
      { metadata: [['general.alignment', value('u32', u32(24))]] },
      'metadata "general.alignment"',
      /power/,
    );
    await refused(withTensor({ dims: [1, 1, 1, 1, 1] }), 'tensor "token_embd.weight", number of dimensions', /5/);
    await refused(withTensor({ type: 4 }), 'tensor "token_embd.weight", type', /not a known type/);
    await refused(withTensor({ type: 12 }), 'tensor "token_embd.weight", dimension 0', /multiple of the 256/);
    await refused(withTensor({ offset: 8 }), 'tensor "token_embd.weight", offset', /alignment/);
    await refused(withTensor({ dims: [8, 8] }), 'tensor "blk.0.ffn_up.weight", offset', /before it end at 256/);
    const long = 'n'.repeat(63); // in ggml a name has 64 bytes with the zero at its end
    assert.equal((await read(withTensor({ name: long }))).tensors[0].name, long);
    for (const name of [`${long}n`, `${'n'.repeat(62)}é`, 'n'.repeat(200)]) {
      await refused(withTensor({ name }), 'name of tensor 0', /more than 63/);
    }
    await refused(withTensor({ name: 'blk.1.ffn_up.weight' }), 'tensor "blk.1.ffn_up.weight", name', /another/);
    await refused({ ...SOUND, data: 1100 }, 'tensor "blk.1.ffn_up.weight", offset', /the file ends at/);
  });

  it('takes shapes of blocks by their type', async () => {
    const { tensors } = await read({ tensors: [{ name: 'a', dims: [256, 3], type: 12, offset: 0 }], data: 432 });
    assert.deepEqual([tensors[0].dtype, tensors[0].bytes], ['Q4_K', 432]);
  });

  it('with a report that returns, gives what comes before the damage', async () => {
    const problems: UserError[] = [];
    const cut = layOutGguf(SOUND).subarray(0, 430);
    const { metadata, tensors } = await readGgufHeader(memorySource(cut), 'm.gguf', (p) => problems.push(p));
    assert.equal(metadata.size, 6);
    assert.ok(tensors.length < 3);
    assert.equal(problems.length, 1);
  });

  it('does not believe a file that claims to be large', async () => {
    const source = memorySource(
      layOutGguf({ metadata: [['k', list('string', [], 1e7)]] }),
      10 ** 12, // a sparse file of a terabyte
    );
    await readGgufHeader(source, 'm.gguf').catch((error: unknown) => assert.ok(error instanceof UserError));
    assert.ok(source.reads < 300e6);
  });

  it('is refused or read, whatever 5000 seeded mutations make of it', async () => {
    const next = uniform(77);
    const sound = layOutGguf(SOUND);
    const odd = [0, 1, 4, 9, 12, 31, 127, 255];
    for (let i = 0; i < 5000; i++) {
      const bytes = Buffer.from(sound);
      for (let edits = 1 + Math.floor(next() * 4); edits > 0; edits--) {
        bytes[Math.floor(next() * 560)] = odd[Math.floor(next() * odd.length)];
      }
      const cut = next() < 0.2 ? bytes.subarray(0, Math.floor(next() * bytes.length)) : bytes;
      const source = memorySource(cut);
      try {
        const header = await readGgufHeader(source, 'm.gguf');
        summarizeGguf({ ...header, path: '/m.gguf', file: '/m.gguf', bytes: cut.length });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
      }
      assert.ok(source.reads < 1e6);
    }
  });
});

describe('GGUF file', () => {
  it('is told by name or by first bytes, inspected, and refused for computing if it is no whole model', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'model');
    writeFileSync(file, layOutGguf(SOUND));
    assert.equal(await isGguf(file), true);
    assert.equal(await isGguf(join(folder, 'missing')), false);
    const summary = summarizeGguf(await openGguf(file));
    assert.equal(summary.format, 'gguf');
    assert.deepEqual([summary.architecture, summary.blocks, summary.tied], ['llama', 2, true]);
    assert.deepEqual([summary.hidden, summary.heads, summary.headDim, summary.vocabulary], [8, 2, 4, 4]);
    assert.deepEqual([summary.parameters, summary.bytes], [288, statSync(file).size]);
    assert.deepEqual(summary.blockParameters, [128, 128]);
    await assert.rejects(openCheckpoint(file), UserError);
  });
});

describeShared('known GGUF files', () => {
  const folder = shared('data/bad-gguf');
  const expected = readFileSync(join(folder, 'EXPECTED.tsv'), 'utf8').trim().split('\n').slice(1);
  for (const line of expected) {
    const [name, , verdict] = line.split('\t');
    it(`${name}: ${verdict}`, async () => {
      const opened = openGguf(join(folder, name));
      if (verdict.startsWith('reject') && !verdict.includes(' or ')) {
        await assert.rejects(opened, DamagedFile);
        return;
      }
      const summary = summarizeGguf(await opened);
      if (verdict.includes('architecture')) assert.equal(summary.architecture, null);
      if (verdict.includes('warn') || verdict.includes('loop')) assert.equal(summary.notes.length, 1);
    });
  }

  it('covers every file', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.gguf'));
    assert.deepEqual(expected.map((line) => line.split('\t')[0]).sort(), files.sort());
  });

  it('reads a converted model as the checkpoint that it came from', async () => {
    for (const name of ['stories260K-f32.gguf', 'stories260K-f16.gguf']) {
      const summary = summarizeGguf(await openGguf(shared('models/stories260K-gguf', name)));
      assert.deepEqual([summary.blocks, summary.parameters, summary.hidden], [5, 260_032, 64]);
      assert.deepEqual([summary.heads, summary.kvHeads, summary.ffn, summary.vocabulary], [8, 4, 172, 512]);
    }
  });
});
