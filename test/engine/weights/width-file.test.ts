/** A width in a file: what is written is read again, and what is damaged or of another model is refused. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { narrowCheckpoint } from '../../../src/engine/checkpoint/width';
import { plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { UserError } from '../../../src/engine/errors';
import { headerBytes } from '../../../src/engine/formats/safetensors/tensor-file';
import { isBeside } from '../../../src/engine/weights/beside';
import { openNarrowed, readWidthFile, saveWidth } from '../../../src/engine/weights/width-file';
import { hexOf, numbersOf, WIDTH } from '../../../src/engine/weights/width-note';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';
import { randomWidth } from '../../support/widths';

const ORIGIN = { method: 'flap', texts: [{ name: 'rows.json', sha256: 'a'.repeat(64) }], facts: { ratio: 0.25 } };

const whole = (): Promise<Checkpoint> => openCheckpoint(tinyCheckpoint('llama-gqa-tied'));

async function saved({ biases = true, seed = 2 } = {}): Promise<{ path: string; checkpoint: Checkpoint }> {
  const checkpoint = await whole();
  const narrow = narrowCheckpoint(checkpoint, randomWidth(requireArchitecture(checkpoint), { seed, biases }));
  const path = join(temporaryFolder(), 'flap.width.safetensors');
  return { path: await saveWidth(path, narrow, ORIGIN), checkpoint: narrow };
}

/** A header's JSON, and the bytes behind it. */
interface Parts {
  header: { __metadata__: Record<string, string> } & Record<string, unknown>;
  data: Buffer;
}

/** The file with something changed. */
function changed(path: string, change: (parts: Parts) => void): string {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const parts: Parts = {
    header: JSON.parse(bytes.subarray(8, 8 + length).toString()) as Parts['header'],
    data: Buffer.from(bytes.subarray(8 + length)),
  };
  change(parts);
  const other = join(temporaryFolder(), 'changed.width.safetensors');
  writeFileSync(other, Buffer.concat([headerBytes(parts.header), parts.data]));
  return other;
}

type Note = Record<string, unknown> & { layers: Record<string, unknown>[]; base: Record<string, unknown> };

const withNote = (path: string, change: (note: Note) => void): string =>
  changed(path, ({ header: { __metadata__: metadata } }) => {
    const note = JSON.parse(metadata['coppice.width']) as Note;
    change(note);
    metadata['coppice.width'] = JSON.stringify(note);
  });

async function refused(path: string, what: RegExp, checkpoint?: Checkpoint): Promise<void> {
  await assert.rejects(readWidthFile(path, checkpoint ?? (await whole())), (error) => {
    assert.ok(error instanceof UserError, String(error));
    const { what: first, why, action } = error.texts;
    assert.match(`${first}: ${why}`, what);
    assert.ok(action.length > 0);
    return true;
  });
}

