#!/usr/bin/env node
/**
 * Takes the place of the VS Code desktop program where that cannot be had: understands the arguments that
 * @vscode/test-electron gives it, runs VS Code's own server with a headless Chromium as its window, and ends with the
 * exit code of the tests. COPPICE_VSCODE_HOME is the folder that install-vscode.mjs has laid.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { format, parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const home = process.env.COPPICE_VSCODE_HOME;
const verbose = process.env.COPPICE_VSCODE_VERBOSE === '1';
/** With real models it takes longer. */
const LIMIT_MS = (process.env.COPPICE_TEST_FULL === '1' ? 60 : 20) * 60_000;
/** Exit codes that no test run has. */
const HOST_DIED = 70;
const TOO_LONG = 124;

const { values: options, positionals } = parseArgs({
  strict: false, // the flags of Electron mean nothing here
  allowPositionals: true,
  options: {
    extensionDevelopmentPath: { type: 'string', multiple: true, default: [] },
    extensionTestsPath: { type: 'string' },
    'user-data-dir': { type: 'string' },
    'extensions-dir': { type: 'string' },
    'install-extension': { type: 'string' },
    'remote-debugging-port': { type: 'string' },
    'window-size': { type: 'string', default: '1280,800' },
    'workspace-trust': { type: 'boolean', default: false },
  },
});

/** What the workbench itself says in the console of the tests. */
const CHATTER =
  /^(Ignoring fetching additional|Updating additional|Creating a socket|Resolv(ing|ed) connection token|Error while fetching the extension under development|Creation of workbench contribution|Timed out waiting for authentication|Request to .* failed with status code 404|Loading development extension|Aborted onWillSaveTextDocument|Extension host \(Remote\) is |\[(reconnection-grace-time|AgentHost|AccountPolicyGate|Service Worker))/;

const scratch = mkdtempSync(join(tmpdir(), 'vsc-')); // a short name: the paths of sockets below it have a limit
const userData = resolve(options['user-data-dir'] ?? join(scratch, 'data'));
const serverArguments = [
  join(home, 'vscode', 'out', 'server-main.js'),
  '--accept-server-license-terms',
  '--disable-telemetry',
  `--server-data-dir=${join(scratch, 'server')}`,
  `--user-data-dir=${userData}`,
  `--extensions-dir=${resolve(options['extensions-dir'] ?? join(scratch, 'extensions'))}`,
];
const environment = { EXTENSIONS_GALLERY: '{"serviceUrl":""}', ...process.env, TMPDIR: scratch };

let server;
let browser;
let ending = false;
let hostDied = false;

async function end(code, why) {
  if (ending) return;
  ending = true;
  clearTimeout(limit);
  if (why) console.error(`launcher: ${why}`);
  await browser?.close().catch(() => undefined);
  await endServer();
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  process.exit(code);
}

/** The server and all that it started: extension host, watchers, language servers. */
async function endServer() {
  const signal = (name) => {
    try {
      return process.kill(-server.pid, name);
    } catch {
      return false; // the group is gone
    }
  };
  if (!server?.pid) return;
  signal('SIGTERM');
  for (let i = 0; i < 20 && signal(0); i++) await pause(100);
  signal('SIGKILL');
}

const limit = setTimeout(() => void end(TOO_LONG, `no result after ${LIMIT_MS / 1000} s`), LIMIT_MS);
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => void end(130, name));
process.on('uncaughtException', (error) => void end(1, error.stack));
process.on('unhandledRejection', (error) => void end(1, error.stack));

/** A quiet workbench, unless the caller has written settings. */
function writeSettings() {
  const file = join(userData, 'User', 'settings.json');
  if (existsSync(file)) return;
  mkdirSync(join(userData, 'User'), { recursive: true });
  const settings = {
    'chat.disableAIFeatures': true,
    'editor.cursorBlinking': 'solid',
    'editor.minimap.enabled': false,
    'extensions.autoCheckUpdates': false,
    'extensions.autoUpdate': false,
    'git.openRepositoryInParentFolders': 'never',
    'security.workspace.trust.startupPrompt': 'never',
    'telemetry.telemetryLevel': 'off',
    'update.mode': 'none',
    'workbench.enableExperiments': false,
    'workbench.reduceMotion': 'on',
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'workbench.startupEditor': 'none',
  };
  writeFileSync(file, JSON.stringify(settings, null, 2));
}

