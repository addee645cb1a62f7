/** `coppice add-to-project`: the example of each kind runs from its folder, in a fresh project, and its test passes. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { buildCli, coppice, jsonOf } from '../support/built-cli';
import {
  genaiPython,
  itWith,
  llamaCpp,
  nodePackages,
  printed,
  pythonTokenizers,
  torchFolder,
} from '../support/consumers';
import { chatting, projectWith } from '../support/projects';
import { full, hasShared, shared } from '../support/shared';
import { temporaryFolder } from '../support/temporary';

const SAMPLE = 'media/sample';

interface Added {
  readonly kind: string;
  readonly library: string;
  readonly chats: boolean;
  readonly folder: string;
  readonly files: readonly string[];
  readonly install: string;
  readonly test: string;
}

describe('command line: an example in a project', function () {
  this.timeout('10m'); // llama.cpp waits busily where other programs compute
  before(() => buildCli());

  const exported = async (checkpoint: string, format: string, type: string): Promise<string> => {
    const out = join(temporaryFolder(), format === 'gguf' ? 'a model.gguf' : 'a model');
    const words = ['export', checkpoint, '--format', format, '--type', type, '--out', out, '--no-verify', '--json'];
    jsonOf(await coppice(words, ROOT));
    return out;
  };
  /** The sample model for transformers.js, which no test changes. */
  let shipped: Promise<string> | undefined;
  const inQ8 = (): Promise<string> => (shipped ??= exported(SAMPLE, 'onnx', 'q8'));
  const added = async (model: string, project: string, ...more: readonly string[]): Promise<Added> =>
    jsonOf(await coppice(['add-to-project', model, '--project', project, '--json', ...more])) as unknown as Added;
  const refused = async (...args: readonly string[]): Promise<string> => {
    const { code, stderr } = await coppice(['add-to-project', ...args]);
    assert.notEqual(code, 0);
    return stderr;
  };

  /** As after `npm install`. */
  const install = (folder: string, modules: string): void =>
    symlinkSync(modules, join(folder, 'node_modules'), 'junction');

  const ask = ({ folder }: Added): string => printed(process.execPath, [join(folder, 'ask.mjs')]);

  /** Its test passes in the project by the command that is printed, or in its folder. */
  function testNode(project: string, { folder, test }: Added, isInFolder = false): void {
    const words = /^node (--test) ('?)(.*)\2$/.exec(test)!;
    const ran = spawnSync(process.execPath, isInFolder ? ['--test'] : [words[1], words[3]], {
      ...{ cwd: isInFolder ? folder : project, encoding: 'utf8', env: TESTS },
    });
    assert.equal(ran.status, 0, ran.stdout + ran.stderr);
    assert.match(ran.stdout, /^# fail 0$/m);
    assert.match(ran.stdout, /the model answers a question/);
  }

  describe('for Node', () => {
    itWith(nodePackages, 'asks an ONNX folder by transformers.js, from a module of CommonJS too', async () => {
      const project = projectWith({ 'package.json': { type: 'commonjs' }, 'tsconfig.json': {} });
      const model = await inQ8();
      const before = readFileSync(join(project, 'package.json'), 'utf8');
      const example = await added(model, project);
      assert.deepEqual(
        [example.kind, example.library, example.chats, example.install],
        ['node', 'transformers.js', false, 'npm install @huggingface/transformers@4.3.1'],
      );
      assert.deepEqual(readdirSync(example.folder).sort(), [...example.files].sort());
      install(project, nodePackages!);
      testNode(project, example);
      testNode(project, example, true);
      assert.match(ask(example), /^, there was a little girl named \w/);
      const file = join(project, 'application.js');
      writeFileSync(
        file,
        `import('./ask-model/ask.mjs').then(async ({ ask }) => {
          const pieces = [];
          const text = await ask('Once upon a time', { maxTokens: 5, onText: (piece) => pieces.push(piece) });
          console.log(JSON.stringify([text, pieces.join('')]));
        });`,
      );
      const [text, pieces] = JSON.parse(printed(process.execPath, [file])) as string[];
      assert.equal(text, pieces);
      assert.match(text, /^, there was a/);
      assert.equal(readFileSync(join(project, 'package.json'), 'utf8'), before);
    });

    itWith(nodePackages, 'puts a question to a model with a chat template as a conversation', async () => {
      const project = projectWith({ 'package.json': {} });
      const example = await added(await exported(chatting(SAMPLE), 'onnx', 'fp32'), project);
      assert.equal(example.chats, true);
      install(project, nodePackages!);
      const chat = ask(example);
      const prompt = 'What is the capital of France? One day,';
      const written = ['generate', SAMPLE, '--prompt', prompt, '--max-new-tokens', '12', '--json'];
      const { text } = jsonOf(await coppice(written, ROOT)) as { text: string };
      assert.ok(chat.trim().startsWith(text.replace(prompt, '').trim()), `${chat}\n${text}`);
    });

    const gguf = hasShared ? llamaCpp : undefined;
    itWith(gguf, 'asks a GGUF file by node-llama-cpp, with and without a chat template', async () => {
      const stories = shared('models/stories260K-f32');
      for (const chats of full ? [false, true] : [true]) {
        const source = chats ? chatting(stories) : stories;
        const project = projectWith({ 'package.json': { type: 'module' } });
        const example = await added(await exported(source, 'gguf', 'q8_0'), project, '--copy');
        assert.deepEqual([example.library, example.chats], ['node-llama-cpp', chats]);
        install(project, join(llamaCpp!, 'node_modules'));
        onOneThread(example.folder);
        if (full) testNode(project, example);
        assert.ok(ask(example).length > 20);
      }
    });
  });

  describe('for a browser', () => {
    itWith(nodePackages, 'has a server and a page, and its own package.json where the project has none', async () => {
      const project = projectWith({ 'index.html': '<p>' });
      const example = await added(await inQ8(), project, '--copy');
      assert.equal(example.kind, 'browser');
      assert.equal(example.install, 'npm install --prefix ask-model');
      const { dependencies } = JSON.parse(readFileSync(join(example.folder, 'package.json'), 'utf8')) as {
        dependencies: object;
      };
      assert.deepEqual(dependencies, { '@huggingface/transformers': '4.3.1' });
      install(example.folder, nodePackages!);
      testNode(project, example, true);
    });

    it('does not take a GGUF file or safetensors, and says what to export', async () => {
      const project = projectWith({ 'index.html': '' });
      assert.match(await refused(join(ROOT.cwd, SAMPLE), '--project', project), /cannot be added to a browser project/);
      assert.deepEqual(readdirSync(project), ['index.html']);
    });
  });

  describe('for Python', () => {
    const runPython = (python: string, { folder }: Added, env: NodeJS.ProcessEnv = {}): string =>
      printed(python, [join(folder, 'ask.py')], env);
    const testPython = (python: string, { folder }: Added, env: NodeJS.ProcessEnv = {}): void => {
      const test = spawnSync(python, ['-m', 'unittest'], {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, ...env },
      });
      assert.equal(test.status, 0, test.stderr);
      assert.match(test.stderr, /Ran 1 test/);
    };

    itWith(genaiPython, 'asks an ONNX folder by onnxruntime-genai, which chats where the model does', async () => {
      for (const [source, chats] of [
        [SAMPLE, false],
        [chatting(SAMPLE), true],
      ] as const) {
        const project = projectWith({ 'pyproject.toml': '' });
        const example = await added(await exported(source, 'onnx', 'fp32'), project);
        assert.deepEqual([example.library, example.chats], ['onnxruntime-genai', chats]);
        const text = runPython(genaiPython!, example);
        if (!chats) assert.match(text, /^, there was a little girl named \w/);
        else assert.ok(text.length > 20 && !text.includes('France'), text);
        if (chats && !full) continue;
        testPython(genaiPython!, example);
        const use = 'from ask_model.ask import ask; print(ask("Once upon a time", max_tokens=4))';
        const used = execFileSync(genaiPython!, ['-c', use], { cwd: project, encoding: 'utf8' });
        assert.ok(used.length > 4, used);
      }
    });

    itWith(pythonTokenizers, 'asks by onnxruntime where onnxruntime-genai does not run the model', async () => {
      const project = projectWith({ 'requirements.txt': '' });
      const model = await exported(SAMPLE, 'onnx', 'fp32');
      rmSync(join(model, 'genai_config.json'));
      const example = await added(model, project);
      assert.equal(example.library, 'onnxruntime');
      testPython(genaiPython!, example, { PYTHONPATH: pythonTokenizers });
      const text = runPython(genaiPython!, example, { PYTHONPATH: pythonTokenizers });
      assert.match(text, /^, there was a little girl named \w/);
    });

    const transformers = torchFolder && join(torchFolder, 'bin', 'python3');
    itWith(transformers, 'asks a checkpoint by transformers, with and without a chat template', async () => {
      for (const source of [join(ROOT.cwd, SAMPLE), chatting(SAMPLE)]) {
        const example = await added(source, projectWith({ 'setup.py': '' }));
        assert.equal(example.library, 'transformers');
        testPython(transformers!, example, { HF_HUB_OFFLINE: '1' });
        assert.ok(runPython(transformers!, example, { HF_HUB_OFFLINE: '1' }).length > 20);
      }
    });
  });

  it('asks which kind where there are several, and says what it looked for where there is none', async () => {
    const model = await inQ8();
    const both = projectWith({ 'package.json': {}, 'index.html': '' });
    const several = await refused(model, '--project', both);
    assert.match(several, /package\.json \(Node\) and index\.html \(browser\)/);
    assert.match(several, /--kind node or --kind browser/);
    const none = await refused(model, '--project', projectWith({}));
    assert.match(
      none,
      /package\.json \(Node\), index\.html \(browser\), pyproject\.toml, requirements\.txt, setup\.py/,
    );
    assert.equal((await added(model, both, '--kind', 'browser', '--dry-run')).kind, 'browser');
    assert.deepEqual(readdirSync(both).sort(), ['index.html', 'package.json']);
    // Only Python loads safetensors, so nothing is to be asked.
    const python = projectWith({ 'package.json': {}, 'setup.py': '' });
    assert.equal((await added(join(ROOT.cwd, SAMPLE), python)).kind, 'python');
  });

  it('overwrites nothing, stays in the project, and names what is missing', async () => {
    const project = projectWith({ 'setup.py': '' });
    const model = join(ROOT.cwd, SAMPLE);
    const taken = join(project, 'ask_model');
    mkdirSync(taken);
    assert.match(await refused(model, '--project', project), /ask_model exists already/);
    assert.deepEqual(readdirSync(taken), []);
    assert.match(
      await refused(model, '--project', project, '--out', join(project, '..', 'other')),
      /not in the project/,
    );
    assert.match(await refused(join(project, 'none.gguf'), '--project', project), /no such file/);
    assert.match(await refused(join(project, 'setup.py'), '--project', project), /it is a file, and not a \.gguf file/);
    writeFileSync(join(project, 'broken.gguf'), 'GGUF');
    assert.match(await refused(join(project, 'broken.gguf'), '--project', project), /broken\.gguf/);
    assert.match(await refused(taken, '--project', project), /ask_model/);
    assert.deepEqual(readdirSync(project).sort(), ['ask_model', 'broken.gguf', 'setup.py']);
  });

  it('names a model in the project from its folder, and copies one without taking space', async () => {
    const project = projectWith({ 'setup.py': '' });
    const model = await inQ8();
    const copy = await added(model, project, '--copy', '--out', join(project, 'a', 'b'));
    assert.ok(!copy.files.some((name) => name.startsWith('model/examples')));
    const weights = join(copy.folder, 'model', 'onnx', 'model_quantized.onnx_data');
    assert.equal(statSync(weights).ino, statSync(join(model, 'onnx', 'model_quantized.onnx_data')).ino);
    const other = await added(join(copy.folder, 'model'), project, '--out', join(project, 'c'));
    assert.match(readFileSync(join(other.folder, 'ask.py'), 'utf8'), /parent \/ "\.\.\/a\/b\/model"/);
    assert.ok(!readFileSync(join(other.folder, 'ask.py'), 'utf8').includes(relative('/', project)));
  });
});

const ROOT = { cwd: process.cwd() };

/** A test runner tells the tests that it starts, which then tell it in its own way. */
const TESTS = { ...process.env, NODE_TEST_CONTEXT: undefined };

/** The threads of llama.cpp wait busily for each other, so they take long where other programs run. */
function onOneThread(folder: string): void {
  const file = join(folder, 'ask.mjs');
  const text = readFileSync(file, 'utf8');
  assert.ok(text.includes('getLlama({ '));
  writeFileSync(file, text.replace('getLlama({ ', 'getLlama({ maxThreads: 1, '));
}