describe('a file of a width', () => {
  for (const biases of [false, true]) {
    it(`is the model that was saved${biases ? ', with its biases' : ''}`, async () => {
      const { path, checkpoint } = await saved({ biases });
      const { checkpoint: again, file } = await openNarrowed(await whole(), path);
      assert.equal(again.identity, checkpoint.identity);
      assert.deepEqual(again.architecture, checkpoint.architecture);
      assert.deepEqual(file.width, checkpoint.narrowing!.width);
      const { method, texts, facts } = file.note;
      assert.deepEqual({ method, texts, facts }, ORIGIN);
      assert.deepEqual([file.input.role, file.input.name], ['width', 'flap.width.safetensors']);
      assert.ok(await isBeside(path, await whole(), WIDTH));
      assert.deepEqual(readdirSync(dirname(path)), ['flap.width.safetensors']);
    });
  }

  it('replaces no other file', async () => {
    const { path, checkpoint } = await saved();
    const before = readFileSync(path);
    await assert.rejects(saveWidth(path, checkpoint, ORIGIN), /exists already/);
    assert.ok(readFileSync(path).equals(before));
  });

  it('says which folder is missing', async () => {
    const { checkpoint } = await saved();
    const path = join(temporaryFolder(), 'none', 'flap.width.safetensors');
    await assert.rejects(saveWidth(path, checkpoint, ORIGIN), /no such file or folder|ENOENT/);
  });

  it('is refused for another model', async () => {
    const { path } = await saved();
    const other = await openCheckpoint(tinyCheckpoint('llama-plain'));
    await refused(path, /does not belong to .* whose files differ/, other);
    assert.equal(await isBeside(path, other, WIDTH), false);
    assert.equal(await isBeside(join(dirname(path), 'none'), other, WIDTH), false);
  });

  it('is refused when it is damaged, with the field', async () => {
    const { path } = await saved();
    const { hidden, layers } = requireArchitecture(await whole());
    await refused(
      changed(path, ({ header }) => delete header.__metadata__['coppice.width']),
      /not a file of a width/,
    );
    await refused(
      withNote(path, (note) => (note.version = 2)),
      /version is 2/,
    );
    await refused(
      withNote(path, (note) => (note.base.blocks = 9)),
      /layers is not a list of 9 blocks/,
    );
    await refused(
      withNote(path, (note) => (note.layers[1].neurons = 'zz')),
      /layers\[1\]/,
    );
    await refused(
      withNote(path, (note) => (note.layers[1].neurons = '0'.repeat(plainShape(layers[1]).ffn / 4))),
      /layers\[1\]/,
    );
    await refused(
      withNote(path, (note) => (note.layers[2].groups = [1, 0])),
      /layers\[2\]/,
    );
    await refused(
      withNote(path, (note) => (note.layers[2].groups = [7])),
      /layers\[2\]\.groups.*has 2 of them/,
    );
    await refused(
      withNote(path, (note) => (note.layers[0].ffn = 1e12)),
      /layers\[0\]/,
    );
    const wider = { ffn: 400, neurons: `${'0'.repeat(99)}1` };
    await refused(
      withNote(path, (note) => Object.assign(note.layers[0], wider)),
      /layers\[0\]\.neurons.*has 96 of them/,
    );
    await refused(
      withNote(path, (note) => (note.layers[3].groups = [0, 1])),
      /is damaged|cannot be used/,
    );
    await refused(
      withNote(path, (note) => (note.compensated = 'no')),
      /compensated/,
    );
    await refused(
      withNote(path, (note) => (note.compensated = false)),
      /there are no biases/,
    );
    await refused(
      changed(path, ({ data }) => data.writeFloatLE(1, 8)),
      /is damaged/,
    );
    await refused(
      changed(path, ({ data }) => data.writeFloatLE(NaN, 8)),
      /layers\.0\.o\.bias.*infinities or NaN/,
    );
    const name = 'layers.1.down.bias';
    const shorter = ({ header, data }: Parts): void => {
      const entry = header[name] as { data_offsets: [number, number]; shape: number[] };
      entry.shape = [hidden / 2, 2];
      assert.ok(data.length > 0);
    };
    await refused(changed(path, shorter), /layers\.1\.down\.bias.*in place of F32 \[64\]/);
    const renamed = (parts: Parts): void => {
      const { [name]: moved, ...others } = parts.header;
      parts.header = { ...others, 'layers.9.o.bias': moved };
    };
    await refused(changed(path, renamed), /layers\.1\.down\.bias.*missing/);
    const cut = join(temporaryFolder(), 'cut.width.safetensors');
    writeFileSync(cut, readFileSync(path).subarray(0, -5));
    await refused(cut, /cut\.width\.safetensors/);
  });
});

describe('neurons as hexadecimal digits', () => {
  it('have the lowest of four in the top bit', () => {
    assert.equal(hexOf([0], 4), '8');
    assert.equal(hexOf([3, 4, 8], 10), '188');
    assert.deepEqual(numbersOf('188', 10), [3, 4, 8]);
  });

  it('are refused beyond the count, and in other lengths and letters', () => {
    assert.equal(numbersOf('0001', 15), undefined);
    assert.equal(numbersOf('00', 15), undefined);
    assert.equal(numbersOf('000G', 15), undefined);
  });
});
