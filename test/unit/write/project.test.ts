/** The example for a project: which kind, which library, where the model is, and programs that parse whatever the names are. */
import assert from 'node:assert/strict';
import { transform } from 'esbuild';
import { join } from 'node:path';
import ts from 'typescript';
import { UserError } from '../../../src/engine/errors';
import type { Loadable } from '../../../src/engine/write/loading-code';
import { MARKERS, PROJECT_KINDS, type ProjectFacts, projectFacts } from '../../../src/engine/write/project/kinds';
import { libraryFor } from '../../../src/engine/write/project/libraries';
import { planExample } from '../../../src/engine/write/project/plan';
import { projectWith } from '../../support/projects';
import { temporaryFolder } from '../../support/temporary';

const gguf = (path: string): Loadable => ({ format: 'gguf', path });
const onnx = (path: string): Loadable => ({ format: 'onnx', path, kind: 'q8', target: 'cpu', genai: true });
const safetensors = (path: string): Loadable => ({ format: 'safetensors', path, isStock: true });
const modelOf = (loadable: Loadable, chats = false) => ({ loadable, name: 'a model', chats });

const textOf = (files: readonly { readonly name: string; readonly text: string }[], name: string): string =>
  files.find((file) => file.name === name)!.text;

describe('an example for a project', () => {
  it('finds the kinds by the files of a folder', async () => {
    for (const kind of PROJECT_KINDS) {
      for (const file of MARKERS[kind]) {
        const { kinds } = await projectFacts(projectWith({ [file]: '' }));
        assert.deepEqual(kinds, [{ kind, file }]);
      }
    }
    const several = await projectFacts(projectWith({ 'package.json': {}, 'index.html': '', 'tsconfig.json': {} }));
    assert.deepEqual(
      several.kinds.map(({ kind }) => kind),
      ['node', 'browser'],
    );
    assert.deepEqual([several.hasPackages, several.isTyped], [true, true]);
    assert.deepEqual((await projectFacts(join(temporaryFolder(), 'none'))).kinds, []);
  });

  it('has a library for what can be loaded, and says what to export for the rest', async () => {
    const names = [gguf('m.gguf'), onnx('m'), safetensors('m')].map((loadable) =>
      PROJECT_KINDS.map((kind) => libraryFor({ loadable }, kind)?.name),
    );
    assert.deepEqual(names, [
      ['node-llama-cpp', undefined, 'llama-cpp-python'],
      ['transformers.js', 'transformers.js', 'onnxruntime-genai'],
      [undefined, undefined, 'transformers'],
    ]);
    const without: Loadable = { format: 'onnx', path: 'm', kind: 'q8', genai: false };
    assert.equal(libraryFor({ loadable: without }, 'python')?.name, 'onnxruntime');
    const facts = await projectFacts(temporaryFolder());
    const refused = async (loadable: Loadable, kind: (typeof PROJECT_KINDS)[number]): Promise<UserError> => {
      const error = await planExample(facts, modelOf(loadable), { kind }).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof UserError);
      return error;
    };
    assert.match((await refused(gguf('m.gguf'), 'browser')).action, /format\|onnx|--format onnx/);
    assert.match((await refused(safetensors('m'), 'node')).action, /--format gguf.*--format onnx/);
    const own: Loadable = { format: 'safetensors', path: 'm', isStock: false };
    assert.match((await refused(own, 'python')).why, /only Coppice/);
  });

  /** A project with a model beside its files, and one elsewhere. */
  async function places(
    name: string,
  ): Promise<{ readonly facts: ProjectFacts; readonly inside: string; readonly outside: string }> {
    const folder = projectWith({ 'package.json': {}, [name]: '' });
    const other = projectWith({ [name]: '' });
    return { facts: await projectFacts(folder), inside: join(folder, name), outside: join(other, name) };
  }

  it('names a model in the project from its folder, another one by its path, and a copy beside itself', async () => {
    const { facts, inside, outside } = await places('m.gguf');
    const program = async (path: string, wish: object = {}): Promise<string> =>
      textOf((await planExample(facts, modelOf(gguf(path)), { kind: 'node', ...wish })).files, 'ask.mjs');
    assert.match(await program(inside), /import\.meta\.url\)\), '\.\.\/m\.gguf'\)/);
    assert.match(await program(inside, { out: join(facts.folder, 'a', 'b') }), /'\.\.\/\.\.\/m\.gguf'/);
    assert.ok((await program(outside)).includes(outside));
    assert.match(await program(outside, { copy: true }), /'model\/m\.gguf'/);
    const { copied } = await planExample(facts, modelOf(gguf(outside)), { kind: 'node', copy: true });
    assert.deepEqual(copied, [{ file: outside, name: 'model/m.gguf' }]);
  });

  it('is code that parses, whatever the names are', async () => {
    const odd = 'a "b\' $(x) `y` ${z} é';
    const { facts, inside, outside } = await places(odd);
    for (const path of [inside, outside]) {
      for (const [kind, loadable] of [
        ['node', gguf(path)],
        ['node', onnx(path)],
        ['browser', onnx(path)],
        ['python', safetensors(path)],
      ] as const) {
        for (const chats of [false, true]) {
          const model = { ...modelOf(loadable, chats), name: `line\nbreak ${odd}` };
          const { files } = await planExample(facts, model, { kind, out: join(facts.folder, odd, 'x') });
          for (const { name, text } of files) {
            if (/\.m?js$/.test(name)) await transform(text, { loader: 'js', format: 'esm' });
            if (name.endsWith('.json')) JSON.parse(text);
            assert.ok(!text.includes('\nbreak'), name);
          }
        }
      }
    }
  });

  it('has commands for the shell, which quote what it would take for something else', async () => {
    const { facts, outside } = await places('m');
    const install = async (shell: 'posix' | 'powershell'): Promise<string> =>
      (await planExample(facts, modelOf(onnx(outside)), { kind: 'node' }, shell)).commands.install;
    assert.equal(await install('posix'), 'npm install @huggingface/transformers@4.3.1');
    assert.equal(await install('powershell'), "npm install '@huggingface/transformers@4.3.1'");
    const own = await planExample(await projectFacts(temporaryFolder()), modelOf(onnx(outside)), { kind: 'browser' });
    assert.equal(own.commands.install, 'npm install --prefix ask-model');
    assert.ok(own.files.some(({ name }) => name === 'package.json'));
  });

  it('has types that a project in TypeScript can use under strict rules', async () => {
    const folder = projectWith({ 'package.json': { type: 'module' }, 'tsconfig.json': {}, m: '' });
    const facts = await projectFacts(folder);
    for (const kind of ['node', 'browser'] as const) {
      const { files } = await planExample(facts, modelOf(onnx(join(folder, 'm'))), { kind });
      const using = `import { ask } from './ask.mjs';
        export const text: string = await ask('q', { maxTokens: 1, onText: (piece) => piece.length });`;
      const typed = projectWith({ 'ask.d.mts': textOf(files, 'ask.d.mts'), 'main.mts': using });
      const options: ts.CompilerOptions = {
        ...{ strict: true, noEmit: true, skipLibCheck: true, types: [], lib: ['lib.es2022.d.ts'] },
        ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
      };
      const found = ts.getPreEmitDiagnostics(ts.createProgram([join(typed, 'main.mts')], options));
      assert.deepEqual(
        found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
        [],
      );
    }
  });
});
