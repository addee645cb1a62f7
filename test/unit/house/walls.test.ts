/** The walls between the rooms (ARCHITECTURE.md, "Invariants"), whatever the linter is told to ignore. */
import assert from 'node:assert/strict';
import { type Import, importsOf, textOf, trackedFiles } from './repository';

const SESSION = 'src/engine/onnx/session.ts';
const isOnnxruntime = (target: string): boolean => /^onnxruntime-(node|common|web)(\/|$)/.test(target);

describe('walls', () => {
  const files = trackedFiles();
  if (files === undefined) {
    it.skip('(needs a git checkout)');
    return;
  }
  const modules = files.filter((file) => /\.tsx?$/.test(file));
  const imports = (folder: string): Import[] => modules.filter((f) => f.startsWith(folder)).flatMap(importsOf);
  const none = (found: readonly Import[]): void =>
    assert.deepEqual(
      found.map(({ file, target }) => `${file} imports ${target}`),
      [],
    );

  it('reads the imports of the code as it is', () => {
    const of = importsOf('src/engine/model/forward.ts').map(({ target }) => target);
    assert.ok(of.includes('src/engine/onnx/graph'));
    assert.ok(importsOf(SESSION).some(({ target }) => isOnnxruntime(target)));
    assert.ok(imports('src/').length > modules.length);
  });

  it('the engine knows no editor and no process around it', () => {
    const inside = (target: string): boolean => /^(src\/(engine|format)\/|package\.json)/.test(target);
    const ofRepository = (target: string): boolean => /^(src|webview|bench|test|scripts)\//.test(target);
    none(
      imports('src/engine/').filter(({ target }) => target === 'vscode' || (ofRepository(target) && !inside(target))),
    );
  });

  it('one file imports onnxruntime', () => {
    none([...imports('src/'), ...imports('webview/')].filter((i) => isOnnxruntime(i.target) && i.file !== SESSION));
  });

  it('two files use the network, and only commands import them', () => {
    const DOWNLOADS = ['src/engine/evaluate/tasks/download', 'src/hub/download'];
    const sources = modules.filter((file) => /^(src|webview)\//.test(file));
    assert.deepEqual(
      sources.filter((file) =>
        /(?<![.\w])fetch\(|\b(WebSocket|XMLHttpRequest|EventSource|sendBeacon)\b/.test(textOf(file)),
      ),
      [`${DOWNLOADS[0]}.ts`, 'src/hub/requests.ts'],
    );
    assert.deepEqual(
      imports('src/').flatMap(({ file, target }) => (target === 'src/hub/requests' ? [file] : [])),
      [`${DOWNLOADS[1]}.ts`],
    );
    const network = /^(node:)?(https?|http2|net|tls|dgram|dns|undici)(\/|$)/;
    none(sources.flatMap(importsOf).filter(({ target, typeOnly }) => !typeOnly && network.test(target)));
    // Each asks the user first.
    const may = /^src\/(cli\/actions\/fetch-tasks|commands\/[\w-]+)\.ts$/;
    const importers = imports('src/').filter(({ target, typeOnly }) => !typeOnly && DOWNLOADS.includes(target));
    assert.ok(importers.length > 1);
    // The library that downloads is imported there and nowhere else.
    const hub = imports('src/').filter(({ target, typeOnly }) => !typeOnly && target.startsWith('@huggingface/hub'));
    assert.deepEqual(
      hub.map(({ file }) => file),
      [`${DOWNLOADS[1]}.ts`],
    );
    none(importers.filter(({ file }) => !may.test(file)));
  });

  it('where the bytes of a tensor are is known to formats, weights and write', () => {
    // The import of a type is one too. What shows a place to the user has a function of its own, tensor-place.
    const may: readonly (readonly [target: RegExp, room: RegExp])[] = [
      [/^src\/engine\/formats\/(stored-tensor|widen|narrow)$/, /^src\/engine\/(formats|weights|write)\//],
      [/^src\/engine\/files\/copy$/, /^src\/engine\/write\//],
      [/^src\/engine\/formats\/tensor-place$/, /^src\/(editors|state|views)\//],
    ];
    for (const [target, room] of may) {
      const found = imports('src/').filter((i) => target.test(i.target));
      assert.ok(found.length > 0, `nothing imports ${target.source}`);
      none(found.filter(({ file }) => !room.test(file)));
    }
    // A module that points a graph into a file knows where the bytes are.
    const pointing = modules.filter((file) => file.startsWith('src/') && textOf(file).includes('.external('));
    assert.deepEqual(pointing, ['src/engine/weights/external.ts']);
  });

  it('a module that handles tensors elsewhere reads no offset', () => {
    const rooms = /^src\/engine\/(formats|weights|write)\//;
    const handling = /^src\/engine\/(formats\/tensor|checkpoint\/types|weights\/source)$/;
    const outside = modules.filter((file) => file.startsWith('src/') && !rooms.test(file));
    const handles = outside.filter((file) => importsOf(file).some(({ target }) => handling.test(target)));
    assert.ok(handles.includes('src/engine/model/head-loss-graph.ts') && handles.length > 30);
    const reads = /\.offset\b|[{,]\s*offset\s*[,}]/;
    assert.deepEqual(
      handles.filter((file) => reads.test(textOf(file))),
      [],
    );
    assert.match(textOf('src/engine/formats/stored-tensor.ts'), reads);
  });

  it('the protocol imports nothing at run time', () => {
    none(imports('src/protocol/').filter(({ typeOnly }) => !typeOnly));
  });

  it('the jobs know neither the command line nor the sidecar nor the editor', () => {
    none(
      imports('src/jobs/').filter(({ target }) =>
        /^src\/(cli|sidecar|state|host|commands|views|editors)\/|^vscode$/.test(target),
      ),
    );
  });

  it('the definition of a job is pure: what it loads computes nothing and knows no machine', () => {
    const definitions = modules.filter((file) =>
      /^src\/jobs\/((define|option)\.ts|definitions\/|options\/)/.test(file),
    );
    assert.ok(definitions.length > 3);
    // Everything that they load, directly or not: data, texts and arithmetic.
    const loaded = new Set(definitions);
    for (const file of loaded) {
      const values = importsOf(file).filter(({ typeOnly }) => !typeOnly);
      none(
        values.filter(
          ({ target }) => !target.startsWith('src/') || /^src\/(state|host|sidecar|cli|views|editors)\//.test(target),
        ),
      );
      none(values.filter(({ target }) => /^src\/engine\/(onnx|weights|files|tokenizer)\//.test(target)));
      for (const { target } of values) {
        loaded.add(modules.find((each) => each === `${target}.ts` || each === `${target}/index.ts`)!);
      }
    }
    assert.ok(loaded.has('src/engine/importance/criteria.ts'));
  });

  it('the pages see the protocol and the formats and nothing else of src', () => {
    none(imports('webview/').filter(({ target }) => /^src\/(?!(protocol|format)\/)/.test(target)));
  });

  it('the state of the editor needs VS Code for settings and for what is in the workspace alone', () => {
    const uses = imports('src/state/').filter(({ target, typeOnly }) => target === 'vscode' && !typeOnly);
    assert.deepEqual(
      uses.map(({ file }) => file).sort(),
      ['config', 'discovery', 'library'].map((name) => `src/state/${name}.ts`),
    );
  });

  it('what follows the end of a job stands in one file; only the panel and the view of jobs look at ends too', () => {
    const host = modules.filter((file) => /^src\/(host|commands|editors|lm|views|state|extension\.ts)/.test(file));
    assert.deepEqual(host.filter((file) => textOf(file).includes('.onEnded(')).sort(), [
      'src/editors/results/session.ts',
      'src/editors/results/trainings.ts',
      'src/host/jobs/after.ts',
      'src/host/jobs/jobs-model.ts',
    ]);
    const tour = host.filter((file) => /coppice\.did\.(score|prune|heal|generate)/.test(textOf(file)));
    assert.deepEqual(tour, ['src/host/jobs/after.ts']);
  });

  it('the product needs no test and no benchmark', () => {
    none([...imports('src/'), ...imports('webview/')].filter(({ target }) => /^(test|bench)\//.test(target)));
  });

  it('what tests share imports no test', () => {
    none(
      imports('test/support/').filter(({ target }) => /^test\/(unit|engine|cli|sidecar|host|webview)\//.test(target)),
    );
  });

  it('the reference implementation shares nothing with the engine', () => {
    none(imports('test/reference/').filter(({ target }) => target.startsWith('src/')));
  });
});
