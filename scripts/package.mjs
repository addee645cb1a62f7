/**
 * `npm run package [-- --target linux-x64] [--out FILE]`: builds the extension without source maps and packs it, with
 * onnxruntime for that platform alone, into a VSIX. Prints the file and its size.
 */
import { createVSIX } from '@vscode/vsce';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { values } = parseArgs({
  options: { target: { type: 'string', default: 'linux-x64' }, out: { type: 'string' } },
});
const { target } = values;
const out = resolve(values.out ?? `coppice-${target}-${version}.vsix`);

const [platform, architecture] = target.split('-');
const runtime = `node_modules/onnxruntime-node/bin/napi-v6/${platform}/${architecture}`;
if (!existsSync(join(root, runtime))) {
  console.error(
    `There is no onnxruntime for ${target}: ${runtime} does not exist. Give --target linux-x64 or the like.`,
  );
  process.exit(1);
}

process.chdir(root);
execFileSync(process.execPath, ['esbuild.mjs', '--production'], { stdio: 'inherit' });
const folder = mkdtempSync(join(tmpdir(), 'coppice-package-'));
try {
  const ignoreFile = join(folder, 'vscodeignore');
  writeFileSync(ignoreFile, `${readFileSync('.vscodeignore', 'utf8')}!${runtime}/**\n`);
  await createVSIX({
    cwd: root,
    target,
    packagePath: out,
    ignoreFile: relative(root, ignoreFile),
    readmePath: 'README.extension.md', // the page of who installs it; README.md is for the repository
    allowMissingRepository: true,
    rewriteRelativeLinks: false,
  });
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`${relative(root, out)}: ${(statSync(out).size / 1e6).toFixed(1)} MB`);
