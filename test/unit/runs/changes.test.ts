/** What a run read: where it lies, as its record says, and whether it is still the same. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { InputWatch } from '../../../src/engine/runs/changes';
import { withPlaces } from '../../../src/engine/runs/places';
import { modelInput, type RunInput } from '../../../src/engine/runs/record';
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

describe('changes of inputs', () => {
  const folder = temporaryFolder();
  const runs = join(folder, 'runs');
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const input = (role: string, name: string, hash: string): RunInput => {
    return { role, name, sha256: hash, place: join('..', name) };
  };

  it('are told for texts and training data, once each', async () => {
    write('prose.txt', 'one');
    write('data.jsonl', '{}');
    const read = [input('calibration', 'prose.txt', sha256('one')), input('data', 'data.jsonl', sha256('{}'))];
    const watch = new InputWatch();
    assert.deepEqual(await watch.changed(read, runs), []);
    write('prose.txt', 'two, which is longer');
    assert.deepEqual(await watch.changed([...read, read[0]], runs), ['prose.txt has changed since']);
    write('prose.txt', 'one');
    assert.deepEqual(await watch.changed(read, runs), [], 'put back');
    rmSync(join(folder, 'data.jsonl'));
    assert.deepEqual(await watch.changed(read, runs), ['data.jsonl is no longer there']);
  });

  it('are told for adapters', async () => {
    mkdirSync(join(folder, 'adapter'));
    write('adapter/adapter_model.safetensors', 'weights');
    const adapter = input('adapter', 'adapter', sha256('weights'));
    const watch = new InputWatch();
    assert.deepEqual(await watch.changed([adapter], runs), []);
    write('adapter/adapter_model.safetensors', 'others and more');
    assert.deepEqual(await watch.changed([adapter], runs), ['adapter has changed since']);
  });

  it('are told for checkpoints, by their identity', async () => {
    const [first, second] = [ownTinyCheckpoint('llama-gqa-tied'), ownTinyCheckpoint('mistral-window')];
    const model = { ...modelInput(await openCheckpoint(first)), place: first };
    const watch = new InputWatch();
    assert.deepEqual(await watch.changed([model], runs), []);
    rmSync(first, { recursive: true });
    assert.deepEqual(await watch.changed([model], runs), ['the model is no longer there']);
    renameSync(second, first);
    assert.deepEqual(await watch.changed([model], runs), ['the model has changed since']);
    const now = { ...model, place: undefined };
    assert.deepEqual(await watch.changed([model], runs, [now]), [], 'what is known is not looked up');
  });

  it('are not told where nothing is known', async () => {
    const { place: _, ...nowhere } = input('text', 'prose.txt', 'abc');
    const unhashed = { role: 'text', name: 'prose.txt', place: 'prose.txt' };
    assert.deepEqual(await new InputWatch().changed([nowhere, unhashed], runs), []);
  });
});
