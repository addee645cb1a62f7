/** The walls between the rooms (ARCHITECTURE.md, "Invariants"), whatever the linter is told to ignore. */
import assert from 'node:assert/strict';
import { type Import, importsOf, trackedFiles } from './repository';

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
    const inside = (target: string): boolean => /^(src\/engine\/|package\.json)/.test(target);
    const ofRepository = (target: string): boolean => /^(src|webview|bench|test|scripts)\//.test(target);
    none(
      imports('src/engine/').filter(({ target }) => target === 'vscode' || (ofRepository(target) && !inside(target))),
    );
  });

  it('one file imports onnxruntime', () => {
    none([...imports('src/'), ...imports('webview/')].filter((i) => isOnnxruntime(i.target) && i.file !== SESSION));
  });

  it('the protocol imports nothing at run time', () => {
    none(imports('src/protocol/').filter(({ typeOnly }) => !typeOnly));
  });

  it('the definition of a job is pure: what it loads computes nothing and knows no machine', () => {
    const pure =
      /^src\/(jobs\/(define|definitions|options)\b|l10n$|engine\/(option-token|importance\/(criterion|drawing))$)/;
    const definitions = modules.filter((file) => /^src\/jobs\/(define\.ts|definitions\/|options\/)/.test(file));
    assert.ok(definitions.length > 3);
    none(definitions.flatMap(importsOf).filter(({ typeOnly, target }) => !typeOnly && !pure.test(target)));
    const loaded = [
      'src/l10n.ts',
      'src/engine/option-token.ts',
      'src/engine/importance/criterion.ts',
      'src/engine/importance/drawing.ts',
    ];
    none(loaded.flatMap(importsOf).filter(({ typeOnly }) => !typeOnly));
  });

  it('the panel sees the protocol and nothing else of src', () => {
    none(imports('webview/').filter(({ target }) => /^src\/(?!protocol\/)/.test(target)));
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
