/** The packages of all platforms, made by one command and unpacked: each has what it needs and nothing of another. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { binaryOf, type Binary } from '../support/binaries';
import { itFull } from '../support/shared';
import { temporaryFolder } from '../support/temporary';
import { Zip } from '../support/zip';

const root = resolve(import.meta.dirname, '../..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

const MOST_BYTES = 30e6;
/** Of the Marketplace, with those that vsce adds. */
const MOST_TAGS = 30;
const FORMATS: Readonly<Record<string, Binary['format']>> = { linux: 'ELF', darwin: 'Mach-O', win32: 'PE' };

/** All binaries of each package; there is none for darwin-x64, as onnxruntime-node has none for it. */
const WINDOWS = ['dxcompiler.dll', 'dxil.dll', 'onnxruntime.dll', 'onnxruntime_binding.node'];
const BINARIES: Readonly<Record<string, readonly string[]>> = {
  'linux-x64': ['libonnxruntime.so.1', 'onnxruntime_binding.node'],
  'linux-arm64': ['libonnxruntime.so.1', 'onnxruntime_binding.node'],
  'darwin-arm64': ['libonnxruntime.1.dylib', 'onnxruntime_binding.node'],
  'win32-x64': WINDOWS,
  'win32-arm64': WINDOWS,
};
/** What the systems do not bring: if a binary needs one of these, it has to be in the package. */
const OURS = /onnxruntime|^dx|directml|webgpu|dawn/i;

/** Everything that a package may have; in the folder `extension` if nothing else is said. */
const ALLOWED = [
  /^extension\.vsixmanifest$/,
  /^\[Content_Types\]\.xml$/,
  /^extension\/(package\.json|package\.nls(\.[\w-]+)?\.json|readme\.md|changelog\.md|LICENSE\.txt|NOTICE|THIRD-PARTY-NOTICES\.txt)$/,
  /^extension\/dist\/(\w+|extension-[A-Z0-9]{8})\.cjs$/,
  /^extension\/dist\/webview\/\w+\.(js|css)$/,
  /^extension\/dist\/node_modules\/onnxruntime-(node|common)\/(package\.json|dist\/[\w./-]+\.js|dist\/cjs\/package\.json)$/,
  /^extension\/dist\/node_modules\/onnxruntime-node\/bin\/napi-v6\/\w+\/\w+\/[\w.]+$/,
  /^extension\/media\/([\w.-]+\.(svg|png|schema\.json)|walkthrough\/[\w-]+\.(svg|md)|sample\/[\w.-]+|hand-over\/(\w+\/)?\w+\.py)$/,
  /^extension\/(recipes\/[\w/.-]+\.(coppice\.json|md)|skills\/[\w/.-]+\.md|l10n\/[\w.-]+\.json)$/,
];

/** Texts of a JSON value that name a file of the extension. */
function filesNamed(value: unknown): string[] {
  if (typeof value === 'string')
    return /^\.?\/?(media|dist|skills|recipes|l10n)\/[\w./-]+\.\w+$/.test(value) ? [value] : [];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(filesNamed) : [];
}

/** Files below a folder of the repository, if it is there. */
const below = (folder: string, ending: string): string[] =>
  !existsSync(join(root, folder))
    ? []
    : readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
        .filter((file) => file.endsWith(ending) && statSync(join(root, file)).isFile());

