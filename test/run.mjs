#!/usr/bin/env node
/**
 * Bundles the tests, runs each part in a mocha process of its own, and ends with one line `N passed, N failed, N skipped`.
 *
 *   node test/run.mjs [--full] [--times] [WORD…]
 *
 * WORD is the name of a part, or something that occurs in a test file's path. --times ends with the files and tests that took
 * longest.
 *
 * Nothing is left out silently: a test file that belongs to no part, cannot be bundled, or registers no test, and a test that was
 * registered but never ran, count as failed; so do a part that crashed or that would not exit.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, constants, setPriority, tmpdir } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import { performance } from 'node:perf_hooks';
import { makeOptions } from '../scripts/library/make-options.mjs';
import { buildInto, prepareFolder } from './support/build.mjs';
import { bundle, bundled } from './support/bundle.mjs';
import { softwareGpuEnvironment } from './support/swiftshader.mjs';

const root = resolve(import.meta.dirname, '..');

/** The command of a part: mocha over these files as they were bundled, with the settings of .mocharc.json. */
const mocha = (files, ...options) => [
  process.execPath,
  '--enable-source-maps',
  join(root, 'node_modules/mocha/bin/mocha.js'),
  '--config',
  join(bundleFolder, 'mocharc.json'),
  '--reporter',
  join(root, 'test/support/reporter.mjs'),
  ...options,
  ...files.map((file) => bundled(bundleFolder, file)),
];

/** Unit tests are quick: one that hangs says so soon, also where other parts take both processors. */
const unit = (files) => mocha(files, '--timeout', '60000');

/** Host tests bring a VS Code to run in. */
const host = (files) => [process.execPath, join(root, 'test/host/support/run.mjs'), ...files];

/** How many parts run at any time: one for each processor, and two more while others wait for a process, a page or a window. */
const LANES = availableParallelism() + 2;

/** Half of the engine's tests, as far as they take time: what is chosen, healed, trained and measured. */
const METHODS = ['evaluate', 'golden', 'heal', 'importance', 'retrain'].map((room) => `test/engine/${room}`);

/**
 * The parts in the order in which they begin. What is not `urgent` runs at a lower priority: clicks in a window are lost where it is
 * slow. `folders` hold the part's `*.test.ts`, as long as no part before it has them; `env()` is added to the environment.
 */
const PARTS = [
  { name: 'host', folders: ['test/host/main'], command: host, urgent: true },
  { name: 'methods', folders: METHODS, command: mocha },
  { name: 'engine', folders: ['test/engine'], command: mocha },
  { name: 'cli', folders: ['test/cli'], command: mocha },
  { name: 'webview', folders: ['test/webview'], command: mocha },
  { name: 'unit', folders: ['test/unit'], command: unit },
  { name: 'sidecar', folders: ['test/sidecar'], command: mocha },
  { name: 'webgpu', folders: ['test/webgpu'], command: mocha, env: softwareGpuEnvironment },
  { name: 'windows', folders: ['test/host/restricted', 'test/host/vsix'], command: host },
];

/** What every part's machine does in a second: none measures it at first, which takes two. */
const MEASURED = { flops: 2e11, bytes: 1e10, numbers: 1e9, files: 1e9 };

/** Parts share the processors: threads of onnxruntime that wait for work keep one busy, and take it from another part. */
const SHARED = { COPPICE_THREADS: '1' };

/** Test files on disk, relative to the root, with forward slashes. */
function testFiles() {
  return readdirSync(join(root, 'test'), { recursive: true })
    .map((file) => `test/${file.split(sep).join('/')}`)
    .filter((file) => file.endsWith('.test.ts'))
    .sort();
}

/**
 * Runs one part; resolves to its counts and to what is wrong with the run itself.
 * @param quiet keeps its output, which is the outcome's `output` then
 */
