/** What a run read: where it lies, as its record says, and whether it is still the same. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, realpathSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { CancelledError } from '../../../src/engine/errors';
import { InputWatch } from '../../../src/engine/records/changes';
import { followPlace, withPlaces } from '../../../src/engine/records/places';
import { modelInput, type RunInput } from '../../../src/engine/records/record';
import { temporaryFolder } from '../../support/temporary';
import { ownTinyCheckpoint } from '../../support/tiny-models';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('places of inputs', () => {
  const text: RunInput = { role: 'calibration', name: 'prose.txt', sha256: 'abc' };

  it('are those that the run was asked to read, seen from the record', () => {
    const root = temporaryFolder();
    const [file, runs] = [join(root, 'data/prose.txt'), join(root, '.coppice/runs')];
    const asked = { kind: 'score', calibration: { file, samples: 10 }, threads: null };
    assert.deepEqual(withPlaces([text], asked, runs), [{ ...text, place: join('..', '..', 'data', 'prose.txt') }]);
  });

  it('name models by folder, file or repository', () => {
    const cache = join(temporaryFolder(), 'models--org--toy', 'snapshots', 'abc');
    const model: RunInput = { role: 'model', name: 'org/toy', identity: 'id' };
    for (const path of [cache, join(cache, 'model.safetensors')]) {
      assert.equal(withPlaces([model], [path], cache)[0].place, relative(cache, path));
    }
    const folder = temporaryFolder();
    for (const name of ['big.gguf', 'big-00001-of-00002.gguf']) {
      const of = withPlaces([{ ...model, name: 'big' }], [join(folder, name)], folder);
      assert.equal(of[0].place, name);
    }
  });

  it('are not made of names: what is no path begins at no folder of the process', () => {
    const asked = { choice: { calibration: { name: 'prose.txt', sha256: 'abc' } } };
    assert.deepEqual(withPlaces([text], asked, '/runs'), [text]);
    assert.equal(withPlaces([text], ['prose.txt'], '/runs', '/data')[0].place, join('..', 'data', 'prose.txt'));
  });

  it('are left out where two paths could be meant, or none', () => {
    assert.deepEqual(withPlaces([text], ['/a/prose.txt', '/b/prose.txt'], '/runs'), [text]);
    assert.deepEqual(withPlaces([text], { calibration: '/a/verse.txt' }, '/runs'), [text]);
  });
});

describe('places of records', () => {
  const root = temporaryFolder();
  const [workspace, elsewhere] = [join(root, 'workspace'), join(root, 'elsewhere')];
  const runs = join(workspace, '.coppice/runs');
  for (const folder of [runs, elsewhere, join(workspace, 'kept')]) mkdirSync(folder, { recursive: true });
  for (const folder of [workspace, elsewhere]) writeFileSync(join(folder, 'prose.txt'), 'one');

  it('are followed in the workspace whose runs they are, else below the record', async () => {
    const prose = { path: realpathSync(join(workspace, 'prose.txt')) };
    assert.deepEqual(await followPlace('../../prose.txt', runs, []), prose);
    assert.equal(await followPlace('../prose.txt', join(workspace, 'kept'), []), 'outside');
    assert.deepEqual(await followPlace('../prose.txt', join(workspace, 'kept'), [workspace]), prose);
    assert.equal(await followPlace('../../verse.txt', runs, []), 'gone');
  });

  it('are not followed out of them, by no way', async () => {
    for (const place of ['../../../elsewhere/prose.txt', join(elsewhere, 'prose.txt'), '/dev/zero', '//other/share']) {
      assert.equal(await followPlace(place, runs, [workspace]), 'outside', place);
    }
    assert.equal(await followPlace('../../../elsewhere/no-such-file', runs, []), 'outside', 'nor asked whether it is');
    symlinkSync(elsewhere, join(workspace, 'link'));
    assert.equal(await followPlace('../../link/prose.txt', runs, []), 'outside', 'a link');
    const found = await followPlace('../../link/prose.txt', runs, [elsewhere]);
    assert.deepEqual(found, { path: realpathSync(join(elsewhere, 'prose.txt')) });
  });
});

describe('changes of inputs', () => {
  const folder = temporaryFolder();
  const runs = join(folder, 'runs');
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const input = (role: string, name: string, hash: string): RunInput => {
    return { role, name, sha256: hash, place: join('..', name) };
  };

  const changed = async (watch: InputWatch, inputs: RunInput[], known: RunInput[] = []): Promise<readonly string[]> => {
    const { changed, unchecked } = await watch.check(inputs, runs, { known, given: [folder, tmpdir()] });
    assert.deepEqual(unchecked, []);
    return changed;
  };

  it('are told for texts and training data, once each', async () => {
    write('prose.txt', 'one');
    write('data.jsonl', '{}');
    const read = [input('calibration', 'prose.txt', sha256('one')), input('data', 'data.jsonl', sha256('{}'))];
    const watch = new InputWatch();
    assert.deepEqual(await changed(watch, read), []);
    write('prose.txt', 'two, which is longer');
    assert.deepEqual(await changed(watch, [...read, read[0]]), ['prose.txt has changed since']);
    write('prose.txt', 'one');
    assert.deepEqual(await changed(watch, read), [], 'put back');
    rmSync(join(folder, 'data.jsonl'));
    assert.deepEqual(await changed(watch, read), ['data.jsonl is no longer there']);
  });

  it('are told for adapters', async () => {
    mkdirSync(join(folder, 'adapter'));
    write('adapter/adapter_model.safetensors', 'weights');
    const adapter = input('adapter', 'adapter', sha256('weights'));
    const watch = new InputWatch();
    assert.deepEqual(await changed(watch, [adapter]), []);
    write('adapter/adapter_model.safetensors', 'others and more');
    assert.deepEqual(await changed(watch, [adapter]), ['adapter has changed since']);
  });

  it('are told for checkpoints, by their identity', async () => {
    const [first, second] = [ownTinyCheckpoint('llama-gqa-tied'), ownTinyCheckpoint('mistral-window')];
    const model = { ...modelInput(await openCheckpoint(first)), place: first };
    const watch = new InputWatch();
    assert.deepEqual(await changed(watch, [model]), []);
    rmSync(first, { recursive: true });
    assert.deepEqual(await changed(watch, [model]), ['the model is no longer there']);
    renameSync(second, first);
    assert.deepEqual(await changed(watch, [model]), ['the model has changed since']);
    const now = { ...model, place: undefined };
    assert.deepEqual(await changed(watch, [model], [now]), [], 'what is known is not looked up');
  });

  it('are not looked for elsewhere, which is told apart', async () => {
    write('prose.txt', 'one');
    const outside = { ...input('text', 'zero', 'abc'), place: '/dev/zero' };
    const check = new InputWatch().check([outside, input('text', 'prose.txt', 'abc')], runs, { given: [] });
    const why = 'was not checked: it is outside the folders that Coppice searches';
    assert.deepEqual(await check, { changed: [], unchecked: [`zero ${why}`, `prose.txt ${why}`] });
  });

  it('are told, without waiting, where a file has become something else', async function () {
    if (process.platform === 'win32') this.skip();
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const pipe = input('text', 'pipe', 'abc');
    const words = 'pipe can no longer be read: it is a pipe, not a regular file';
    assert.deepEqual(await changed(new InputWatch(), [pipe]), [words]);
    const devices = await new InputWatch().check([{ ...pipe, place: '/dev/zero' }], runs, { given: ['/dev'] });
    assert.deepEqual(devices.changed, ['pipe can no longer be read: it is a device, not a regular file']);
  });

  it('are not told of files that are too large to be an input', async () => {
    const file = join(folder, 'large');
    writeFileSync(file, '');
    truncateSync(file, 5 * 2 ** 30); // takes no room: it is one hole
    const { unchecked } = await new InputWatch().check([input('data', 'large', 'abc')], runs, { given: [folder] });
    assert.deepEqual(unchecked, ['large was not checked: it has 5368709120 bytes, too many to be hashed']);
  });

  it('end with the signal', async () => {
    const file = join(folder, 'long');
    writeFileSync(file, '');
    truncateSync(file, 2 ** 30);
    const controller = new AbortController();
    let pieces = 0;
    const onProgress = (): void => {
      pieces++;
      controller.abort();
    };
    const job = { signal: controller.signal, onProgress };
    const check = new InputWatch().check([input('data', 'long', 'abc')], runs, { given: [folder], job });
    await assert.rejects(check, CancelledError);
    assert.equal(pieces, 1);
    const model = { ...modelInput(await openCheckpoint(ownTinyCheckpoint('llama-plain'))), role: 'teacher' };
    const place = ownTinyCheckpoint('mistral-window');
    const look = new InputWatch().check([{ ...model, place }], runs, { given: [place], job });
    await assert.rejects(look, CancelledError);
  });

  it('are not told where nothing is known', async () => {
    const { place: _, ...nowhere } = input('text', 'prose.txt', 'abc');
    const unhashed = { role: 'text', name: 'prose.txt', place: 'prose.txt' };
    assert.deepEqual(await changed(new InputWatch(), [nowhere, unhashed]), []);
  });
});
