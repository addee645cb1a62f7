/** What VS Code reads of the built extension to activate it: the files that requiring its first one loads, with `vscode` made up. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** A `vscode` that has every property that the files beside the first one ask anything for. All of it is a function and does nothing. */
const LOAD = `
const { readdirSync, readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const Module = require('node:module');
const anything = new Proxy(function () {}, {
  get: (target, key) => (key === 'prototype' || typeof key === 'symbol' ? target[key] : anything),
  apply: () => anything,
  construct: () => ({ event: () => ({ dispose() {} }), fire() {}, dispose() {} }),
});
const main = process.argv[1];
const parts = readdirSync(dirname(main)).filter((file) => /^extension.*\\.cjs$/.test(file));
const texts = parts.map((file) => readFileSync(join(dirname(main), file), 'utf8'));
const names = new Set(texts.flatMap((text) => text.match(/(?<=\\.)[A-Za-z]\\w*/g) ?? []));
const vscode = Object.fromEntries([...names].map((name) => [name, anything]));
const load = Module._load;
Module._load = (name, ...rest) => (name === 'vscode' ? vscode : load(name, ...rest));
require(main);
process.stdout.write(JSON.stringify(Object.keys(require.cache).filter((file) => file.endsWith('.cjs'))));
`;

/** A file that is loaded, and its text. */
export interface LoadedFile {
  readonly name: string;
  readonly text: string;
}

/** @param main path of extension.cjs @throws Error with what Node said when it cannot be loaded */
export function loadedAtStart(main: string): LoadedFile[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', LOAD, main], {
    encoding: 'utf8',
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '' },
  });
  if (status !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as string[]).map((file) => ({ name: basename(file), text: readFileSync(file, 'utf8') }));
}