async function runPart({ name, command, env, urgent }, files, quiet) {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-test-'));
  const resultFile = join(folder, 'result.json');
  const cache = join(folder, 'cache');
  mkdirSync(cache);
  writeFileSync(join(cache, 'speeds.json'), JSON.stringify({ first: { cpu: MEASURED } }));
  const kept = openSync(join(folder, 'output'), 'w+');
  try {
    const [program, ...args] = command(files);
    const child = spawn(program, args, {
      cwd: root,
      stdio: quiet ? ['inherit', kept, kept] : 'inherit',
      env: {
        ...process.env,
        ...SHARED,
        ...env?.(),
        ...(programs && { COPPICE_TEST_BUILT: programs }),
        ...(bundleFolder && { COPPICE_TEST_BUNDLE: bundleFolder }),
        COPPICE_TEST_RESULT: resultFile,
        COPPICE_CACHE: cache,
        COPPICE_TEST_PICTURES: words.length > 0 || full ? '1' : '0',
      },
    });
    if (!urgent) giveWay(child);
    const end = await new Promise((done) => {
      child.on('error', (error) => done(error.message));
      child.on('exit', (code, signal) => done(signal ?? code));
    });
    const result = readResult(resultFile);
    const output = readFileSync(join(folder, 'output'));
    return { ...judge(result, files, end), name, times: result?.times, output };
  } finally {
    closeSync(kept);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lowers the priority of a process that has just begun, and so of all that it starts. */
function giveWay({ pid }) {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended.
  }
}

function readResult(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined; // the process ended before it had loaded every file
  }
}

/** Counts of a part; each problem of the run itself counts as one failure, each test that never ran as another. */
function judge(result, files, end) {
  if (result === undefined) {
    return { passed: 0, failed: 1, skipped: 0, problems: [`ended (${end}) before a test ran`] };
  }
  const { passed, skipped, registered, failures, again = [], ended, leaked } = result;
  const problems = [];
  const loaded = new Set(result.files.map((file) => relative(root, file).split(sep).join('/')));
  for (const file of files) if (!loaded.has(file)) problems.push(`${file} registers no test`);
  if (registered === 0) problems.push('ran nothing');
  if (!ended) problems.push(`crashed (${end})`);
  else if (leaked.length > 0) problems.push(`did not exit; still open: ${leaked.join(', ')}`);
  else if (end !== 0 && failures.length === 0) problems.push(`ended with ${end}`);
  const neverRan = Math.max(0, registered - passed - skipped - failures.length);
  if (neverRan > 0) problems.push(`${neverRan} tests never ran`);
  const failed = failures.length + neverRan + problems.length - (neverRan > 0 ? 1 : 0);
  return { passed, failed, skipped, failures, again, problems };
}

const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const options = process.argv.slice(2).filter((word) => word.startsWith('-'));
const unknown = options.find((word) => word !== '--full' && word !== '--times');
if (unknown !== undefined) {
  console.error(`unknown option ${unknown}; usage: node test/run.mjs [--full] [--times] [WORD…]`);
  process.exit(2);
}
const full = options.includes('--full');
if (full) process.env.COPPICE_TEST_FULL = '1';

const all = testFiles();
const partOf = (file) => PARTS.find(({ folders }) => folders.some((folder) => file.startsWith(`${folder}/`)));
const chosen = (file) => words.length === 0 || words.some((word) => partOf(file)?.name === word || file.includes(word));