describe('the packages of all platforms', function () {
  this.timeout('4m');
  const folder = temporaryFolder();
  const fileOf = (target: string): string => join(folder, `coppice-${target}-${version}.vsix`);
  let said: string;

  before(async () => {
    const args = [join(root, 'scripts/package.mjs'), '--all', '--folder', folder];
    said = (await promisify(execFile)(process.execPath, args, { cwd: root })).stdout;
  });

  it('are made by one command, which names the platform that cannot have one', () => {
    const names = Object.keys(BINARIES).map((target) => `coppice-${target}-${version}.vsix`);
    assert.deepEqual(readdirSync(folder).sort(), names.sort());
    assert.match(said, /^darwin-x64: no package, for onnxruntime-node has no binaries for it$/m);
  });

  it('are refused for other platforms', async () => {
    const args = [join(root, 'scripts/package.mjs'), '--target', 'darwin-x64', '--folder', folder];
    await assert.rejects(promisify(execFile)(process.execPath, args, { cwd: root }), /no onnxruntime for darwin-x64/);
  });

  for (const [target, expected] of Object.entries(BINARIES)) {
    describe(target, () => {
      const [system, processor] = target.split('-');
      let zip: Zip;
      before(() => {
        zip = Zip.open(fileOf(target));
      });

      it('says its platform, and is small enough', () => {
        assert.match(zip.read('extension.vsixmanifest').toString(), new RegExp(`TargetPlatform="${target}"`));
        const bytes = statSync(fileOf(target)).size;
        console.log(`        ${(bytes / 1e6).toFixed(1)} MB`);
        assert.ok(bytes < MOST_BYTES);
        const [, tags] = /<Tags>([^<]*)<\/Tags>/.exec(zip.read('extension.vsixmanifest').toString())!;
        assert.ok(tags.split(',').length <= MOST_TAGS, tags);
      });

      it('has the binaries of its system and processor, and no others', () => {
        const binaries = zip.files.flatMap((path) => {
          const binary = binaryOf(zip.read(path));
          return binary === undefined ? [] : [{ path, ...binary }];
        });
        const place = `extension/dist/node_modules/onnxruntime-node/bin/napi-v6/${system}/${processor}/`;
        assert.deepEqual(
          binaries.map(({ path }) => path).sort(),
          expected.map((name) => place + name),
        );
        for (const { path, format, processors, needs } of binaries) {
          assert.deepEqual({ format, processors }, { format: FORMATS[system], processors: [processor] }, path);
          assert.ok(needs.length > 0, `${path} seems to need nothing`);
          for (const name of needs.filter((name) => OURS.test(name))) {
            assert.ok(expected.includes(name), `${path} needs ${name}`);
          }
        }
        const binding = binaries.find(({ path }) => path.endsWith('.node'))!;
        assert.ok(binding.needs.some((name) => name.includes('onnxruntime.')));
      });

      it('has nothing that is not for users', () => {
        assert.deepEqual(
          zip.files.filter((path) => !ALLOWED.some((pattern) => pattern.test(path))),
          [],
        );
        const manifest = JSON.parse(zip.read('extension/package.json').toString()) as Record<string, unknown>;
        for (const field of ['scripts', 'dependencies', 'devDependencies', 'files'])
          assert.ok(!(field in manifest), field);
      });

      it('has everything that it needs', () => {
        const manifest = JSON.parse(zip.read('extension/package.json').toString()) as Record<string, unknown>;
        const named = filesNamed(manifest).map((path) => path.replace(/^\.\//, ''));
        assert.ok(named.includes('dist/extension.cjs') && named.includes('media/icon.png'));
        const media = [...below('media/sample', ''), ...below('media/hand-over', '.py')];
        const brought = [...below('recipes', '.coppice.json'), ...below('skills', '.md'), ...media];
        const programs = ['cli', 'commands', 'mcp', 'sidecar', 'tokenizer', 'quantizer'].map(
          (name) => `dist/${name}.cjs`,
        );
        const pages = ['editor', 'panel', 'report'].flatMap((name) => [
          `dist/webview/${name}.js`,
          `dist/webview/${name}.css`,
        ]);
        const files = new Set(zip.files);
        const missing = [...named, ...brought, ...programs, ...pages].filter((path) => !files.has(`extension/${path}`));
        assert.deepEqual(missing, []);
        const split = zip.files.filter((path) => /\/extension(-\w+)?\.cjs$/.test(path));
        const read = split.flatMap(
          (path) =>
            zip
              .read(path)
              .toString()
              .match(/\.\/extension-[A-Z0-9]{8}\.cjs/g) ?? [],
        );
        const later = [...new Set(read)].map((path) => `dist/${path.slice(2)}`);
        assert.ok(later.length > 10);
        assert.deepEqual(
          later.filter((path) => !files.has(`extension/${path}`)),
          [],
        );
        for (const path of ['readme.md', 'changelog.md', 'THIRD-PARTY-NOTICES.txt'])
          assert.ok(zip.read(`extension/${path}`).length > 1000);
      });
    });
  }

  it('have no pictures, links and badges while the address of the repository is not known', () => {
    const zip = Zip.open(fileOf('linux-arm64'));
    assert.doesNotMatch(zip.read('extension/readme.md').toString(), /!\[|<img/);
    const manifest = JSON.parse(zip.read('extension/package.json').toString()) as Record<string, unknown>;
    for (const field of ['repository', 'bugs', 'badges']) assert.ok(!(field in manifest), field);
  });

  itFull('have pictures that the Marketplace shows once it is known', async () => {
    const repository = 'https://github.com/example/coppice';
    const place = temporaryFolder();
    const out = join(place, 'known.vsix');
    const args = [join(root, 'scripts/package.mjs'), '--target', 'linux-arm64', '--out', out];
    await promisify(execFile)(process.execPath, [...args, '--repository', `${repository}.git`], { cwd: root });
    const zip = Zip.open(out);
    const page = zip.read('extension/readme.md').toString();
    const pictures = [...page.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, address]) => address);
    assert.ok(pictures.length > 1);
    for (const address of pictures) {
      const path = address.replace(`${repository}/raw/HEAD/`, '');
      assert.ok(address.startsWith(repository) && path.endsWith('.png') && existsSync(join(root, path)), address);
    }
    const manifest = JSON.parse(zip.read('extension/package.json').toString()) as Record<string, unknown>;
    assert.deepEqual(manifest.repository, { type: 'git', url: repository });
    assert.match(JSON.stringify(manifest.badges), /actions\/workflows\/test\.yml\/badge\.svg/);
    const wrong = promisify(execFile)(process.execPath, [...args, '--repository', 'example/coppice'], { cwd: root });
    await assert.rejects(wrong, /no address of a repository/);
  });

  it('computes: the one for this machine, unpacked away from the checkout', function () {
    const target = `${process.platform}-${process.arch}`;
    if (!(target in BINARIES)) return this.skip();
    const place = temporaryFolder();
    Zip.open(fileOf(target)).extractTo(place);
    const sample = join(place, 'extension/media/sample');
    const args = [
      'eval',
      sample,
      '--text',
      join(sample, 'evaluation.txt'),
      '--limit',
      '2',
      '--device',
      'cpu',
      '--json',
    ];
    const program = join(place, 'extension/dist/cli.cjs');
    const { ppl } = JSON.parse(
      execFileSync(process.execPath, [program, ...args], { encoding: 'utf8', cwd: place }),
    ) as {
      ppl: number;
    };
    assert.ok(ppl > 1 && ppl < 1000, String(ppl));
  });
});
