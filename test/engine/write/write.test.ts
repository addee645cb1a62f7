/** Writing a pruned checkpoint: what is in it, what is refused, and that no accident leaves half of one. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { blockOfTensor, blockTensorName } from '../../../src/engine/checkpoint/weight-names';
import { checkpointReduction } from '../../../src/engine/checkpoint/reduction';
import { CancelledError, UserError } from '../../../src/engine/errors';
import { writePruned, type WriteOptions, type WriteResult } from '../../../src/engine/write/write-pruned';
import { readRecord } from '../../../src/engine/records/record';
import { bytesOnDisk } from '../../support/disk';
import { uniform } from '../../support/random';
import { full } from '../../support/shared';
import { readCheckpointTensors } from '../../support/safetensors';
import { describeSmallDisk } from '../../support/small-disk';
import { temporaryFolder } from '../../support/temporary';
import { TINY_MODELS, tinyCheckpoint, writeTinyCheckpoint } from '../../support/tiny-models';

const removed = [1, 2];

async function prune(source: string, out: string, options: WriteOptions = {}): Promise<WriteResult> {
  return writePruned(await openCheckpoint(source), removed, out, options);
}

/** Every file and link below a folder with the hash of its bytes. */
function fingerprint(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    files.map((name) => {
      const stats = lstatSync(join(folder, name));
      if (!stats.isFile()) return [name, stats.isSymbolicLink() ? 'link' : 'folder'];
      return [
        name,
        `${createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex')} ${stats.mtimeMs}`,
      ];
    }),
  );
}

const readJson = (...path: string[]): Record<string, unknown> =>
  JSON.parse(readFileSync(join(...path), 'utf8')) as Record<string, unknown>;

/** Fails unless the folder is the whole pruned checkpoint of `source`. */
async function assertComplete(source: string, out: string): Promise<void> {
  const whole = await openCheckpoint(source);
  const written = await openCheckpoint(out);
  assert.equal(written.architecture?.layers.length, whole.architecture!.layers.length - removed.length);
  const before = readCheckpointTensors(source);
  const after = readCheckpointTensors(out);
  for (const [name, tensor] of before) {
    const at = blockOfTensor(name);
    if (at && removed.includes(at.block)) continue;
    const position = at && at.block - removed.filter((block) => block < at.block).length;
    const renamed = at ? blockTensorName(position!, at.rest) : name;
    assert.deepEqual({ ...after.get(renamed), name }, tensor, name);
    after.delete(renamed);
  }
  assert.deepEqual([...after.keys()], [], 'nothing else is in it');
}

