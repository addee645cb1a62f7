/** What VS Code has to read and compile before the extension is there: little, and nothing that only a command or a panel needs. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type LoadedFile, loadedAtStart } from '../support/activation';
import { built } from '../support/built';

/** Of all files of the extension. */
const MOST_SHARE = 0.35;

/** "src/extension.ts", "node_modules/yaml/dist/index.js". */
const sourcesOf = (map: string): string[] =>
  (JSON.parse(readFileSync(map, 'utf8')) as { readonly sources: readonly string[] }).sources.map(
    (source) => /(?:src|node_modules)\/.*/.exec(source)?.[0] ?? source,
  );

describe('the activation of the extension', () => {
  let folder: string;
  let files: LoadedFile[];
  /** Sources that are read, by the maps of lines. */
  let sources: string[];
  before(function () {
    this.timeout(60_000);
    folder = built('extension');
    files = loadedAtStart(join(folder, 'extension.cjs'));
    sources = files.flatMap(({ name }) => sourcesOf(join(folder, `${name}.map`)));
  });

  it('reads one file beside the first', () => {
    assert.ok(files.length <= 3, files.map(({ name }) => name).join(', '));
  });

  it('reads a third of the code', () => {
    const parts = readdirSync(folder).filter((file) => /^extension.*\.cjs$/.test(file));
    const whole = parts.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
    const read = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    assert.ok(read < MOST_SHARE * whole, `${read} of ${whole} bytes`);
  });

  it('reads no package but that of the channel to the sidecar, and nothing that commands, panels, tools or recipes need', () => {
    assert.ok(sources.includes('src/extension.ts') && sources.includes('src/commands/register.ts'));
    const later =
      /^(node_modules\/(?!vscode-jsonrpc\/)|src\/(commands\/(?!register)|agents\/|lm\/tools|cluster\/(submit|status)|recipes\/(run|plan|read)\.|editors\/(results\/(panel|session)\.|inspection)|views\/lines\.|engine\/(model\/(block|forward)|write\/(gguf\/write-gguf|onnx\/(graph|plan)|write-checkpoint)|onnx\/)))/;
    assert.deepEqual(
      sources.filter((source) => later.test(source)),
      [],
    );
  });
});
