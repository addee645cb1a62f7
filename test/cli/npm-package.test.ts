/** The npm package: packed, installed into an empty folder by npm, and used there as its users do. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { builtinModules as NODE } from 'node:module';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import ts from 'typescript';
import { buildCli, coppice, jsonOf } from '../support/built-cli';
import { itFull } from '../support/shared';
import { temporaryFolder } from '../support/temporary';

const root = resolve(import.meta.dirname, '../..');
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
const project = JSON.parse(textOf('package.json')) as Manifest;
const run = promisify(execFile);

const PAGE = 'https://example.org/owner/name';

interface Manifest {
  readonly repository?: unknown;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
}

/** Nothing of the npm that runs the tests, but for where packages come from. */
const environment = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(package|lifecycle|config_local|command|execpath)/.test(name),
    ),
  ),
  ONNXRUNTIME_NODE_INSTALL: 'skip',
};

/** What npm says where it cannot reach its registry, and has not kept the packages either. */
const UNREACHABLE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|E403|E407|E50\d/;

/** Times, memory and places differ from run to run. */
const CHANGING = /seconds|rss|persecond|firsttoken|range|^(out|path|record)$/i;
const comparable = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (name, each: unknown) => (CHANGING.test(name) ? undefined : each)));

/** Small, so that a run takes a second or two. */
const ROWS = { samples: 2, length: 32, device: 'cpu', threads: 1 };
const HEALING = { tokens: 512, seed: 7, device: 'cpu', threads: 1 };
const TEXT = { limit: 4, window: 64, device: 'cpu', threads: 1 };
const flags = (options: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);

/** Scores, prunes, heals and evaluates. Prints one line of JSON. */
const SCRIPT = `
import { writeFileSync } from 'node:fs';
import { UserError, evaluate, heal, inspect, prune, score, toJson, version } from 'coppice';

const sample = 'node_modules/coppice/media/sample';
const calibration = sample + '/calibration.txt';
const text = sample + '/evaluation.txt';
const about = await inspect(sample);
const scores = await score({ checkpoint: sample, calibration, ...${JSON.stringify(ROWS)} });
writeFileSync('few.json', toJson(scores));
const pruned = await prune({ checkpoint: sample, scores: 'few.json', count: 3, out: 'short' });
const data = [calibration];
const healing = ${JSON.stringify(HEALING)};
const healed = await heal({ checkpoint: sample, remove: pruned.removed, data, out: 'short-healed', ...healing });
const evaluated = await evaluate({ checkpoint: healed.out, text, against: sample, ...${JSON.stringify(TEXT)} });
const refused = await score({ checkpoint: sample, criterion: 'greedy', calibration }).catch((error) => error);
const told = [refused instanceof UserError, refused.action];
console.log(toJson({ about, scores, pruned, healed, evaluated, version, told }));
`;

/** What that script has made, in the other kind of module. */
const REQUIRING = `
const { evaluate, toJson } = require('coppice');

const sample = 'node_modules/coppice/media/sample';
const text = sample + '/evaluation.txt';
evaluate({ checkpoint: 'short-healed', text, against: sample, ...${JSON.stringify(TEXT)} }).then(
  (evaluated) => console.log(toJson({ evaluated })),
);
`;

/** What the script prints. */
interface Found {
  readonly about: unknown;
  readonly scores: unknown;
  readonly pruned: { readonly removed: readonly number[] };
  readonly healed: unknown;
  readonly evaluated: unknown;
  readonly version: string;
  readonly told: readonly unknown[];
}

