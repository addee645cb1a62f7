/**
 * `npm run check`: types, lint and format. The programs know nothing of each other and use one processor each, so two run at a
 * time, the longest first; what one says is shown when it ends.
 */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { makeOptions } from './library/make-options.mjs';

const root = resolve(import.meta.dirname, '..');

/** A file below node_modules and its arguments. */
const CHECKS = [
  ['eslint/bin/eslint.js', '.'],
  ['typescript/bin/tsc', '--noEmit'],
  ['prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
  ['typescript/bin/tsc', '--noEmit', '-p', 'webview'],
];

/** Runs one. @returns whether it found nothing */
function passes([file, ...args]) {
  const program = join(root, 'node_modules', file);
  const child = spawn(process.execPath, [program, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => said.push(piece));
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => {
      process.stdout.write(Buffer.concat(said));
      done(code === 0);
    });
  });
}

await makeOptions();

const waiting = [...CHECKS];
async function inTurn() {
  let passed = true;
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) passed = (await passes(next)) && passed;
  return passed;
}
const passed = await Promise.all([inTurn(), inTurn()]);
process.exitCode = passed.every(Boolean) ? 0 : 1;
