/** The image: what its Dockerfile copies is there and reaches the build, and its commands make a program that runs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { itFull } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { exists, textOf } from './repository';

const root = resolve(import.meta.dirname, '../../..');
const text = textOf('deploy/Dockerfile');
const ignored = textOf('deploy/Dockerfile.dockerignore');

/** Instructions in order, with their continued lines in one. */
const instructions = text
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => /^(\w+) (.*)$/.exec(line)!.slice(1) as [name: string, rest: string]);

/** What is copied from the folder of the repository, and where it goes. */
const copied = instructions.flatMap(([name, rest]) => {
  if (name !== 'COPY' || rest.startsWith('--from')) return [];
  const words = rest.split(' ');
  return words.slice(0, -1).map((from) => ({ from, to: words.at(-1)! }));
});

describe('Dockerfile', () => {
  it('copies what exists, and its list of what the build sees is that', () => {
    assert.ok(copied.length > 5);
    for (const { from } of copied) assert.ok(exists(from), from);
    const seen = ignored.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    assert.deepEqual(seen, ['*', ...copied.map(({ from }) => `!${from}`).sort()]);
  });

  it('runs scripts that exist, and the Node.js that Coppice is tested with', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Readonly<Record<string, string>> };
    const named = [...text.matchAll(/^RUN npm run ([\w:]+)/gm)].map(([, name]) => name);
    assert.deepEqual(named, ['package:npm']);
    for (const name of named) assert.ok(name in scripts, name);
    const tested = [...textOf('.github/workflows/test.yml').matchAll(/\bnode: \[?(\d+)/g)].map(([, node]) => node);
    assert.deepEqual(tested.toSorted(), ['20', '22', '24']);
    assert.ok(tested.includes(/^ARG NODE=(\d+)$/m.exec(text)?.[1] ?? ''));
  });

  it('ends as a user without rights, with Coppice as the program', () => {
    const last = instructions.slice(instructions.findLastIndex(([name]) => name === 'FROM'));
    assert.deepEqual(
      last.filter(([name]) => ['USER', 'ENTRYPOINT'].includes(name)),
      [
        ['USER', '1000:1000'],
        ['ENTRYPOINT', '["coppice"]'],
      ],
    );
  });

  if (process.platform === 'linux') {
    itFull('makes a program that runs where nothing else of the repository is', function (this: Mocha.Context) {
      this.timeout(600_000); // npm ci
      const image = temporaryFolder();
      const place = (path: string): string => join(image, path);
      mkdirSync(place('/build'));
      const build = instructions.slice(
        0,
        instructions.findLastIndex(([name]) => name === 'FROM'),
      );
      for (const [name, rest] of build) {
        if (name === 'COPY') {
          for (const { from, to } of copied.filter((each) => rest.split(' ').includes(each.from)))
            cpSync(join(root, from), to === './' ? place(`/build/${basename(from)}`) : place(`/build/${to}`), {
              recursive: true,
            });
        } else if (name === 'RUN') {
          const command = rest.replace(/(?<=\s)\/opt\//g, `${image}/opt/`);
          execFileSync('sh', ['-euc', command], { cwd: place('/build'), stdio: ['ignore', 'ignore', 'pipe'] });
        }
      }
      const environment = { PATH: process.env.PATH, COPPICE_CACHE: place('/cache') };
      const coppice = (...words: string[]): string =>
        execFileSync(process.execPath, [place('/opt/coppice/cli.cjs'), ...words], {
          cwd: image,
          env: environment,
          encoding: 'utf8',
        });
      const sample = place('/opt/coppice/media/sample');
      const job = [
        'score',
        sample,
        '--calibration',
        join(sample, 'calibration.txt'),
        '--samples',
        '1',
        '--length',
        '16',
      ];
      coppice(...job, '--device', 'cpu', '--part', '1/2', '--record', place('/part-1.json'));
      assert.match(coppice('--version'), /^\d+\.\d+\.\d+\n$/);
    });
  } else it.skip('makes a program that runs where nothing else of the repository is (needs Linux)');
});
