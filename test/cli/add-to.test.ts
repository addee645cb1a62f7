/** `coppice add-to`, with a home folder of its own: what it writes, refuses, and takes back. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { buildCli, coppice, type CliResult, startCoppice } from '../support/built-cli';
import { temporaryFolder } from '../support/temporary';

const SAMPLE = resolve('media/sample');

/** Behaves as Ollama does for the four commands that Coppice runs; models are files of its folder. */
const OLLAMA = `#!/bin/sh
store="$(dirname "$0")/store"; mkdir -p "$store"
echo "$@" >> "$(dirname "$0")/calls"
case "$1" in
  show) if [ -f "$store/$2" ]; then cat "$store/$2"; else echo "Error: model '$2' not found" >&2; exit 1; fi;;
  create) cp "$4" "$store/$2";;
  rm) rm "$store/$2";;
esac
`;

/** All but what the start of the command line keeps. */
const isOther = (file: string): boolean => !file.startsWith('coppice-cache/compiled/');

const filesUnder = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => !statSync(join(folder, name)).isDirectory())
    .sort();

describe('command line: add-to', function () {
  this.timeout(120_000);
  let work: string;
  let home: string;

  before(async () => {
    buildCli();
    work = temporaryFolder();
    const blocks = ['--remove', '4-6', '--no-verify'];
    for (const [out, ...args] of [
      ['short.gguf', '--format', 'gguf', '--type', 'q8_0'],
      ['short-onnx', '--format', 'onnx', '--type', 'q8,fp32'],
      ['short', '--format', 'safetensors'],
    ]) {
      const { code, stderr } = await coppice(['export', SAMPLE, ...blocks, ...args, '--out', join(work, out)]);
      assert.equal(code, 0, stderr);
    }
  });

  beforeEach(() => {
    home = temporaryFolder();
  });

  const addTo = (args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> =>
    coppice(['add-to', ...args], { cwd: work, env: environment(env) });
  const environment = (env: Record<string, string>): Record<string, string> => ({
    ...{ HOME: home, COPPICE_CACHE: join(home, 'coppice-cache') },
    ...env,
  });
  const make = (...folders: readonly string[]): void => {
    for (const folder of folders) mkdirSync(join(home, folder), { recursive: true });
  };

  it('lists every place, and why it is not there', async () => {
    make('.lmstudio');
    const { code, stdout } = await addTo(['--list', 'short.gguf', '--json'], { PATH: '' });
    assert.equal(code, 0);
    const { places } = JSON.parse(stdout) as {
      places: { place: string; there: boolean; where?: string; why?: string }[];
    };
    assert.deepEqual(
      places.map(({ place, there }) => [place, there]),
      [
        ['ollama', false],
        ['lm-studio', true],
        ['ai-toolkit', false],
        ['foundry-local', false],
        ['hugging-face', false],
        ['llama-server', false],
      ],
    );
    assert.equal(places[1].where, join(home, '.lmstudio', 'models', 'coppice', 'short'));
    assert.match(places[2].why!, /ONNX folders/);
    const plain = await addTo([], { PATH: '' });
    assert.match(plain.stdout, /ai-toolkit +no: there is no folder ~\/\.aitk/);
  });

  it('says what it would write and writes nothing; then writes it, once, and takes it back', async () => {
    make('.lmstudio');
    const dry = await addTo(['lm-studio', 'short.gguf', '--dry-run']);
    assert.match(dry.stdout, /would write +.*coppice\/short \(1 file/);
    assert.deepEqual(filesUnder(home).filter(isOther), []);
    const { code, stdout, stderr } = await addTo(['lm-studio', 'short.gguf']);
    assert.equal(code, 0, stderr);
    const added = join(home, '.lmstudio', 'models', 'coppice', 'short', 'short.gguf');
    assert.match(stdout, /undo +coppice add-to lm-studio short\.gguf --undo/);
    assert.deepEqual(readFileSync(added), readFileSync(join(work, 'short.gguf')));
    if (statSync(work).dev === statSync(home).dev)
      assert.equal(statSync(added).ino, statSync(join(work, 'short.gguf')).ino);
    const again = await addTo(['lm-studio', 'short.gguf']);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /exists already[^]*another name/);
    const undone = await addTo(['lm-studio', 'short.gguf', '--undo']);
    assert.equal(undone.code, 0, undone.stderr);
    assert.deepEqual(filesUnder(home).filter(isOther), []);
    assert.equal(existsSync(join(home, '.lmstudio', 'models')), false); // made by it
    assert.ok(existsSync(join(work, 'short.gguf')));
    const none = await addTo(['lm-studio', 'short.gguf', '--undo']);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /nothing that it added/);
  });

  it('leaves what changed since, and files of others, and says so', async () => {
    make('.foundry');
    assert.equal((await addTo(['foundry-local', 'short-onnx', '--name', 'stories'])).code, 0);
    const folder = join(home, '.foundry', 'cache', 'models', 'coppice', 'stories');
    const described = JSON.parse(readFileSync(join(folder, 'inference_model.json'), 'utf8')) as object;
    assert.deepEqual(described, { Name: 'stories', PromptTemplate: null });
    assert.deepEqual(filesUnder(folder), [
      ...['README.md', 'config.json', 'genai_config.json', 'generation_config.json', 'inference_model.json'],
      ...['onnx/model.onnx', 'onnx/model.onnx_data', 'tokenizer.json', 'tokenizer_config.json'],
    ]);
    appendFileSync(join(folder, 'genai_config.json'), ' ');
    writeFileSync(join(folder, 'mine.txt'), 'mine');
    const { code, stdout } = await addTo(['foundry-local', '--name', 'stories', '--undo']);
    assert.equal(code, 1);
    assert.match(stdout, /left +.*genai_config\.json: it changed since/);
    assert.deepEqual(filesUnder(folder), ['genai_config.json', 'mine.txt']);
    // The source is a copy apart where it is small.
    assert.doesNotMatch(readFileSync(join(work, 'short-onnx', 'genai_config.json'), 'utf8'), / $/);
  });

  it('lays out the folder of AI Toolkit and the cache of Hugging Face', async () => {
    make('.aitk', '.cache/huggingface');
    assert.equal((await addTo(['ai-toolkit', 'short-onnx'])).code, 0);
    assert.ok(existsSync(join(home, '.aitk/models/coppice/short-onnx/cpu/short-onnx/genai_config.json')));
    assert.equal((await addTo(['hugging-face', 'short'])).code, 0);
    const hub = join(home, '.cache/huggingface/hub/models--coppice--short');
    const revision = readFileSync(join(hub, 'refs', 'main'), 'utf8');
    const snapshot = join(hub, 'snapshots', revision);
    assert.deepEqual(
      readFileSync(join(snapshot, 'model.safetensors')),
      readFileSync(join(work, 'short', 'model.safetensors')),
    );
    const blob = basename(readlinkSync(join(snapshot, 'config.json')));
    const sum = execFileSync('sha256sum', [join(work, 'short', 'config.json')], { encoding: 'utf8' }).split(' ')[0];
    assert.equal(blob, sum);
    const { code } = await addTo(['hugging-face', 'short', '--undo']);
    assert.equal(code, 0);
    assert.equal(existsSync(hub), false);
  });

  it('refuses a model of another kind with the command that writes the right one', async () => {
    make('.lmstudio', '.foundry', '.cache/huggingface');
    for (const [place, model, words] of [
      ['lm-studio', 'short-onnx', /it is a folder of ONNX models[^]*coppice export MODEL --format gguf/],
      ['foundry-local', 'short.gguf', /it is a GGUF file[^]*coppice export MODEL --format onnx/],
      ['hugging-face', 'short.gguf', /coppice export MODEL --format safetensors/],
      ['lm-studio', 'nothing.gguf', /there is nothing of this name/],
    ] as const) {
      const { code, stderr } = await addTo([place, model]);
      assert.equal(code, 1);
      assert.match(stderr, words);
    }
    const unknown = await addTo(['jan', 'short.gguf']);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /these are: ollama, lm-studio/);
    const absent = await addTo(['ai-toolkit', 'short-onnx']);
    assert.equal(absent.code, 1);
    assert.match(absent.stderr, /AI Toolkit is not here[^]*ms-windows-ai-studio/);
  });

  it('runs Ollama where it is, and prints the file and the line where it is not', async function () {
    if (process.platform === 'win32') this.skip();
    make('bin');
    const bin = join(home, 'bin');
    const absent = await addTo(['ollama', 'short.gguf'], { PATH: '/usr/bin:/bin' });
    assert.equal(absent.code, 1);
    assert.match(absent.stdout, /FROM \/.*short\.gguf[^]*ollama create short -f short\.Modelfile/);
    writeFileSync(join(bin, 'ollama'), OLLAMA);
    chmodSync(join(bin, 'ollama'), 0o755);
    const env = { PATH: `${bin}:/usr/bin:/bin` };
    const { code, stdout, stderr } = await addTo(['ollama', 'short.gguf', '--name', 'Stories'], env);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /use +ollama run stories/);
    const modelfile = readFileSync(join(bin, 'store', 'stories'), 'utf8');
    assert.match(modelfile, /^FROM \/.*\/short\.gguf\nTEMPLATE "\{\{ \.Prompt \}\}"\nPARAMETER num_ctx 256\n/);
    const again = await addTo(['ollama', 'short.gguf', '--name', 'stories'], env);
    assert.match(again.stderr, /The model stories of Ollama exists already/);
    appendFileSync(join(bin, 'store', 'stories'), 'PARAMETER seed 1\n');
    const changed = await addTo(['ollama', 'short.gguf', '--undo'], env);
    assert.equal(changed.code, 1);
    assert.match(changed.stdout, /left +ollama: stories: it changed since/);
    rmSync(join(bin, 'store', 'stories'));
    await addTo(['ollama', 'short.gguf', '--name', 'stories'], env);
    assert.equal((await addTo(['ollama', 'short.gguf', '--undo'], env)).code, 0);
    assert.deepEqual(readdirSync(join(bin, 'store')), []);
  });

  it('adds a task that serves the model, and removes this task only', async function () {
    if (process.platform === 'win32') this.skip();
    make('bin', 'app/.vscode');
    const bin = join(home, 'bin');
    writeFileSync(join(bin, 'llama-server'), '#!/bin/sh\n', { mode: 0o755 });
    const env = { PATH: `${bin}:/usr/bin:/bin` };
    const app = join(home, 'app');
    const file = join(app, '.vscode', 'tasks.json');
    const before = '// ours\n{\n    "version": "2.0.0",\n    "tasks": [\n        { "label": "a" } // kept\n    ]\n}\n';
    writeFileSync(file, before);
    const { code, stderr } = await addTo(['llama-server', 'short.gguf', '--folder', app], env);
    assert.equal(code, 0, stderr);
    const text = readFileSync(file, 'utf8');
    assert.match(text, /^\/\/ ours[^]*\/\/ kept[^]*"label": "llama-server: short"[^]*short\.gguf/);
    const again = await addTo(['llama-server', 'short.gguf', '--folder', app], env);
    assert.match(again.stderr, /has a task “llama-server: short” already/);
    writeFileSync(file, text.replace('"a"', '"b"'));
    assert.equal((await addTo(['llama-server', 'short.gguf', '--undo'], env)).code, 0);
    assert.match(readFileSync(file, 'utf8'), /"label": "b" }[^]*\]/);
    assert.doesNotMatch(readFileSync(file, 'utf8'), /llama-server/);
    writeFileSync(file, before);
    await addTo(['llama-server', 'short.gguf', '--folder', app], env);
    await addTo(['llama-server', 'short.gguf', '--undo'], env);
    assert.equal(readFileSync(file, 'utf8'), before);
  });

  it('is complete or not there when it is killed', async () => {
    make('.foundry');
    const running = startCoppice(['add-to', 'foundry-local', 'short-onnx'], {
      cwd: work,
      env: environment({}),
      interrupt: 'SIGTERM',
    });
    const { code } = await running.result;
    const out = join(home, '.foundry', 'cache', 'models', 'coppice', 'short-onnx');
    assert.ok(code === 143 ? !existsSync(out) : existsSync(join(out, 'inference_model.json')), String(code));
    const left = existsSync(join(home, '.foundry', 'cache')) ? filesUnder(join(home, '.foundry')) : [];
    assert.deepEqual(
      left.filter((name) => name.includes('coppice-partial')),
      [],
    );
  });
});
