/** Quantized weights that are kept for the next time: used, made again, within a limit, and what a bad file does. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { appendFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { adapterPatches } from '../../../src/engine/adapter/adapter';
import { requireArchitecture } from '../../../src/engine/checkpoint/open';
import { openModel, type ModelOptions } from '../../../src/engine/model/model';
import { QUANTIZED_LIMIT } from '../../../src/engine/precision';
import { QUANTIZER_VERSION } from '../../../src/engine/weights/blocks/quantize-model';
import { randomAdapter } from '../../support/adapters';
import { decodedLogits, openToy } from '../../support/model';
import { randomPatches } from '../../support/patches';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

const IDS = [5, 9, 200, 17];

/** What a model in 4 bits says, and what it notes. */
async function logitsOf(
  checkpoint: Checkpoint,
  folder: string,
  { limit = QUANTIZED_LIMIT, ...options }: ModelOptions & { readonly limit?: number } = {},
): Promise<{ logits: Float32Array; notes: string[] }> {
  const notes: string[] = [];
  const hooks = { onNote: (text: string) => void notes.push(text) };
  const model = await openModel(checkpoint, {
    ...{ device: 'cpu', precision: 'int4', quantized: { folder, limit }, hooks },
    ...options,
  });
  try {
    const [logits] = await decodedLogits(model, [IDS]);
    return { logits, notes };
  } finally {
    await model.close();
  }
}

const filesIn = (folder: string): string[] => readdirSync(folder).filter((name) => !name.startsWith('.'));

