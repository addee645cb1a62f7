/** A training that is handed over and taken back: what is written, what is found, and every refusal. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { adapterName } from '../../../src/engine/adapter/names';
import { saveAdapter } from '../../../src/engine/adapter/files';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { withWeights } from '../../../src/engine/weights/checkpoint';
import { readRecord } from '../../../src/engine/records/record';
import { readManifest } from '../../../src/hand-over/manifest';
import { take, type Taken } from '../../../src/hand-over/take';
import { readResult } from '../../../src/jobs/read-result';
import type { HandedOver } from '../../../src/hand-over/hand-over';
import { rejects } from '../../support/checkpoint-files';
import { handedOver, SAMPLE } from '../../support/handed-over';
import { temporaryFolder } from '../../support/temporary';

describe('hand-over', () => {
  let handed: HandedOver;
  before(async () => {
    handed = await handedOver();
  });

  /** A copy, which a test may change. */
  function copied(): string {
    const folder = join(temporaryFolder(), 'handed');
    cpSync(handed.out, folder, { recursive: true });
    return folder;
  }
  const taken = (folder: string, more: { readonly merge?: boolean } = {}): Promise<Taken> =>
    take(
      { folder, out: join(temporaryFolder(), 'taken'), merge: false, compute: { device: 'cpu', threads: 1 }, ...more },
      {},
    );

  /** An adapter of rank 1 on q of block 0, as a result. */
  async function adapterIn(folder: string, value = 0.01): Promise<void> {
    const checkpoint = await openCheckpoint(join(folder, 'checkpoint'));
    const { hidden } = requireArchitecture(checkpoint);
    const rows = await withWeights(checkpoint, (weights) => Promise.resolve(weights.shape({ layer: 0, name: 'q' })[0]));
    const matrices = {
      [adapterName('q', 'A')]: new Float32Array(hidden).fill(value),
      [adapterName('q', 'B')]: new Float32Array(rows).fill(value),
    };
    mkdirSync(join(folder, 'result'));
    const adapter = {
      rank: 1,
      alpha: 2,
      dropout: 0,
      targets: ['q'],
      removed: [],
      matrices: new Map([[0, matrices]]),
    } as const;
    await saveAdapter(join(folder, 'result'), adapter, checkpoint);
  }

  /** Whole weights, as a result: those that were handed over, one number of which is changed. */
  function wholeIn(folder: string, bits: number): void {
    cpSync(join(folder, 'checkpoint'), join(folder, 'result'), { recursive: true });
    const file = join(folder, 'result/model.safetensors');
    const bytes = readFileSync(file);
    bytes.writeUInt16LE(bits, bytes.length - 2);
    writeFileSync(file, bytes);
  }

  it('writes a folder with the model, the rows, programs, settings and a manifest', async () => {
    const { out } = handed;
    assert.deepEqual(readdirSync(out).sort(), [
      'README.md',
      'check.py',
      'checkpoint',
      'config.json',
      'data',
      'distil.py',
      'hand-over.json',
      'requirements.txt',
      'train.py',
      'training.py',
    ]);
    const manifest = await readManifest(out);
    assert.deepEqual(manifest.plan.removed, [4, 5, 6]);
    assert.equal(manifest.teacher.place, SAMPLE);
    assert.equal(
      readFileSync(join(out, 'data/train.jsonl'), 'utf8').trimEnd().split('\n').length,
      manifest.data.train.examples,
    );
    assert.ok(manifest.data.heldOut.examples > 0);
    const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as Record<
      string,
      Record<string, unknown>
    >;
    assert.deepEqual(
      [config.steps, config.rows_per_step, config.teacher_weight, config.lora.target_modules],
      [10, 4, 0.5, ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']],
    );
    const { loss, crossEntropy, rows } = manifest.firstLoss;
    assert.ok(rows === 4 && loss > 0 && loss < crossEntropy, 'half of it is the divergence, which is smaller');
    assert.match(readFileSync(join(out, 'README.md'), 'utf8'), /without the blocks 4, 5, 6/);
  });

  it('takes an adapter back as what retrain writes', async () => {
    const folder = copied();
    await adapterIn(folder);
    writeFileSync(
      join(folder, 'result/log.json'),
      JSON.stringify({
        ...{
          schema: 1,
          kept: 2,
          seconds: 3,
          tokens_per_second: 5,
          device: 'cuda',
          processes: 8,
          versions: { trl: '1' },
        },
        steps: [1, 2].map((step) => ({ step, loss: 4 / step, learning_rate: 0.1, grad_norm: 1 })),
      }),
    );
    const found = await taken(folder);
    assert.ok(found.before && found.after && found.likeness && found.unpruned);
    assert.notEqual(found.after.loss, found.before.loss);
    assert.ok(found.before.loss > found.unpruned.loss);
    const record = await readRecord(join(found.out, 'coppice.json'));
    const result = readResult('retrain', record.results);
    assert.deepEqual([record.kind, result.steps, result.best?.loss], ['retrain', 2, found.after.loss]);
    assert.deepEqual(
      result.trace?.map(({ loss }) => loss),
      [4, 2],
    );
    assert.deepEqual(
      record.inputs.map(({ role }) => role),
      ['model', 'data', 'teacher'],
    );
    assert.ok(existsSync(join(found.out, 'adapter_model.safetensors')));
    const merged = await taken(folder, { merge: true });
    assert.equal(merged.kind, 'checkpoint');
    assert.equal((await openCheckpoint(merged.out)).architecture?.layers.length, 9);
  });

  it('takes whole weights back', async () => {
    const folder = copied();
    wholeIn(folder, 0x3f00);
    const found = await taken(folder);
    assert.deepEqual([found.kind, found.steps], ['checkpoint', 0]);
    assert.equal((await readRecord(join(found.out, 'coppice.json'))).settings.method, 'full');
  });

  it('refuses a hand-over that has changed, naming file and field', async () => {
    const change = async (words: RegExp, edit: (folder: string) => void): Promise<void> => {
      const folder = copied();
      await adapterIn(folder);
      edit(folder);
      await rejects(() => taken(folder), words);
    };
    const manifest = (field: (value: Record<string, unknown>) => void) => (folder: string) => {
      const file = join(folder, 'hand-over.json');
      const value = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
      field(value);
      writeFileSync(file, JSON.stringify(value));
    };
    await change(/model\.safetensors is not what was handed over/, (folder) => {
      appendFileSync(join(folder, 'checkpoint/model.safetensors'), ' ');
    });
    await change(/train\.jsonl is not what was handed over/, (folder) => {
      appendFileSync(join(folder, 'data/train.jsonl'), '\n');
    });
    await change(
      /hand-over\.json[\s\S]*plan\.removed/,
      manifest((value) => {
        value.plan = { ...(value.plan as object), removed: [4, 5] };
      }),
    );
    await change(
      /hand-over\.json[\s\S]*plan\.identity/,
      manifest((value) => {
        value.plan = { ...(value.plan as object), identity: '0' };
      }),
    );
    await change(
      /hand-over\.json[\s\S]*checkpoint\.identity/,
      manifest((value) => {
        value.checkpoint = { identity: '0' };
      }),
    );
    await change(
      /hand-over\.json[\s\S]*teacher\.identity/,
      manifest((value) => {
        value.teacher = { ...(value.teacher as object), identity: '0' };
      }),
    );
    await change(
      /files does not name data\/train\.jsonl/,
      manifest((value) => {
        value.files = Object.fromEntries(
          Object.entries(value.files as object).filter(([name]) => !name.startsWith('data/')),
        );
      }),
    );
    await change(
      /files is not hashes/,
      manifest((value) => {
        value.files = { '../secret': '0'.repeat(64) };
      }),
    );
    await change(
      /schema is 2/,
      manifest((value) => {
        value.schema = 2;
      }),
    );
    await change(/not a hand-over/, (folder) => {
      rmSync(join(folder, 'hand-over.json'));
    });
  });

  it('refuses a result that is not there or does not fit', async () => {
    const empty = copied();
    await rejects(() => taken(empty), /no result/, /not there/);
    const diverged = copied();
    wholeIn(diverged, 0x7f80);
    await rejects(() => taken(diverged), /infinities or NaN/);
    const broken = copied();
    await adapterIn(broken, Number.NaN);
    await rejects(() => taken(broken), /infinities or NaN/);
    const pickle = copied();
    await adapterIn(pickle);
    renameSync(join(pickle, 'result/adapter_model.safetensors'), join(pickle, 'result/adapter_model.bin'));
    await rejects(() => taken(pickle), /pickle/);
    const other = copied();
    cpSync(SAMPLE, join(other, 'result'), { recursive: true });
    await rejects(() => taken(other), /config\.json/, /layers: 12 of them here, 9 of them there/);
  });

  it('refuses what cannot be handed over, and leaves nothing behind', async () => {
    const out = join(temporaryFolder(), 'handed');
    await rejects(() => handedOver({ out, remove: undefined }), /no original that could teach sample/i, /teacher/);
    await rejects(() => handedOver({ out, data: [join(out, 'none.jsonl')] }), /none\.jsonl/);
    await rejects(() => handedOver({ out: handed.out }), /exists/);
    assert.deepEqual(readdirSync(dirname(out)), []);
  });
});
