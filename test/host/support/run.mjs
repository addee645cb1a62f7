/**
 * Runs host tests in a real VS Code: `node test/host/support/run.mjs FILE…`. Each suite (a folder below test/host) gets
 * a window of its own with a fresh workspace. A file in which something failed runs once more in a second window, for a
 * click can be lost on a busy machine: what failed twice has failed, and what failed once is named. Where no VS Code can
 * be had, every file counts as skipped, and why is said. Counts go to COPPICE_TEST_RESULT, as test/run.mjs reads them.
 *
 * VSCODE_EXECUTABLE names a desktop VS Code to use instead of the one from npm.
 */
import { resolveCliArgsFromVSCodeExecutablePath, runTests } from '@vscode/test-electron';
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import { installVSCode } from './install-vscode.mjs';

const root = resolve(import.meta.dirname, '../../..');
/** Test files are bundled into another folder, from where `../shared` leads elsewhere. */
process.env.COPPICE_SHARED ??= resolve(root, '../shared');
mkdirSync(join(root, 'test/out'), { recursive: true });
/** Below the checkout, where the tests find mocha. */
const built = mkdtempSync(join(root, 'test/out/host-'));
const files = process.argv.slice(2).map((file) => resolve(file));

/** @returns {{executable: string, home?: string}} */
function findVSCode() {
  if (process.env.VSCODE_EXECUTABLE) return { executable: process.env.VSCODE_EXECUTABLE };
  return { executable: join(import.meta.dirname, 'vscode-launcher.mjs'), home: installVSCode() };
}

