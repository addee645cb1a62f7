// Builds every program of the project into dist or `--outdir=DIR`; `--watch` rebuilds on change. One target list.
import { build, context } from 'esbuild';

const node = {
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['vscode', 'onnxruntime-node'], // native, stays in node_modules
  // `import.meta.url` has no meaning in CommonJS; this gives it one.
  define: { 'import.meta.url': '__moduleUrl' },
  banner: { js: "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
};

const outdir = process.argv.find((argument) => argument.startsWith('--outdir='))?.slice('--outdir='.length) ?? 'dist';
const shebang = { js: `#!/usr/bin/env node\n${node.banner.js}` };

const targets = [
  { ...node, entryPoints: ['src/cli/main.ts'], outfile: `${outdir}/cli.cjs`, banner: shebang },
  { ...node, entryPoints: ['src/sidecar/server.ts'], outfile: `${outdir}/sidecar.cjs` },
];

const common = { bundle: true, sourcemap: true, keepNames: true, logLevel: 'warning' };
if (process.argv.includes('--watch')) {
  for (const t of targets) await (await context({ ...common, ...t })).watch();
} else {
  await Promise.all(targets.map((t) => build({ ...common, ...t })));
}
