/**
 * `npm run package [-- --target linux-x64] [--all] [--folder FOLDER] [--out FILE]`: builds the extension without source
 * maps and packs it, with onnxruntime for one platform alone, into a VSIX: for this machine, for `--target`, or with
 * `--all` (`npm run package:all`) for every platform that onnxruntime has binaries for. Prints each file and its size.
 * `--repository URL` says where the project is on the web: then its page has pictures and links (package-page.mjs).
 *
 * What is packed is put together in a temporary folder: `dist` stays as it is, and what package.json says to npm alone
 * (scripts, dependencies, files of the npm package) does not get into the extension.
 */
import { createVSIX } from '@vscode/vsce';
import { execFileSync } from 'node:child_process';
import { cpSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { existsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { addressesOf, manifestOf, pageOf, repositoryOf } from './package-page.mjs';
import { packable, PLATFORMS, runtimeFiles } from './package-targets.mjs';

const root = resolve(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** What may be packed of the repository, where it exists. `.vscodeignore` says which files of these folders are. */
const PARTS = ['CHANGELOG.md', 'LICENSE', 'NOTICE', 'l10n', 'media', 'recipes', 'skills'];
/** Licences of the packages in the programs. */
const NOTICES = 'THIRD-PARTY-NOTICES.txt';
/** The modules that are not bundled, because one is native. They lie beside the programs that load them. */
const MODULES = ['onnxruntime-node', 'onnxruntime-common'];

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: `${process.platform}-${process.arch}` },
    all: { type: 'boolean', default: false },
    folder: { type: 'string', default: '.' },
    out: { type: 'string' },
    repository: { type: 'string' },
  },
});

const repository = repositoryOf(manifest, values.repository);
const targets = values.all ? packable() : [values.target];
refuseMissing(targets);
const folder = mkdtempSync(join(tmpdir(), 'coppice-package-'));
try {
  build(join(folder, 'common'));
  // One after the other: each is staged as it is packed, and zlib's threads use both processors of a small machine.
  for (const target of targets) await pack(target);
} finally {
  rmSync(folder, { recursive: true });
}
if (values.all) {
  for (const target of PLATFORMS.filter((name) => !targets.includes(name))) {
    console.log(`${target}: no package, for onnxruntime-node has no binaries for it`);
  }
}

/** Ends the program if one of these platforms has no binaries of onnxruntime. */
function refuseMissing(names) {
  const missing = names.find((name) => !packable().includes(name));
  if (missing === undefined) return;
  console.error(`There is no onnxruntime for ${missing}. Give --target ${packable().join(', ')}, or --all.`);
  process.exit(1);
}

/** Puts together what all platforms have: the programs, built now, the documents and the manifest. */
function build(staging) {
  const options = [`--outdir=${join(staging, 'dist')}`, `--notices=${join(staging, NOTICES)}`];
  execFileSync(process.execPath, [join(root, 'esbuild.mjs'), '--production', ...options], {
    cwd: root,
    stdio: 'inherit',
  });
  const texts = readdirSync(root).filter((name) => /^package\.nls(\.[\w-]+)?\.json$/.test(name));
  for (const part of [...PARTS, ...texts, '.vscodeignore'].filter((name) => existsSync(join(root, name)))) {
    cpSync(join(root, part), join(staging, part), { recursive: true });
  }
  const page = readFileSync(join(root, 'README.extension.md'), 'utf8'); // for who installs it
  writeFileSync(join(staging, 'README.md'), pageOf(page, repository));
  for (const name of MODULES) {
    const from = join(root, 'node_modules', name);
    const to = join(staging, 'dist/node_modules', name);
    cpSync(join(from, 'dist'), join(to, 'dist'), { recursive: true });
    cpSync(join(from, 'package.json'), join(to, 'package.json'));
  }
  writeFileSync(join(staging, 'package.json'), JSON.stringify(manifestOf(manifest, repository), null, 2));
}

/** Packs the extension for one platform. */
async function pack(target) {
  const out = values.out ?? join(values.folder, `coppice-${target}-${manifest.version}.vsix`);
  mkdirSync(dirname(resolve(out)), { recursive: true });
  const staging = join(folder, 'common');
  const files = runtimeFiles(target).map((file) => ({ from: join(root, file), to: join(staging, 'dist', file) }));
  for (const { from, to } of files) link(from, to);
  await createVSIX({
    cwd: staging,
    target,
    packagePath: resolve(out),
    dependencies: false, // they are bundled, or among MODULES
    ...addressesOf(repository),
  });
  for (const { to } of files) rmSync(to);
  console.log(`${relative(process.cwd(), resolve(out))}: ${(statSync(out).size / 1e6).toFixed(1)} MB`);
}

/** A second name for a file, or a copy where the temporary folder is on another disk. */
function link(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  try {
    linkSync(from, to);
  } catch {
    cpSync(from, to);
  }
}