const outcomes = [];
const homeless = all.filter((file) => partOf(file) === undefined);
if (homeless.length > 0) {
  const problems = homeless.map((file) => `${file} belongs to no part`);
  outcomes.push({ name: 'files', passed: 0, failed: homeless.length, skipped: 0, problems });
}
const filesOf = (part) => all.filter((file) => partOf(file) === part && chosen(file));
const withFiles = PARTS.filter((part) => filesOf(part).length > 0);
if (words.length === 0) {
  for (const { name, folders } of PARTS.filter((part) => !withFiles.includes(part))) {
    outcomes.push({ name, passed: 0, failed: 1, skipped: 0, problems: [`no test in ${folders.join(', ')}`] });
  }
}
process.once('SIGINT', () => process.exit(130)); // so that what was built is removed
await makeOptions();
// What every part would build for itself, once.
const programs = withFiles.length > 1 ? mkdtempSync(join(tmpdir(), 'coppice-built-')) : undefined;
if (programs !== undefined) {
  process.once('exit', () => rmSync(programs, { recursive: true, force: true }));
  prepareFolder(programs);
  buildInto(programs);
}
const bundleFolder = await bundleTests(withFiles.filter(({ command }) => command !== host).flatMap(filesOf));
const runnable = withFiles.filter(({ command }) => command === host || bundleFolder !== undefined);
// One lane is shown as it runs; what the others print is shown when a part of theirs ends.
const ran = await Promise.all(Array.from({ length: LANES }, (_, lane) => inTurn(runnable, lane > 0)));
outcomes.push(...PARTS.flatMap(({ name }) => ran.flat().filter((outcome) => outcome.name === name)));
if (outcomes.length === 0) {
  outcomes.push({ name: words.join(' '), passed: 0, failed: 1, skipped: 0, problems: ['no such test'] });
}

/** The folder of these files' bundle; undefined if there are none, or if one cannot be bundled, which is a failure. */
async function bundleTests(files) {
  try {
    return files.length > 0 ? await bundle(files) : undefined;
  } catch (error) {
    outcomes.push({ name: 'bundle', passed: 0, failed: 1, skipped: 0, problems: [error.message] });
  }
}

/** Runs the first of these parts, and then each that nothing else has begun, one after the other. */
async function inTurn(parts, quiet) {
  const ended = [];
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    ended.push(await timed(part, filesOf(part), quiet));
  }
  return ended;
}

/**
 * What took longest of the processors, for parts run side by side: files with what prepares them, and tests. What a test starts and
 * does not end (a page, a window) is not counted.
 */
function tellTimes() {
  const times = outcomes.flatMap((outcome) => outcome.times ?? []);
  const place = (file) => relative(root, file).split(sep).join('/');
  const seconds = (ms) => (ms / 1000).toFixed(1).padStart(7);
  const list = (heading, entries) => {
    console.log(`\n${heading}:\n  of the processors, by the clock`);
    for (const { title, ms, cpu } of entries.toSorted((a, b) => b.cpu - a.cpu).slice(0, 60))
      console.log(`${seconds(cpu)} s ${seconds(ms)} s  ${title}`);
  };
  const files = times.flatMap((part) => Object.entries(part.files));
  list(
    'Files that took longest',
    files.map(([file, took]) => ({ title: place(file), ...took })),
  );
  const tests = times.flatMap((part) => part.tests);
  list(
    'Tests that took longest',
    tests.map(({ file, title, ...took }) => ({ title: `${place(file)}: ${title}`, ...took })),
  );
  console.log('');
}

async function timed(part, files, quiet) {
  const head = `\n── ${part.name}: ${files.length} files`;
  if (!quiet) console.log(head);
  const start = performance.now();
  const outcome = await runPart(part, files, quiet);
  const seconds = (performance.now() - start) / 1000;
  if (quiet) {
    console.log(head);
    process.stdout.write(outcome.output);
  }
  return { ...outcome, seconds };
}

console.log('');
const sum = { passed: 0, failed: 0, skipped: 0 };
for (const { name, failures = [] } of outcomes)
  for (const failure of failures) console.log(`failed: ${name}: ${failure}`);
for (const { name, again = [] } of outcomes) {
  for (const failure of again) console.log(`passed in a second window only: ${name}: ${failure}`);
}
for (const { name, passed, failed, skipped, seconds, problems } of outcomes) {
  const time = seconds === undefined ? '' : ` in ${seconds.toFixed(0)} s`;
  console.log(`${name}: ${passed} ok, ${failed} not ok, ${skipped} skipped${time}`);
  for (const problem of problems) console.log(`  ${name}: ${problem}`);
  sum.passed += passed;
  sum.failed += failed;
  sum.skipped += skipped;
}
if (options.includes('--times')) tellTimes();
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed > 0 ? 1 : 0;
