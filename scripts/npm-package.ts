/**
 * `npm run package:npm [-- --folder FOLDER] [--repository URL]`: builds the npm package, the command line and the library
 * for scripts, in `dist/npm`, and packs it into FOLDER. Prints the file and its size. The URL is the page of the project,
 * which npm compares with where a package was built. package.json here belongs to the extension, so the package has its own.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { format } from 'prettier';
import { libraryTypes } from './library/types';

interface Manifest {
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

const root = resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: { folder: { type: 'string', default: '.' }, staging: { type: 'string' }, repository: { type: 'string' } },
});
const staging = resolve(values.staging ?? join(root, 'dist/npm'));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;

/** What is not bundled, because it is native. */
const DEPENDENCIES = ['onnxruntime-node'];
/** Fields that the package has of the project's package.json, where that has them. */
const SHARED = ['version', 'license', 'author', 'repository', 'homepage', 'bugs'];

rmSync(staging, { recursive: true, force: true });
mkdirSync(staging, { recursive: true });
buildPrograms();
await writeLibrary();
copyFiles();
writeManifest();
const file = pack();
console.log(`${relative(process.cwd(), file)}: ${(statSync(file).size / 1e6).toFixed(1)} MB`);

function buildPrograms(): void {
  const options = ['--production', `--outdir=${staging}`, `--notices=${join(staging, 'THIRD-PARTY-NOTICES.txt')}`];
  const build = [
    'esbuild.mjs',
    'cli',
    'commands',
    'mcp',
    'sidecar',
    'tokenizer',
    'quantizer',
    'library',
    'report',
    ...options,
  ];
  execFileSync(process.execPath, build, { cwd: root, stdio: 'inherit' });
  chmodSync(join(staging, 'cli.cjs'), 0o755);
}

/** The library for `import`, and its types for both ways to load it. */
async function writeLibrary(): Promise<void> {
  const library = createRequire(import.meta.url)(join(staging, 'library.cjs')) as object;
  const names = Object.keys(library).sort().join(', ');
  writeFileSync(
    join(staging, 'library.mjs'),
    `import library from './library.cjs';\nexport const { ${names} } = library;\n`,
  );
  const types = await format(libraryTypes(), { parser: 'typescript', printWidth: 120, singleQuote: true });
  for (const ending of ['cts', 'mts']) writeFileSync(join(staging, `library.d.${ending}`), types);
}

function copyFiles(): void {
  cpSync(join(root, 'README.npm.md'), join(staging, 'README.md')); // the page of who installs it
  for (const name of ['LICENSE', 'NOTICE', 'CHANGELOG.md', 'media/sample', 'media/hand-over']) {
    cpSync(join(root, name), join(staging, name), { recursive: true });
  }
  for (const name of readdirSync(join(root, 'media')).filter((each) => each.endsWith('.schema.json'))) {
    cpSync(join(root, 'media', name), join(staging, 'media', name));
  }
  if (readdirSync(root).includes('recipes')) {
    cpSync(join(root, 'recipes'), join(staging, 'recipes'), { recursive: true });
  }
}

function writeManifest(): void {
  const shared = SHARED.filter((field) => field in manifest).map((field) => [field, manifest[field]] as const);
  const own = {
    name: 'coppice',
    description:
      'Makes language models shorter: scores, prunes, heals and retrains Transformer blocks. No Python, no GPU.',
    ...addresses(values.repository?.replace(/(\.git)?\/?$/, '')),
    ...Object.fromEntries(shared),
    keywords: ['llm', 'pruning', 'safetensors', 'gguf', 'onnx', 'lora', 'perplexity', 'cli'],
    engines: { node: manifest.engines.node },
    bin: { coppice: 'cli.cjs' },
    main: './library.cjs',
    types: './library.d.cts',
    exports: {
      '.': {
        import: { types: './library.d.mts', default: './library.mjs' },
        require: { types: './library.d.cts', default: './library.cjs' },
      },
      './package.json': './package.json',
    },
    dependencies: Object.fromEntries(DEPENDENCIES.map((name) => [name, manifest.dependencies[name]])),
  };
  writeFileSync(join(staging, 'package.json'), `${JSON.stringify(own, null, 2)}\n`);
}

function addresses(page: string | undefined): object {
  if (page === undefined) return {};
  return { repository: { type: 'git', url: `git+${page}.git` }, homepage: page, bugs: { url: `${page}/issues` } };
}

/** @returns the packed file */
function pack(): string {
  const folder = resolve(values.folder);
  mkdirSync(folder, { recursive: true });
  const isWindows = process.platform === 'win32'; // where npm is a script of the shell
  const told = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: staging,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: isWindows,
  });
  const [{ filename }] = JSON.parse(told) as readonly { readonly filename: string }[];
  return join(folder, filename);
}