/** The tests as the extension host can load them. */
async function bundle() {
  await build({
    entryPoints: [join(import.meta.dirname, 'index.ts'), ...files],
    outdir: built,
    outbase: join(root, 'test/host'),
    outExtension: { '.js': '.cjs' },
    bundle: true,
    alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' }, // its UMD build cannot be bundled
    platform: 'node',
    format: 'cjs',
    sourcemap: 'inline',
    external: ['vscode', 'mocha', 'playwright-core'],
    define: { 'import.meta.dirname': '__dirname', 'import.meta.url': '__moduleUrl' },
    banner: { js: "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
    logLevel: 'warning',
    logOverride: { 'empty-import-meta': 'error' }, // the bundle would fail in the window, where nobody sees why
  });
}

function freePort() {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

/** The suite of a file: its folder below test/host. */
const suiteOf = (file) => relative(join(root, 'test/host'), file).split(sep)[0];

/**
 * Packs the extension and installs it as a user would.
 * @returns the arguments of a window that has it, beside a stub, for VS Code runs tests only beside an extension under
 *   development. All of it lies outside the checkout, whose node_modules would stand in for what the package lacks.
 */
function installPackage(folder, { executable, home }) {
  const vsix = join(folder, 'coppice.vsix');
  execFileSync(process.execPath, [join(root, 'scripts/package.mjs'), '--out', vsix], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  console.log(`    the package has ${(statSync(vsix).size / 1e6).toFixed(1)} MB`);
  const extensions = join(folder, 'extensions');
  const stub = join(folder, 'stub');
  for (const each of [extensions, stub]) mkdirSync(each);
  const manifest = { name: 'stub', publisher: 'test', version: '0.0.0', engines: { vscode: '^1.100.0' } };
  writeFileSync(join(stub, 'package.json'), JSON.stringify(manifest));
  const launcher = home !== undefined;
  const [program, ...more] = launcher ? [executable] : resolveCliArgsFromVSCodeExecutablePath(executable);
  const args = [
    ...more,
    '--install-extension',
    vsix,
    `--extensions-dir=${extensions}`,
    `--user-data-dir=${join(folder, 'install')}`,
  ];
  execFileSync(program, args, { stdio: 'inherit', env: { ...process.env, COPPICE_VSCODE_HOME: home } });
  return { extensionDevelopmentPath: stub, extensions };
}

/** Runs the files of one suite in one window. @returns the counts of each file, none when it did not get that far */
async function runSuite(suite, members, { executable, home }) {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-host-'));
  const result = join(folder, 'result.json');
  // Outside the checkout: tests write into it, and Git asks about repositories in parent folders.
  const workspace = join(folder, 'workspace');
  mkdirSync(workspace);
  const port = await freePort();
  try {
    const packed = suite === 'vsix' ? installPackage(folder, { executable, home }) : undefined;
    process.chdir(workspace); // the extension host inherits it: relative paths into the checkout would hide missing files
    await runTests({
      vscodeExecutablePath: executable,
      extensionDevelopmentPath: packed?.extensionDevelopmentPath ?? root,
      extensionTestsPath: join(built, 'support/index.cjs'),
      extensionTestsEnv: {
        COPPICE_VSCODE_HOME: home,
        // Jobs leave a processor to the window. The installed package computes as it does for users.
        COPPICE_THREADS: packed ? '' : '1',
        COPPICE_HOST_RESULT: result,
        COPPICE_HOST_FILES: JSON.stringify(members),
        COPPICE_HOST_TESTS: join(root, 'test/host'),
        COPPICE_HOST_BUILT: built,
        COPPICE_HOST_PORT: String(port),
        COPPICE_HOST_SCREENSHOTS: join(root, 'test/out/screenshots'),
        ...(packed && { COPPICE_HOST_EXTENSIONS: packed.extensions }),
      },
      launchArgs: [
        workspace,
        `--user-data-dir=${join(folder, 'data')}`,
        `--remote-debugging-port=${port}`,
        ...(packed ? [`--extensions-dir=${packed.extensions}`] : []),
        ...(suite === 'restricted' ? ['--workspace-trust'] : []),
      ],
    });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error); // failed tests too end here
  } finally {
    process.chdir(root);
  }
  try {
    return JSON.parse(readFileSync(result, 'utf8'));
  } catch {
    return { files: {}, ended: false, times: {} };
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function report(counts) {
  const file = process.env.COPPICE_TEST_RESULT;
  if (file !== undefined) writeFileSync(file, JSON.stringify(counts));
  console.log(`${counts.passed} passed, ${counts.failures.length} failed, ${counts.skipped} skipped`);
}

async function main() {
  let vscode;
  try {
    vscode = findVSCode();
  } catch (error) {
    console.log(`host tests are skipped, VS Code cannot be installed here: ${error.message}`);
    const skipped = files.length;
    return report({ registered: skipped, passed: 0, skipped, failures: [], files, ended: true, leaked: [] });
  }
  execFileSync(process.execPath, [join(root, 'esbuild.mjs')], { cwd: root, stdio: 'inherit' });
  mkdirSync(join(root, 'test/out/screenshots'), { recursive: true });
  await bundle();
  const sum = {
    registered: 0,
    passed: 0,
    skipped: 0,
    failures: [],
    /** Of tests that failed in a first window, and not in a second. */
    again: [],
    files: [],
    ended: true,
    leaked: [],
    times: { files: {}, tests: [] },
  };
  for (const [suite, members] of grouped(files)) {
    console.log(`\n  ${suite}`);
    const first = await runSuite(suite, members, vscode);
    const failed = Object.keys(first.files).filter((file) => first.files[file].failures.length > 0);
    if (failed.length > 0) console.log(`\n  ${suite}: ${failed.length} files once more, in a second window`);
    const second = failed.length > 0 ? await runSuite(suite, failed, vscode) : { files: {}, ended: true, times: {} };
    sum.ended &&= first.ended && second.ended;
    const files = { ...first.files, ...second.files };
    sum.files.push(...Object.keys(files));
    for (const { registered, passed, skipped, failures } of Object.values(files)) {
      sum.registered += registered;
      sum.passed += passed;
      sum.skipped += skipped;
      sum.failures.push(...failures);
    }
    for (const file of failed) {
      if (files[file].failures.length === 0) sum.again.push(...first.files[file].failures);
    }
    for (const times of [first.times, second.times]) {
      for (const [file, ms] of Object.entries(times.files ?? {})) sum.times.files[sourceOf(file)] = ms;
      for (const test of times.tests ?? []) sum.times.tests.push({ ...test, file: sourceOf(test.file) });
    }
  }
  report(sum);
  if (sum.failures.length > 0 || !sum.ended) process.exitCode = 1;
}

/** The test file of one that is bundled. */
const sourceOf = (file) => join(root, 'test/host', relative(built, file).replace(/\.cjs$/, '.ts'));

function grouped(list) {
  const groups = new Map();
  for (const file of list) groups.set(suiteOf(file), [...(groups.get(suiteOf(file)) ?? []), file]);
  return groups;
}

try {
  await main();
} finally {
  rmSync(built, { recursive: true, force: true });
}
