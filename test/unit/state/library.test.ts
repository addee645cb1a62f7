/** What the library is made of: openings that are overtaken by a change, one name for one model, globs. */
import assert from 'node:assert/strict';
import { copyFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { canonicalPath } from '../../../src/state/canonical';
import { CheckpointCache, isOf } from '../../../src/state/checkpoint-cache';
import { anyOf } from '../../../src/state/globs';
import { layOutGguf, SOUND } from '../../support/gguf-files';
import { temporaryFolder } from '../../support/temporary';
import { ownTinyCheckpoint, tinyCheckpoint } from '../../support/tiny-models';

/** Openings that end when the test says so. */
function slowCache(): { readonly cache: CheckpointCache; readonly ends: ((with_: Checkpoint | Error) => void)[] } {
  const ends: ((with_: Checkpoint | Error) => void)[] = [];
  const cache = new CheckpointCache(
    () =>
      new Promise((resolve, reject) => {
        ends.push((result) => (result instanceof Error ? reject(result) : resolve(result)));
      }),
  );
  return { cache, ends };
}

describe('opened checkpoints', () => {
  let before: Checkpoint;
  let after: Checkpoint;
  beforeEach(async () => {
    before = await openCheckpoint(tinyCheckpoint('llama-gqa-tied'));
    after = await openCheckpoint(tinyCheckpoint('llama-plain'));
  });

  it('are opened again for changes of their own files, not for models that are written beside them', () => {
    const changed: readonly (readonly [string, string, boolean])[] = [
      ['m', 'm/model.safetensors', true],
      ['m', 'm/config.json', true],
      ['m', 'm-q8_0.gguf', false],
      ['m', 'm-short/model.safetensors', false],
      ['m.gguf', 'm.gguf', true],
      ['m.gguf', 'm-q8_0.gguf', false],
      ['m.gguf', 'config.json', false],
      ['m-00001-of-00002.gguf', 'm-00002-of-00002.gguf', true],
      ['m/model.safetensors.index.json', 'm/model-00002-of-00002.safetensors', true],
      ['m/model.safetensors', 'm/config.json', true],
      ['m/model.safetensors', 'm/m.gguf', false],
    ];
    for (const [path, file, is] of changed)
      assert.equal(isOf(join('/models', path), join('/models', file)), is, `${file} of ${path}`);
  });

  it('are opened once', async () => {
    const { cache, ends } = slowCache();
    const both = [cache.load('m'), cache.load('m')];
    assert.equal(ends.length, 1);
    assert.equal(cache.peek('m'), undefined);
    ends[0](before);
    assert.deepEqual(await Promise.all(both), [before, before]);
    assert.equal(cache.peek('m'), before);
  });

  it('are not what they were while they were being opened', async () => {
    const { cache, ends } = slowCache();
    const early = cache.load('m');
    cache.forget('m');
    const late = cache.load('m');
    ends[1](after);
    ends[0](before);
    assert.deepEqual(await Promise.all([early, late]), [before, after]);
    assert.equal(cache.peek('m'), after);
  });

  it('do not come back once they are forgotten', async () => {
    const { cache, ends } = slowCache();
    const early = cache.load('m');
    cache.forget('m');
    ends[0](before);
    await early;
    assert.equal(cache.peek('m'), undefined);
    assert.deepEqual(cache.paths, []);
  });

  it('are tried again when they could not be opened, which an older failure does not undo', async () => {
    const { cache, ends } = slowCache();
    const early = assert.rejects(cache.load('m'));
    cache.forget('m');
    const late = cache.load('m');
    ends[0](new Error('gone'));
    await early;
    assert.equal(cache.load('m'), late);
    ends[1](new Error('gone'));
    await assert.rejects(late);
    void cache.load('m');
    assert.equal(ends.length, 3);
  });
});

describe('the name of a model', () => {
  it('is its folder, whichever of its files was named', async () => {
    const folder = tinyCheckpoint('llama-gqa-tied');
    for (const name of ['', 'model.safetensors', 'config.json']) {
      assert.equal(await canonicalPath(join(folder, name)), folder);
    }
    await assert.rejects(canonicalPath(join(folder, 'nothing', 'config.json')), { name: 'UserError' });
  });

  it('is a file where the folder opens another one, or none', async () => {
    const folder = ownTinyCheckpoint('llama-plain');
    renameSync(join(folder, 'model.safetensors'), join(folder, 'a.safetensors'));
    assert.equal(await canonicalPath(join(folder, 'a.safetensors')), folder);
    copyFileSync(join(folder, 'a.safetensors'), join(folder, 'b.safetensors'));
    assert.equal(await canonicalPath(join(folder, 'a.safetensors')), join(folder, 'a.safetensors'));
  });
});

describe('the name of a model in GGUF files', () => {
  it('is the first of its files, whichever was named, also where it is alone in its folder', async () => {
    const folder = temporaryFolder();
    const parts = [1, 2].map((n) => join(folder, `big-0000${n}-of-00002.gguf`));
    for (const part of parts) writeFileSync(part, layOutGguf(SOUND));
    for (const named of [folder, ...parts]) assert.equal(await canonicalPath(named), parts[0]);
    rmSync(parts[0]);
    await assert.rejects(canonicalPath(parts[1]), { name: 'UserError', what: /missing: big-00001-of-00002\.gguf/ });
  });

  it('is never a folder that holds a checkpoint in safetensors too', async () => {
    const folder = ownTinyCheckpoint('llama-plain');
    writeFileSync(join(folder, 'same.gguf'), layOutGguf(SOUND));
    assert.equal(await canonicalPath(join(folder, 'same.gguf')), join(folder, 'same.gguf'));
    assert.equal(await canonicalPath(folder), folder);
  });
});

describe('globs together', () => {
  it('are one, without braces in braces', () => {
    assert.equal(anyOf([]), undefined);
    assert.equal(anyOf(['**/a/**', '**/b']), '{**/a/**,**/b}');
    assert.equal(anyOf(['**/{a,b{c,d}}/**', 'e']), '{**/a/**,**/bc/**,**/bd/**,e}');
    assert.equal(anyOf(['**/{a', '']), '{**/a}');
  });
});
