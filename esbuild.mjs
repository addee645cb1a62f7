// Builds every program of the project, or those named (`extension sidecar`), into dist or `--outdir=DIR`; `--watch`
// rebuilds on change, `--production` leaves out what only developers need, `--notices=FILE` writes the licences of the
// packages in the bundles. One target list. Makes the types of the library's options first.
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { build, context } from 'esbuild';
import { makeOptions } from './scripts/library/make-options.mjs';
import { noticesOf } from './scripts/notices.mjs';
import { splitProgram } from './scripts/split-program.mjs';

const node = {
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['vscode', 'onnxruntime-node'], // native, stays in node_modules
  alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' }, // its UMD build cannot be bundled
  // `import.meta.url` has no meaning in CommonJS; this gives it one.
  define: { 'import.meta.url': '__moduleUrl' },
  banner: { js: "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
};

const page = (name) => ({
  platform: 'browser',
  target: 'chrome120', // VS Code 1.100 has 132
  format: 'iife',
  minify: true,
  loader: { '.svg': 'dataurl' },
  entryPoints: [`webview/${name}/main.ts`],
  outfile: `${outdir}/webview/${name}.js`,
});

const valueOf = (name) => process.argv.find((each) => each.startsWith(`--${name}=`))?.slice(`--${name}=`.length);
const outdir = valueOf('outdir') ?? 'dist';
const shebang = { js: `#!/usr/bin/env node\n${node.banner.js}` };

const programs = [
  // What VS Code reads as it activates the extension, and in files beside it what commands, panels and tools need.
  { ...node, entryPoints: ['src/extension.ts'], outfile: `${outdir}/extension.cjs`, splits: true },
  { ...node, entryPoints: ['src/cli/start.ts'], outfile: `${outdir}/cli.cjs`, banner: shebang },
  { ...node, entryPoints: ['src/cli/main.ts'], outfile: `${outdir}/commands.cjs` }, // loaded by cli.cjs
  { ...node, entryPoints: ['src/sidecar/server.ts'], outfile: `${outdir}/sidecar.cjs` },
  { ...node, entryPoints: ['src/mcp/serve.ts'], outfile: `${outdir}/mcp.cjs` }, // loaded by `coppice mcp` alone
  { ...node, entryPoints: ['src/engine/tokenizer/process.ts'], outfile: `${outdir}/tokenizer.cjs` }, // forked by both
  { ...node, entryPoints: ['src/engine/write/gguf/threads/worker.ts'], outfile: `${outdir}/quantizer.cjs` }, // a thread of both
  page('editor'),
  page('panel'),
  page('report'),
];
/**
 * Built where it is named: it belongs to the npm package alone. It keeps its lines, because Node prints the line from which
 * an error comes that a script does not catch.
 */
const library = { ...node, entryPoints: ['src/library/index.ts'], outfile: `${outdir}/library.cjs`, minify: false };

const named = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const isNamed = ({ outfile }) => named.includes(basename(outfile).split('.')[0]);
const targets = named.length === 0 ? programs : [...programs, library].filter(isNamed);

await makeOptions();

const production = process.argv.includes('--production');
const common = { bundle: true, sourcemap: !production, minify: production, keepNames: true, logLevel: 'warning' };
const optionsOf = ({ splits, ...target }) => (splits ? splitProgram : same)({ ...common, ...target });
const same = (options) => options;
if (process.argv.includes('--watch')) {
  for (const t of targets) await (await context(await optionsOf(t))).watch();
} else {
  const built = await Promise.all(targets.map(async (t) => build({ ...(await optionsOf(t)), metafile: true })));
  const notices = valueOf('notices');
  if (notices) writeFileSync(notices, noticesOf(built.flatMap(({ metafile }) => Object.keys(metafile.inputs))));
}