describe('prune/write', () => {
  for (const name of TINY_MODELS) {
    it(`writes ${name} without two blocks; the source stays as it is`, async () => {
      const source = tinyCheckpoint(name);
      const before = fingerprint(source);
      const out = join(temporaryFolder(), 'pruned');
      const result = await prune(source, out);
      assert.deepEqual(fingerprint(source), before);
      await assertComplete(source, out);
      assert.deepEqual(readdirSync(dirname(out)), ['pruned']);
      assert.deepEqual(readdirSync(out).sort(), ['README.md', 'config.json', 'coppice.json', 'model.safetensors']);
      const { architecture } = await openCheckpoint(out);
      const whole = (await openCheckpoint(source)).architecture!;
      assert.deepEqual(architecture, {
        ...whole,
        layers: [whole.layers[0], whole.layers[3]],
      });
      assert.deepEqual(result.kept, [0, 3]);
      assert.deepEqual(result.slices, [
        [0, 1],
        [3, 4],
      ]);
      assert.equal(result.bytesAfter, bytesOnDisk(out));
      assert.equal((await openCheckpoint(out)).size.all, bytesOnDisk(out));
    });
  }

  it('splits what is larger than a shard may be, and indexes it', async () => {
    const source = tinyCheckpoint('llama3-rope');
    const out = join(temporaryFolder(), 'pruned');
    await prune(source, out, { maxShardBytes: 40_000, bufferBytes: 1000 });
    await assertComplete(source, out);
    const index = readJson(out, 'model.safetensors.index.json') as {
      metadata: { total_size: number };
      weight_map: Record<string, string>;
    };
    const shards = [...new Set(Object.values(index.weight_map))];
    assert.ok(shards.length > 2);
    assert.match(shards[0], /^model-00001-of-0000\d\.safetensors$/);
    assert.deepEqual(
      readdirSync(out)
        .filter((file) => file.endsWith('.safetensors'))
        .sort(),
      shards.sort(),
    );
    const { tensors } = await openCheckpoint(out);
    assert.equal(
      index.metadata.total_size,
      [...tensors.values()].reduce((sum, tensor) => sum + tensor.bytes, 0),
    );
  });

  it('shows beforehand what it will save', async () => {
    const source = tinyCheckpoint('llama-gqa-tied');
    const preview = checkpointReduction(await openCheckpoint(source), removed);
    const result = await prune(source, join(temporaryFolder(), 'pruned'));
    assert.equal(preview.parametersAfter, result.parametersAfter);
    assert.ok(Math.abs(preview.bytesAfter - result.bytesAfter) < 4096, 'but for card and record');
    assert.ok(preview.parametersBefore > preview.parametersAfter);
  });

  it('takes tokenizer, generation config, templates and licence along, and nothing else', async () => {
    const source = temporaryFolder();
    writeTinyCheckpoint(source, 'llama-plain', { tokenizer: true });
    const along = [
      'generation_config.json',
      'LICENSE.txt',
      'chat_template.jinja',
      'USE_POLICY.md',
      'tokenizer.model.v3',
    ];
    for (const name of [
      ...along,
      'training_args.bin',
      'optimizer.pt',
      'notes.txt',
      'modeling_x.py',
      'LICENSE.safetensors',
    ]) {
      writeFileSync(join(source, name), name.endsWith('.json') ? '{}' : name);
    }
    mkdirSync(join(source, 'additional_chat_templates'));
    writeFileSync(join(source, 'additional_chat_templates', 'rag.jinja'), 'rag');
    writeFileSync(
      join(source, 'README.md'),
      '---\nlicense: apache-2.0\nlanguage:\n- en\ntags:\n- x\n---\n# Original\n',
    );
    symlinkSync('chat_template.jinja', join(source, 'chat_template.json'));
    const secret = join(temporaryFolder(), 'secret');
    writeFileSync(secret, 'secret');
    symlinkSync(secret, join(source, 'NOTICE'));
    const out = join(temporaryFolder(), 'pruned');
    const result = await prune(source, out);
    const expected = [
      ...along,
      'additional_chat_templates',
      'additional_chat_templates/rag.jinja',
      'chat_template.json',
    ];
    const own = ['README.md', 'config.json', 'coppice.json', 'model.safetensors'];
    const tokenizer = ['tokenizer.json', 'tokenizer_config.json'];
    assert.deepEqual(
      readdirSync(out, { recursive: true, encoding: 'utf8' }).sort(),
      [...expected, ...own, ...tokenizer].sort(),
    );
    assert.equal(readFileSync(join(out, 'chat_template.json'), 'utf8'), 'chat_template.jinja');
    assert.deepEqual(
      result.leftBehind.map(({ name }) => name),
      ['NOTICE'],
    );
    const card = readFileSync(join(out, 'README.md'), 'utf8');
    assert.match(card, /^---\n[\s\S]*license: apache-2\.0\nlanguage:\n- en\ntags:\n- pruned\n[\s\S]*---\n/);
    assert.match(card, /--prune-layers 1,2 /);
    assert.doesNotMatch(card, /- x\n/);
  });

  it('reads a snapshot of the Hugging Face cache through its links to blobs', async () => {
    const cache = join(temporaryFolder(), 'models--some--model');
    const snapshot = join(cache, 'snapshots', 'abc');
    mkdirSync(snapshot, { recursive: true });
    mkdirSync(join(cache, 'blobs'));
    const flat = tinyCheckpoint('mistral-window', { tokenizer: true });
    for (const name of readdirSync(flat)) {
      linkOrCopy(join(flat, name), join(cache, 'blobs', `blob-${name.length}-${name}`));
      symlinkSync(`../../blobs/blob-${name.length}-${name}`, join(snapshot, name));
    }
    const out = join(temporaryFolder(), 'pruned');
    const { leftBehind } = await prune(snapshot, out);
    assert.deepEqual(leftBehind, []);
    await assertComplete(flat, out);
    assert.ok(lstatSync(join(out, 'tokenizer.json')).isFile());
    assert.match(readFileSync(join(out, 'README.md'), 'utf8'), /base_model: "some\/model"/);
    await assert.rejects(prune(snapshot, join(cache, 'blobs', 'pruned')), {
      name: 'UserError',
      why: /inside the source/,
    });
  });

  it('leaves a record without paths of this machine', async () => {
    const source = tinyCheckpoint('llama-plain');
    const out = join(temporaryFolder(), 'pruned');
    const { record } = await prune(source, out, { provenance: { settings: { criterion: 'ppl', count: 2 }, seed: 7 } });
    const read = await readRecord(join(out, 'coppice.json'));
    assert.deepEqual(read, JSON.parse(JSON.stringify(record)));
    assert.equal(read.kind, 'prune');
    assert.equal(read.seed, 7);
    assert.deepEqual(read.settings, { criterion: 'ppl', count: 2, blocks: removed });
    assert.equal(read.inputs[0].identity, (await openCheckpoint(source)).identity);
    assert.deepEqual(read.results.kept, [0, 3]);
    for (const file of ['coppice.json', 'README.md'])
      assert.ok(!readFileSync(join(out, file), 'utf8').includes(dirname(source)));
  });

  describe('refuses', () => {
    const source = (): string => tinyCheckpoint('llama-plain');

    async function refuses(out: string, why: RegExp, from = source()): Promise<void> {
      const before = fingerprint(from);
      await assert.rejects(prune(from, out), (error) => {
        assert.ok(error instanceof UserError, String(error));
        assert.match(error.message, why);
        return true;
      });
      assert.deepEqual(fingerprint(from), before);
    }

    it('an output that exists, be it empty or a dangling link', async () => {
      const parent = temporaryFolder();
      mkdirSync(join(parent, 'empty'));
      writeFileSync(join(parent, 'file'), '');
      symlinkSync('nowhere', join(parent, 'link'));
      for (const name of ['empty', 'file', 'link']) await refuses(join(parent, name), /exists already/);
      assert.deepEqual(readdirSync(parent).sort(), ['empty', 'file', 'link']);
    });

    it('the source, a folder in it, a folder around it, also through links', async () => {
      const parent = temporaryFolder();
      cpSync(source(), join(parent, 'models', 'tiny'), { recursive: true });
      const inner = join(parent, 'models', 'tiny');
      symlinkSync(inner, join(parent, 'alias'));
      await refuses(inner, /it is the source/, inner);
      await refuses(join(inner, 'pruned'), /inside the source/, inner);
      await refuses(join(inner, 'a', 'b', 'pruned'), /inside the source/, inner);
      await refuses(join(parent, 'alias', 'pruned'), /inside the source/, inner);
      await refuses(join(parent, 'models'), /is inside it/, inner);
    });

    it('a path through a file, and a name that is too long', async () => {
      const parent = temporaryFolder();
      writeFileSync(join(parent, 'file'), '');
      await refuses(join(parent, 'file', 'pruned'), /is a file/);
      await refuses(join(parent, 'x'.repeat(300)), /too long/);
      assert.deepEqual(readdirSync(parent), ['file']);
    });

    it('a folder that may not be written to', async function () {
      if (process.platform === 'win32') return this.skip();
      const parent = temporaryFolder();
      chmodSync(parent, 0o555);
      chmodSync(source(), 0o755);
      const isRoot = process.geteuid?.() === 0;
      const before = fingerprint(source());
      // Permissions do not bind root, so root becomes nobody for a moment.
      if (isRoot) process.seteuid!(65534);
      try {
        await assert.rejects(prune(source(), join(parent, 'a', 'pruned')), {
          name: 'UserError',
          why: /no permission to write/,
        });
      } finally {
        if (isRoot) process.seteuid!(0);
        chmodSync(parent, 0o755);
      }
      assert.deepEqual(readdirSync(parent), []);
      assert.deepEqual(fingerprint(source()), before);
    });

    it('unknown blocks and all blocks', async () => {
      const checkpoint = await openCheckpoint(source());
      const out = join(temporaryFolder(), 'pruned');
      for (const blocks of [[4], [-1], [0.5], [], [0, 1, 2, 3]]) {
        await assert.rejects(writePruned(checkpoint, blocks, out), UserError);
      }
      assert.ok(!existsSync(out));
    });
  });

  describeSmallDisk('a full disk', 3, (disk) => {
    it('is noticed before anything is written', async () => {
      writeFileSync(join(disk(), 'filler'), Buffer.alloc(2_500_000));
      await assert.rejects(prune(tinyCheckpoint('llama-plain'), join(disk(), 'a', 'b')), {
        name: 'UserError',
        why: /needs \d+ bytes and the disk has \d+ free/,
      });
      assert.deepEqual(readdirSync(disk()), ['filler']);
      rmSync(join(disk(), 'filler'));
    });

    it('is survived when it fills up meanwhile', async () => {
      const fill = (): void => {
        try {
          writeFileSync(join(disk(), 'filler'), Buffer.alloc(4_000_000));
        } catch {
          // that is the point
        }
      };
      const writing = prune(tinyCheckpoint('llama-plain'), join(disk(), 'a', 'b'), {
        bufferBytes: 4096,
        onProgress: fill,
      });
      await assert.rejects(writing, { name: 'UserError', why: /disk is full/ });
      assert.deepEqual(readdirSync(disk()), ['filler']);
    });
  });

  it('leaves nothing when cancelled, at whatever moment', async () => {
    const parent = temporaryFolder();
    const source = tinyCheckpoint('llama-plain');
    const count = countingSignal(Infinity);
    await prune(source, join(parent, 'counted'), { signal: count.signal, bufferBytes: 4096 });
    rmSync(join(parent, 'counted'), { recursive: true });
    const next = uniform(11);
    for (const moment of [
      0,
      1,
      count.reads() - 1,
      ...Array.from({ length: 12 }, () => Math.floor(next() * count.reads())),
    ]) {
      const { signal } = countingSignal(moment);
      await assert.rejects(prune(source, join(parent, 'new', 'pruned'), { signal, bufferBytes: 4096 }), CancelledError);
      assert.deepEqual(readdirSync(parent), [], `cancelled at ${moment}`);
    }
  });

  it('killed at any moment, leaves no output or a whole one, and the next attempt clears up', async () => {
    const parent = temporaryFolder();
    const source = tinyCheckpoint('llama-plain', { shards: 3 });
    const before = fingerprint(source);
    const out = join(parent, 'pruned');
    const count = countingSignal(Infinity);
    await prune(source, out, { signal: count.signal, bufferBytes: 4096 });
    const next = uniform(5);
    const moments = Array.from({ length: full ? 6 : 1 }, () => Math.floor(next() * count.reads()));
    for (const moment of [...moments, count.reads() - 1]) {
      rmSync(out, { recursive: true, force: true });
      assert.equal(await killedWrite(source, out, { moment }), 'SIGKILL');
      assert.ok(!existsSync(out), `killed at ${moment}`);
      assert.equal(readdirSync(parent).length, 1, 'only the latest unfinished folder');
      assert.match(readdirSync(parent)[0], /^\.pruned-.*\.coppice-partial$/);
      assert.deepEqual(fingerprint(source), before);
    }
    for (let i = 0; i < (full ? 4 : 1); i++) {
      // From outside, at a random time, the rename included.
      rmSync(out, { recursive: true, force: true });
      await killedWrite(source, out, { milliseconds: 60 * next() });
      if (existsSync(out)) await assertComplete(source, out);
      assert.deepEqual(fingerprint(source), before);
    }
    rmSync(out, { recursive: true, force: true });
    await prune(source, out);
    await assertComplete(source, out);
    assert.deepEqual(readdirSync(parent), ['pruned']);
  });
});

