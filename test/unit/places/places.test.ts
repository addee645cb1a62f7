/** Where each place is, and what would be written there, from fixed folders; nothing is written. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nameOf, type PlacedModel, requireName } from '../../../src/places/model';
import type { Around, PlaceName } from '../../../src/places/place';
import { snapshotOf } from '../../../src/places/hugging-face';
import { PLACES } from '../../../src/places/places';
import { temporaryFolder } from '../../support/temporary';

const file = (path: string, bytes = 5): { path: string; file: string; bytes: number } => ({
  path,
  file: `/m/${path}`,
  bytes,
});
const GGUF: PlacedModel = { kind: 'gguf', path: '/m/a.gguf', files: [file('a.gguf')] };

function home(...folders: readonly string[]): Around {
  const made = temporaryFolder();
  for (const folder of folders) mkdirSync(join(made, folder), { recursive: true });
  return { env: { PATH: '' }, home: made };
}

const at = async (name: PlaceName, around: Around): Promise<string | undefined> => (await PLACES[name].find(around)).at;

describe('places', () => {
  it('are where their programs have been', async () => {
    const around = home('.lmstudio', '.aitk', '.foundry', '.cache/huggingface');
    assert.equal(await at('lm-studio', around), join(around.home, '.lmstudio', 'models'));
    assert.equal(await at('ai-toolkit', around), join(around.home, '.aitk', 'models'));
    assert.equal(await at('foundry-local', around), join(around.home, '.foundry', 'cache', 'models'));
    assert.equal(await at('hugging-face', around), join(around.home, '.cache', 'huggingface', 'hub'));
  });

  it('that are not there say why, and what to do', async () => {
    const around = home();
    for (const place of Object.values(PLACES)) {
      const found = await place.find(around);
      assert.equal(found.at, undefined, place.name);
      assert.ok(
        !('at' in found && found.at) && 'why' in found && /^(there is no|no folder)/.test(found.why),
        place.name,
      );
      assert.match('todo' in found ? found.todo : '', /\.$/);
    }
  });

  it('follow what the programs themselves read', async () => {
    const around = home('.lmstudio', 'elsewhere', 'moved', 'hf');
    const { home: folder } = around;
    writeFileSync(join(folder, '.lmstudio-home-pointer'), `${join(folder, 'elsewhere')}\n`);
    assert.equal(await at('lm-studio', around), join(folder, 'elsewhere', 'models'));
    writeFileSync(
      join(folder, 'elsewhere', 'settings.json'),
      JSON.stringify({ downloadsFolder: join(folder, 'moved') }),
    );
    assert.equal(await at('lm-studio', around), join(folder, 'moved'));
    const env = { PATH: '', HF_HOME: join(folder, 'hf') };
    assert.equal(await at('hugging-face', { ...around, env }), join(folder, 'hf', 'hub'));
    assert.equal(
      await at('hugging-face', { ...around, env: { PATH: '', HF_HUB_CACHE: join(folder, 'hf') } }),
      join(folder, 'hf'),
    );
    assert.equal(await at('lm-studio', { ...around, folder: join(folder, 'hf') }), join(folder, 'hf'));
    assert.equal(await at('lm-studio', { ...around, folder: join(folder, 'no') }), undefined);
  });

  it('that are programs are found on the PATH, not in the current folder', async function () {
    if (process.platform === 'win32') this.skip();
    const around = home('bin', 'app');
    for (const name of ['ollama', 'llama-server']) {
      writeFileSync(join(around.home, 'bin', name), '#!/bin/sh\n');
      chmodSync(join(around.home, 'bin', name), 0o755);
    }
    const env = { PATH: join(around.home, 'bin') };
    assert.equal(await at('ollama', { ...around, env }), join(around.home, 'bin', 'ollama'));
    assert.equal(await at('ollama', { ...around, env: { PATH: 'bin' } }), undefined);
    assert.equal(await at('llama-server', { ...around, env }), undefined); // no folder is open
    const app = join(around.home, 'app');
    assert.equal(await at('llama-server', { ...around, env, folder: app }), app);
  });

  it('of LM Studio have three levels', async () => {
    const plan = await PLACES['lm-studio'].plan(GGUF, '/models', 'a', {});
    assert.deepEqual(plan.change, { kind: 'folder', out: join('/models', 'coppice', 'a'), files: GGUF.files });
    assert.equal(plan.copies, 'lms load a');
  });

  it('of AI Toolkit have four levels, of Foundry Local two; both describe the model last', async () => {
    const path = temporaryFolder();
    const model: PlacedModel = { kind: 'onnx', path, files: [file('genai_config.json'), file('onnx/model.onnx')] };
    const outs = { 'ai-toolkit': ['coppice', 'a', 'cpu', 'a'], 'foundry-local': ['coppice', 'a'] } as const;
    for (const name of ['ai-toolkit', 'foundry-local'] as const) {
      const { change, notes } = await PLACES[name].plan(model, '/models', 'a', {});
      assert.ok(change.kind === 'folder');
      assert.equal(change.out, join('/models', ...outs[name]));
      assert.deepEqual(
        change.files.map((each) => each.path),
        ['genai_config.json', 'onnx/model.onnx', 'inference_model.json'],
      );
      const last = change.files.at(-1)!;
      assert.deepEqual(JSON.parse('text' in last ? last.text : ''), { Name: 'a', PromptTemplate: null });
      assert.match(notes[0], /no chat template/);
    }
    assert.equal(existsSync('/models'), false);
  });

  it('of Hugging Face consist of blobs, links and a name for the revision', () => {
    const digests = [
      { ...file('config.json'), sha256: 'a'.repeat(64) },
      { ...file('sub/x.jinja'), sha256: 'b'.repeat(64) },
    ];
    const files = snapshotOf(digests, true);
    const revision = /^snapshots\/([0-9a-f]{40})\//.exec(files[2].path)![1];
    assert.deepEqual(files, [
      { path: `blobs/${'a'.repeat(64)}`, file: '/m/config.json', bytes: 5 },
      { path: `blobs/${'b'.repeat(64)}`, file: '/m/sub/x.jinja', bytes: 5 },
      { path: `snapshots/${revision}/config.json`, link: `../../blobs/${'a'.repeat(64)}` },
      { path: `snapshots/${revision}/sub/x.jinja`, link: `../../../blobs/${'b'.repeat(64)}` },
      { path: 'refs/main', text: revision },
    ]);
    const plain = snapshotOf(digests, false).map((each) => ('file' in each ? each.path.split('/').at(-1) : each.path));
    assert.deepEqual(plain, ['config.json', 'x.jinja', 'refs/main']);
    const other = snapshotOf([{ ...digests[0], sha256: 'c'.repeat(64) }], true);
    assert.notEqual(other.at(-1), files.at(-1)); // another content is another revision
  });

  it('take names that every program takes', () => {
    assert.equal(nameOf('/x/Smol LM--2.gguf'), 'Smol-LM-2');
    assert.equal(nameOf('/x/m-00001-of-00003.gguf'), 'm');
    assert.equal(nameOf('/x/…'), 'model');
    assert.equal(requireName('stories-1.5'), 'stories-1.5');
    for (const name of ['', '..', '../a', 'a/b', 'a--b', 'a..b', 'a'.repeat(81), '-a', 'a b'])
      assert.throws(() => requireName(name), /cannot be the name/);
  });
});