/** @returns the address of the workbench */
async function startServer() {
  const trust = options['workspace-trust'] ? [] : ['--disable-workspace-trust'];
  const args = [...serverArguments, '--host=127.0.0.1', '--port=0', '--without-connection-token', ...trust];
  server = spawn(join(home, 'node'), args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: environment });
  return new Promise((found, fail) => {
    let said = '';
    const listen = (data) => {
      if (verbose) process.stderr.write(data);
      said = (said + String(data)).slice(-10_000);
      const port = /Web UI available at http:\S+:(\d+)/.exec(said)?.[1];
      if (port) found(new URL(`http://127.0.0.1:${port}/`));
      // The window asks for an extension host that the server no longer has.
      if (said.includes('Unknown reconnection token')) hostDied = true;
    };
    server.stdout.on('data', listen);
    server.stderr.on('data', listen);
    server.on('error', fail);
    server.on('exit', (code) => {
      fail(new Error(`the server ended with ${code}: ${said}`));
      void end(1, `the server ended with ${code}`);
    });
  });
}

/** How the workbench names a file of the machine that its server runs on. */
function remote(url, path) {
  const { pathname } = pathToFileURL(resolve(path));
  return { scheme: 'vscode-remote', authority: url.host, path: decodeURIComponent(pathname) };
}

/** Puts the extension under development, and its tests, into the page's own configuration. */
async function developExtensions(page, url) {
  const developmentOptions = {
    extensions: options.extensionDevelopmentPath.map((path) => remote(url, path)),
    extensionTestsPath: options.extensionTestsPath && remote(url, options.extensionTestsPath),
  };
  const isWorkbench = (at) => at.origin === url.origin && at.pathname === '/';
  await page.route(isWorkbench, async (route) => {
    const response = await route.fetch();
    const html = await response.text();
    const body = html.replace(
      /(id="vscode-workbench-web-configuration" data-settings=")([^"]*)/,
      (_all, before, settings) => {
        const known = JSON.parse(settings.replaceAll('&quot;', '"').replaceAll('&amp;', '&'));
        const text = JSON.stringify({ ...known, developmentOptions });
        return before + text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
      },
    );
    if (body === html) return end(1, 'the page of the workbench has another form than expected');
    return route.fulfill({ response, body });
  });
}

/** What turns while a job runs turns once: a window without a GPU is drawn by the processor that the job needs. */
const ONCE = `
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('*, *::before, *::after { animation-iteration-count: 1 !important; }');
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
`;

async function openWindow(url) {
  const [width, height] = options['window-size'].split(',').map(Number);
  const port = options['remote-debugging-port'];
  browser = await chromium.launchPersistentContext(join(scratch, 'browser'), {
    executablePath: join(home, 'chromium'),
    headless: true,
    viewport: { width, height },
    reducedMotion: 'reduce',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      // A page that was intercepted counts as a public one, which may not connect to this machine.
      '--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets',
      ...(port ? [`--remote-debugging-port=${port}`] : []),
    ],
  });
  await browser.addInitScript({ content: ONCE });
  const [page] = browser.pages();
  page.on('crash', () => void end(1, 'the page crashed'));
  page.on('close', () => void end(1, 'the page was closed'));
  if (verbose) page.on('console', (message) => console.error(`page: ${message.text()}`));
  // The two functions that the workbench calls while it runs the tests of an extension.
  await page.exposeFunction('codeAutomationLog', (_type, args) => {
    const line = format(...args);
    if (verbose || !CHATTER.test(line)) console.log(line);
  });
  await page.exposeFunction('codeAutomationExit', (code) => {
    // Of a host that died the workbench says 0; the server knows better a moment later.
    setTimeout(() => void (hostDied ? end(HOST_DIED, 'the extension host died') : end(code)), 200);
  });
  await developExtensions(page, url);
  await page.goto(url.href);
}

async function main() {
  const vsix = options['install-extension'];
  if (vsix !== undefined) {
    const args = [...serverArguments, `--install-extension=${resolve(vsix)}`, '--force'];
    const { status } = spawnSync(join(home, 'node'), args, { stdio: 'inherit', env: environment });
    return end(status ?? 1);
  }
  if (options.extensionTestsPath && options.extensionDevelopmentPath.length === 0) {
    throw new Error('VS Code runs tests only beside an extension under development');
  }
  const folder = positionals.find((path) => existsSync(path));
  // Without this an empty window would open, and the tests fail for no visible reason.
  if (positionals.length > 0 && !folder) throw new Error(`there is no ${positionals.join(', ')}`);
  writeSettings();
  const url = await startServer();
  if (!folder) url.searchParams.set('ew', 'true');
  else url.searchParams.set(folder.endsWith('.code-workspace') ? 'workspace' : 'folder', remote(url, folder).path);
  url.searchParams.set(
    'payload',
    JSON.stringify([
      ['skipWelcome', 'true'],
      ['skipReleaseNotes', 'true'],
    ]),
  );
  return openWindow(url);
}

await main();