/** A signal that is aborted from its read number `moment` on; `reads` tells how often it was read. */
function countingSignal(moment: number): { signal: AbortSignal; reads: () => number } {
  let reads = 0;
  const signal = Object.defineProperty(new AbortController().signal, 'aborted', { get: () => reads++ >= moment });
  return { signal, reads: () => reads };
}

/** Prunes in another process, which is killed at a read of its signal or some time after it started writing. */
async function killedWrite(
  source: string,
  out: string,
  when: { readonly moment: number } | { readonly milliseconds: number },
): Promise<NodeJS.Signals | null> {
  const url = (path: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, path)).href);
  const script = `
    const { openCheckpoint } = await import(${url('../../../src/engine/checkpoint/open.ts')});
    const { writePruned } = await import(${url('../../../src/engine/write/write-pruned.ts')});
    const checkpoint = await openCheckpoint(${JSON.stringify(source)});
    let reads = 0;
    const signal = { get aborted() {
      if (reads++ === ${'moment' in when ? when.moment : Infinity}) process.kill(process.pid, 'SIGKILL');
      return false;
    } };
    process.stdout.write('started');
    await writePruned(checkpoint, ${JSON.stringify(removed)}, ${JSON.stringify(out)}, { signal, bufferBytes: 4096 });`;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.once('data', () => {
    if ('milliseconds' in when) setTimeout(() => child.kill('SIGKILL'), when.milliseconds);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (_code, signal) => resolve(signal));
  });
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    cpSync(from, to);
  }
}