describe('the npm package', function () {
  this.timeout('4m');
  let folder: string;
  const inside = (...parts: string[]): string => join(folder, 'node_modules/coppice', ...parts);
  const here = (file: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> =>
    run(file, args, { cwd: folder, env: environment, shell: process.platform === 'win32', maxBuffer: 64e6 });

  before(async function () {
    buildCli();
    const packed = temporaryFolder();
    const places = ['--folder', packed, '--staging', join(packed, 'staging'), '--repository', `${PAGE}.git`];
    const build = ['--import', 'tsx', 'scripts/npm-package.ts', ...places];
    await run(process.execPath, build, { cwd: root, env: environment });
    folder = temporaryFolder();
    const file = join(packed, `coppice-${project.version}.tgz`);
    try {
      await here('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', file);
    } catch (error) {
      if (!UNREACHABLE.test(String(error))) throw error;
      console.log('      npm cannot reach its registry: the package is not installed');
      this.skip();
    }
  });

  it('has the programs, their licences and the sample model, and no source', () => {
    const files = readdirSync(inside(), { recursive: true, encoding: 'utf8' }).map((each) =>
      each.replaceAll('\\', '/'),
    );
    for (const file of [
      ...[
        'cli.cjs',
        'commands.cjs',
        'mcp.cjs',
        'sidecar.cjs',
        'library.cjs',
        'library.d.cts',
        'library.d.mts',
        'library.mjs',
        'tokenizer.cjs',
        'quantizer.cjs',
        'package.json',
      ],
      ...[
        'README.md',
        'CHANGELOG.md',
        'LICENSE',
        'NOTICE',
        'THIRD-PARTY-NOTICES.txt',
        'webview/report.js',
        'webview/report.css',
      ],
      ...['media/sample/model.safetensors', 'media/sample/tokenizer.json', 'media/coppice-tasks.schema.json'],
      ...['media/hand-over/check.py', 'media/hand-over/trl/train.py'],
    ]) {
      assert.ok(files.includes(file), file);
    }
    assert.deepEqual(
      files.filter((file) => /\.(ts|tsx|map|node)$|node_modules|extension\.cjs/.test(file)),
      [],
    );
    const bytes = files.reduce(
      (sum, file) => sum + (statSync(inside(file)).isFile() ? statSync(inside(file)).size : 0),
      0,
    );
    assert.ok(bytes < 16e6, `${bytes} bytes`); // a third of it is the sample model
  });

  it('depends on onnxruntime alone, as the project does', () => {
    const manifest = JSON.parse(readFileSync(inside('package.json'), 'utf8')) as Manifest;
    assert.deepEqual(manifest.dependencies, { 'onnxruntime-node': project.dependencies['onnxruntime-node'] });
    assert.equal(manifest.version, project.version);
    assert.deepEqual(manifest.bin, { coppice: 'cli.cjs' });
    assert.deepEqual(manifest.repository, project.repository ?? { type: 'git', url: `git+${PAGE}.git` });
    // Everything that a bundle loads at run time is Node's own or that. What ajv names is in code that it would write to a file.
    const known = [...NODE, ...NODE.map((name) => `node:${name}`), 'onnxruntime-node'];
    for (const name of readdirSync(inside()).filter((file) => file.endsWith('.cjs'))) {
      const loaded = [...readFileSync(inside(name), 'utf8').matchAll(/\brequire\("([^"]+)"\)/g)].map(
        ([, found]) => found,
      );
      assert.deepEqual(
        loaded.filter((each) => !known.includes(each) && !/^ajv(-formats)?\/dist\//.test(each)),
        [],
        name,
      );
    }
  });

  it('names the licence of every package that is in a bundle', () => {
    const notices = readFileSync(inside('THIRD-PARTY-NOTICES.txt'), 'utf8');
    for (const name of ['commander', '@huggingface/tokenizers', '@bufbuild/protobuf', '@observablehq/plot']) {
      assert.match(notices, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+.* \\(.+\\)$`, 'm'));
    }
  });

  it('has the command', async () => {
    assert.equal((await here('npx', 'coppice', '--version')).stdout, `${project.version}\n`);
    const args = ['inspect', join(root, 'media/sample'), '--json'];
    const { stdout } = await here('npx', 'coppice', ...args);
    assert.equal(stdout, (await coppice(args)).stdout);
  });

  it('finds the numbers of the command line, by import and by require', async () => {
    writeSource('main.mjs', SCRIPT);
    writeSource('main.cjs', REQUIRING);
    const imported = JSON.parse((await here('node', 'main.mjs')).stdout) as Found;
    const required = JSON.parse((await here('node', 'main.cjs')).stdout) as Found;
    assert.deepEqual(comparable(required.evaluated), comparable(imported.evaluated));
    assert.equal(imported.version, project.version);
    assert.deepEqual(imported.told, [true, 'Add `count: 6`, or another number of blocks.']);

    const sample = inside('media/sample');
    const out = temporaryFolder();
    const of = async (...args: string[]): Promise<unknown> => comparable(jsonOf(await coppice([...args, '--json'])));
    const calibration = ['--calibration', join(sample, 'calibration.txt')];
    const data = ['--data', join(sample, 'calibration.txt')];
    const text = ['--text', join(sample, 'evaluation.txt')];
    const remove = ['--remove', imported.pruned.removed.join(',')];
    const scores = join(folder, 'few.json');
    assert.deepEqual(comparable(imported.about), await of('inspect', sample));
    assert.deepEqual(comparable(imported.scores), await of('score', sample, ...calibration, ...flags(ROWS)));
    const pruning = ['--scores', scores, '--count', '3', '--out', join(out, 'short')];
    assert.deepEqual(comparable(imported.pruned), await of('prune', sample, ...pruning));
    const healed = join(out, 'short-healed');
    const healing = [...remove, ...data, '--out', healed, ...flags(HEALING)];
    assert.deepEqual(comparable(imported.healed), await of('heal', sample, ...healing));
    const evaluation = [...text, '--against', sample, ...flags(TEXT)];
    assert.deepEqual(comparable(imported.evaluated), await of('eval', healed, ...evaluation));
    assert.deepEqual(
      readFileSync(join(folder, 'short-healed/model.safetensors')),
      readFileSync(join(healed, 'model.safetensors')),
    );
  });

  it('has types by which the examples of its documentation compile, strictly', () => {
    const types = readFileSync(inside('library.d.mts'), 'utf8');
    assert.equal(readFileSync(inside('library.d.cts'), 'utf8'), types);
    const documented = [...types.matchAll(/^ \* ```ts\n([^]*?)^ \* ```$/gm)].map(([, code]) =>
      code.replace(/^ \* ?/gm, ''),
    );
    const readme = [...textOf('README.npm.md').matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code);
    assert.ok(documented.length >= 19 && readme.length >= 2);
    const files = [...documented, ...readme].map((code, at) => writeSource(`example-${at}.mts`, code));
    const required = writeSource(
      'required.cts',
      `import coppice = require('coppice');\nconst scores: Promise<coppice.ScoreResult> = coppice.score({ checkpoint: 'x' });\nvoid scores;\n`,
    );
    const wrong = writeSource(
      'wrong.mts',
      `import { score } from 'coppice';\nawait score({ checkpoint: 'x', cuont: 6 });\n`,
    );
    const [error, ...others] = errorsOf([...files, required, wrong], ts.ModuleResolutionKind.Node16);
    assert.match(error, /wrong\.mts.*'cuont' does not exist in type 'ScoreOptions'/);
    assert.deepEqual(others, []);
    assert.deepEqual(errorsOf(files, ts.ModuleResolutionKind.Bundler), []);
  });

  it('prints an error that nobody catches so that it can be read', async () => {
    writeSource('uncaught.mjs', `import { inspect } from 'coppice';\nawait inspect('nothing');\n`);
    const { stderr } = (await here('node', 'uncaught.mjs').catch((error: unknown) => error)) as { stderr: string };
    assert.match(stderr, /^UserError: Cannot read nothing: there is no .*nothing$/m);
    assert.ok(Math.max(...stderr.split('\n').map((line) => line.length)) < 400, stderr);
  });

  it('serves agents', async () => {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [inside('cli.cjs'), 'mcp'],
      cwd: folder,
    });
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(transport);
    const { tools } = await client.listTools();
    await client.close();
    assert.ok(tools.some(({ name }) => name === 'coppice_inspect'));
  });

  itFull('the script of its page runs as it is written', async () => {
    const [script] = [...textOf('README.npm.md').matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code);
    writeFileSync(join(folder, 'page.mjs'), script);
    const { stdout } = await here('node', 'page.mjs');
    const found = stdout
      .trim()
      .split('\n')
      .map((line) => Number(line.split(' ').at(-1)));
    assert.equal(found.length, 3);
    const [whole, pruned, healed] = found;
    assert.ok(whole < healed && healed < pruned, stdout);
  });

  itFull('has the demo', async () => {
    const { stdout } = await here('npx', 'coppice', 'demo');
    assert.match(stdout, /5\. Compare/);
    assert.ok(existsSync(join(folder, 'coppice-demo/report.html')));
  });

  function writeSource(name: string, code: string): string {
    writeFileSync(join(folder, name), code);
    return join(folder, name);
  }

  /** What TypeScript says of files of the folder. It checks declarations too. */
  function errorsOf(files: readonly string[], moduleResolution: ts.ModuleResolutionKind): string[] {
    const types = join(folder, 'node_modules/@types');
    if (!existsSync(types)) symlinkSync(join(root, 'node_modules/@types'), types, 'junction');
    const isNode = moduleResolution === ts.ModuleResolutionKind.Node16;
    const options: ts.CompilerOptions = {
      ...{ strict: true, noEmit: true, skipLibCheck: false, moduleResolution, types: ['node'], typeRoots: [types] },
      lib: ['lib.es2022.d.ts'],
      target: ts.ScriptTarget.ES2022,
      module: isNode ? ts.ModuleKind.Node16 : ts.ModuleKind.ESNext,
    };
    return ts
      .getPreEmitDiagnostics(ts.createProgram(files, options))
      .map(({ file, messageText }) => `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
  }
});