describe('quantized weights that are kept', () => {
  it('are made once, and give the same numbers the second time', async () => {
    const folder = temporaryFolder();
    const checkpoint = await openToy(tinyCheckpoint('llama-gqa-tied'));
    const first = await logitsOf(checkpoint, folder);
    const [name, ...others] = filesIn(folder);
    assert.deepEqual(others, []);
    const made = statSync(join(folder, name)).ino;
    assert.match(first.notes[0], /are kept for the next time in .*of at most 21.5 GB/);
    const second = await logitsOf(checkpoint, folder);
    assert.deepEqual(second, { logits: first.logits, notes: [] });
    assert.equal(statSync(join(folder, name)).ino, made);
    assert.deepEqual(readdirSync(folder), [name], 'nothing temporary is left');
  });

  it('belong to the numbers of the model, not to its name', async () => {
    const folder = temporaryFolder();
    const path = tinyCheckpoint('llama-gqa-tied');
    const checkpoint = await openToy(path);
    await logitsOf(checkpoint, folder);
    // An adapter lies beside the same base; healed weights are others; so is a file that was written again.
    const adapter = adapterPatches(randomAdapter(requireArchitecture(checkpoint)));
    await logitsOf(checkpoint, folder, { changes: [adapter] });
    assert.equal(filesIn(folder).length, 1);
    const healed = await randomPatches(checkpoint, [1, 2]);
    const plain = await logitsOf(checkpoint, folder);
    const changed = await logitsOf(checkpoint, folder, { changes: [healed] });
    assert.notDeepEqual(changed.logits, plain.logits);
    assert.equal(filesIn(folder).length, 2);
    const weights = join(path, 'model.safetensors');
    const bytes = readFileSync(weights);
    bytes.fill(60, bytes.length - 2 * 64 * 96); // the identity stays: headers and sizes are the same
    writeFileSync(weights, bytes);
    const later = new Date(Date.now() + 5000);
    utimesSync(weights, later, later);
    const again = await openToy(path);
    assert.equal(again.identity, checkpoint.identity);
    assert.notDeepEqual((await logitsOf(again, folder)).logits, plain.logits);
    assert.equal(filesIn(folder).length, 3);
  });

  const damage: Readonly<Record<string, (file: string) => void>> = {
    truncated: (file) => truncateSync(file, 5000),
    'cut by a byte': (file) => truncateSync(file, statSync(file).size - 1),
    empty: (file) => truncateSync(file, 0),
    'longer than it says': (file) => appendFileSync(file, 'x'),
    'a header of any length': (file) => overwrite(file, 0, Buffer.alloc(8, 255)),
    'no JSON': (file) => overwrite(file, 8, Buffer.from('[')),
    'another version': (file) => replace(file, `\\"version\\":${QUANTIZER_VERSION}`, '\\"version\\":1'),
    'another model': (file) => replace(file, '\\"key\\":\\"', '\\"kex\\":\\"'),
    'another shape': (file) => replace(file, '"shape":[64,2,16]', '"shape":[32,4,16]'),
    'a flipped bit': (file) => flip(file, statSync(file).size >> 1),
    'its last byte': (file) => flip(file, statSync(file).size - 1),
    'zeros, as after a power cut': (file) => overwrite(file, statSync(file).size - 9000, Buffer.alloc(9000)),
    'no digests': (file) => replace(file, '\\"sums\\":', '\\"sumz\\":'),
    'another name': (file) => replace(file, '"0.q.values"', '"0.z.values"'),
  };
  for (const [what, harm] of Object.entries(damage)) {
    it(`are made again: ${what}`, async () => {
      const folder = temporaryFolder();
      const checkpoint = await openToy(tinyCheckpoint('llama-plain'));
      const first = await logitsOf(checkpoint, folder);
      const file = join(folder, filesIn(folder)[0]);
      const whole = readFileSync(file);
      harm(file);
      assert.notDeepEqual(readFileSync(file), whole);
      const { logits, notes } = await logitsOf(checkpoint, folder);
      assert.deepEqual(logits, first.logits);
      assert.equal(notes.length, 1);
      assert.deepEqual(readFileSync(file), whole);
    });
  }

  it('are made again when another kind of thing has their name', async () => {
    const folder = temporaryFolder();
    const checkpoint = await openToy(tinyCheckpoint('llama-plain'));
    const first = await logitsOf(checkpoint, folder);
    const file = join(folder, filesIn(folder)[0]);
    copyFileSync(join(checkpoint.folder, 'model.safetensors'), file);
    assert.deepEqual((await logitsOf(checkpoint, folder)).logits, first.logits);
  });

  it('stay within the limit: the least recently used go, those in use stay', async () => {
    const folder = temporaryFolder();
    const models = await Promise.all([1, 2, 3].map((seed) => openToy(tinyCheckpoint('llama-plain', { seed }))));
    await logitsOf(models[0], folder);
    const [oldest] = filesIn(folder);
    const { size } = statSync(join(folder, oldest));
    await logitsOf(models[1], folder);
    const long = new Date(Date.now() - 60_000);
    for (const name of filesIn(folder)) utimesSync(join(folder, name), long, long);
    await logitsOf(models[0], folder, { limit: 2.5 * size }); // used again
    await logitsOf(models[2], folder, { limit: 2.5 * size });
    assert.equal(filesIn(folder).length, 2);
    assert.ok(existsSync(join(folder, oldest)));

    const options = { device: 'cpu', precision: 'int4', quantized: { folder, limit: 2.5 * size } } as const;
    const open = await openModel(models[0], options);
    try {
      utimesSync(join(folder, oldest), long, long);
      await logitsOf(models[1], folder, { limit: 2.5 * size });
      assert.ok(existsSync(join(folder, oldest)), 'an open model keeps its file');
      assert.equal((await decodedLogits(open, [IDS]))[0].length, 288);
    } finally {
      await open.close();
    }
  });

  it('are not kept with a limit of 0, and the note says nothing', async () => {
    const folder = temporaryFolder();
    const checkpoint = await openToy(tinyCheckpoint('llama-plain'));
    const kept = await logitsOf(checkpoint, temporaryFolder());
    assert.deepEqual(await logitsOf(checkpoint, folder, { limit: 0 }), { logits: kept.logits, notes: [] });
    assert.deepEqual(readdirSync(folder), []);
  });

  it('are not kept where nothing can be written, and the note says why', async () => {
    const folder = join(temporaryFolder(), 'file', 'folder');
    writeFileSync(join(folder, '..'), 'a file in the way');
    const checkpoint = await openToy(tinyCheckpoint('llama-plain'));
    const kept = await logitsOf(checkpoint, temporaryFolder());
    const { logits, notes } = await logitsOf(checkpoint, folder);
    assert.deepEqual(logits, kept.logits);
    assert.deepEqual(notes, [
      'the quantized weights are not kept for the next time: a part of the path is a file, not a folder',
    ]);
  });

  it('are in memory where no disk can be written at all', async () => {
    const checkpoint = await openToy(tinyCheckpoint('llama-bias'));
    const kept = await logitsOf(checkpoint, temporaryFolder());
    const { TMPDIR } = process.env;
    const gone = temporaryFolder();
    rmSync(gone, { recursive: true });
    process.env.TMPDIR = gone;
    try {
      const blocked = join(tinyCheckpoint('llama-plain'), 'config.json', 'below');
      const { logits, notes } = await logitsOf(checkpoint, blocked);
      assert.deepEqual(logits, kept.logits);
      assert.match(notes[0], /not kept .*; they are in memory$/);
    } finally {
      if (TMPDIR === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = TMPDIR;
    }
  });

  it('of one model made at once by several are whole', async () => {
    const folder = temporaryFolder();
    const checkpoint = await openToy(tinyCheckpoint('llama-plain'));
    const all = await Promise.all([1, 2, 3].map(() => logitsOf(checkpoint, folder)));
    for (const { logits } of all) assert.deepEqual(logits, all[0].logits);
    assert.equal(readdirSync(folder).length, 1);
  });
});

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] ^= 1;
  rewrite(file, bytes);
}

function overwrite(file: string, at: number, bytes: Buffer): void {
  const all = readFileSync(file);
  bytes.copy(all, at);
  rewrite(file, all);
}

function replace(file: string, from: string, to: string): void {
  assert.equal(from.length, to.length);
  const all = readFileSync(file);
  const at = all.indexOf(from);
  assert.ok(at > 0, `${from} is in the file`);
  all.write(to, at);
  rewrite(file, all);
}

function rewrite(file: string, bytes: Buffer): void {
  chmodSync(file, 0o600);
  writeFileSync(file, bytes);
}
