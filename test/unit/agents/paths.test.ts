/** Which paths an agent may use: those inside the roots, whatever links and dots say. */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { guardedPaths } from '../../../src/agents/paths';
import type { UserError } from '../../../src/engine/errors';
import { temporaryFolder } from '../../support/temporary';

const outside = (error: UserError): boolean => error.why.includes('outside the folders');

describe('paths of agents', () => {
  const folder = temporaryFolder();
  const root = join(folder, 'root');
  const other = join(folder, 'other');
  mkdirSync(join(root, 'model'), { recursive: true });
  mkdirSync(other);
  writeFileSync(join(root, 'model', 'config.json'), '{}');
  writeFileSync(join(root, 'model', 'model.safetensors'), '');
  writeFileSync(join(other, 'secret.txt'), 'x');
  const paths = guardedPaths([root]);

  it('start at the first root', async () => {
    assert.equal(await paths.read('model'), join(root, 'model'));
    assert.equal(await paths.read(join(root, 'model')), join(root, 'model'));
    assert.equal(await guardedPaths([root, other]).read(join(other, 'secret.txt')), join(other, 'secret.txt'));
    assert.equal(await paths.write('new/deep/model'), join(root, 'new/deep/model'));
  });

  it('end at the roots, and the error says which there are', async () => {
    for (const path of [
      '..',
      '../other/secret.txt',
      join(other, 'secret.txt'),
      parse(folder).root,
      'model/../../other',
      `${root}2`,
    ]) {
      await assert.rejects(paths.read(path), (error: UserError) => outside(error) && error.action.includes(root), path);
      await assert.rejects(paths.write(path), outside, path);
    }
    await assert.rejects(guardedPaths([]).read('model'), /no folder is open/);
    await assert.rejects(paths.read('model\0/x'), outside);
  });

  it('count where links lead, also above a file that is not there yet', async () => {
    symlinkSync(other, join(root, 'way'), 'junction');
    symlinkSync(join(root, 'model'), join(root, 'same'), 'junction');
    assert.equal(await paths.read('same'), join(root, 'same'));
    for (const path of ['way', 'way/secret.txt', 'way/new/file']) {
      await assert.rejects(paths.read(path), outside, path);
      await assert.rejects(paths.write(path), outside, path);
    }
    if (process.platform !== 'win32') {
      symlinkSync(join(other, 'not-there'), join(root, 'nowhere'));
      await assert.rejects(paths.write('nowhere'), outside);
    }
  });

  it('count where the files of a folder lead, and those beside a file of a checkpoint', async function () {
    if (process.platform === 'win32') return this.skip(); // links to files need rights
    const put = (folder: string, name: string, target: string): string => {
      mkdirSync(folder, { recursive: true });
      symlinkSync(target, join(folder, name));
      return folder;
    };
    const secret = join(other, 'secret.txt');
    const data = put(join(root, 'tasks'), 'hellaswag_val.jsonl', secret);
    const weights = put(join(root, 'linked'), 'model.safetensors', secret);
    writeFileSync(join(weights, 'config.json'), '{}');
    const deep = put(join(root, 'deep/onnx'), 'model.onnx_data', secret);
    for (const path of [data, weights, join(weights, 'config.json'), join(deep, '..')]) {
      await assert.rejects(paths.read(path), /is a link that leads outside the folders that are open/, path);
    }
    // Unrelated links beside a text, links inside, and those of Hugging Face's cache are fine.
    writeFileSync(join(data, 'a.txt'), 'x');
    await paths.read(join(data, 'a.txt'));
    await paths.read(put(join(root, 'inside'), 'config.json', join(root, 'model/config.json')));
    const cache = join(folder, 'hub/models--a--b');
    mkdirSync(join(cache, 'blobs'), { recursive: true });
    writeFileSync(join(cache, 'blobs/1'), '');
    const snapshot = put(join(cache, 'snapshots/c'), 'config.json', '../../blobs/1');
    await guardedPaths([snapshot]).read(snapshot);
    put(snapshot, 'model.safetensors', secret);
    await assert.rejects(guardedPaths([snapshot]).read(snapshot), /leads outside/);
  });

  it('may be a link themselves', async () => {
    const link = join(folder, 'link');
    symlinkSync(root, link, 'junction');
    assert.equal(await guardedPaths([link]).read('model'), join(link, 'model'));
  });

  it('are never written inside a checkpoint, nor through a link to one', async () => {
    for (const path of ['model/short', 'model/deep/short', 'same/short']) {
      await assert.rejects(paths.write(path), /has a checkpoint, and Coppice never writes there/, path);
    }
    assert.equal(await paths.write('model-short'), join(root, 'model-short'));
  });
});
