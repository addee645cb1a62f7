/**
 * Bundles test files once for all parts, which load them in a fraction of the time that tsx takes for their hundreds of modules.
 *
 * A module is in one file of the bundle only, so test files share what it holds, as they do from source. In `import.meta` it
 * finds the place of its source, and stack traces name lines of sources.
 */
import { build } from 'esbuild';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = resolve(import.meta.dirname, '../..');
const settings = JSON.parse(readFileSync(join(root, '.mocharc.json'), 'utf8'));

/** Gives modules that ask `import.meta` where they are the place of their source. */
const places = {
  name: 'places',
  setup({ onLoad }) {
    onLoad({ filter: /\.(ts|mjs)$/ }, async ({ path }) => {
      const contents = await readFile(path, 'utf8');
      const loader = path.endsWith('.ts') ? 'ts' : 'js';
      if (!contents.includes('import.meta.')) return { contents, loader };
      const place = { __url: pathToFileURL(path).href, __dirname: dirname(path), __filename: path };
      const names = Object.entries(place).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
      return { contents: `const ${names.join(', ')}; ${contents}`, loader }; // lines keep their numbers
    });
  },
};

/**
 * Bundles these files (relative to the root), below the checkout, where packages are found.
 * @returns the folder, to be removed in the end
 * @throws {Error} that names file and line of what cannot be bundled
 */
export async function bundle(files) {
  mkdirSync(join(root, 'test/out'), { recursive: true });
  const folder = mkdtempSync(join(root, 'test/out/tests-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  await build({
    absWorkingDir: root,
    entryPoints: [...settings.require, ...files],
    outdir: folder,
    outbase: root,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    packages: 'external',
    // Imports JSON in a way that Node does not read.
    alias: { '@actions/workflow-parser': './node_modules/@actions/workflow-parser/dist/index.js' },
    platform: 'node',
    target: 'node20',
    format: 'esm',
    keepNames: true, // errors and criteria are told apart by name
    sourcemap: true,
    sourcesContent: false,
    define: {
      'import.meta.url': '__url',
      'import.meta.dirname': '__dirname',
      'import.meta.filename': '__filename',
    },
    plugins: [places],
    logLevel: 'silent', // test/run.mjs says what went wrong
  });
  // No loader, for which mocha would start another process.
  const require = settings.require.map((file) => bundled(folder, file));
  writeFileSync(join(folder, 'mocharc.json'), JSON.stringify({ ...settings, 'node-option': undefined, require }));
  return folder;
}

/** Where a source file is in such a folder. */
export const bundled = (folder, file) => join(folder, file.replace(/\.ts$/, '.mjs'));

/** The source file of one there. */
export const sourceOf = (folder, file) => join(root, relative(folder, file).replace(/\.mjs$/, '.ts'));
