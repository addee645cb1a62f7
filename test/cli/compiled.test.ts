/** The start of the command line: the program that is compiled the last time is the one that runs, and no other. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import nodeModule from 'node:module';
import { join } from 'node:path';
import { buildCli, builtProgram } from '../support/built-cli';
import { temporaryFolder } from '../support/temporary';

/** From 22.1 on Node keeps what it compiles by rules of its own. */
const isNodes = 'enableCompileCache' in nodeModule;

describe('command line: start', function () {
  this.slow(1000);
  let folder: string;
  let cache: string;

  before(buildCli);

  beforeEach(() => {
    [folder, cache] = [temporaryFolder(), temporaryFolder()];
    copyFileSync(builtProgram().file, join(folder, 'cli.cjs'));
    program('one');
  });

  /** Puts another program beside the start. */
  const program = (word: string): void =>
    writeFileSync(
      join(folder, 'commands.cjs'),
      `const said = () => '${word}'; console.log(said(), require('node:path').basename(__filename), process.argv[2]);`,
    );
  const run = (place = cache): string =>
    execFileSync(process.execPath, [join(folder, 'cli.cjs'), 'word'], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, COPPICE_CACHE: place },
    });
  const kept = (): string[] => readdirSync(join(cache, 'compiled')).map((name) => join(cache, 'compiled', name));

  it('runs the same program from what was compiled, and does not write it twice', () => {
    assert.equal(run(), 'one commands.cjs word\n');
    const written = statSync(kept()[0]).mtimeMs;
    assert.equal(run(), 'one commands.cjs word\n');
    assert.equal(kept().length, 1);
    assert.equal(statSync(kept()[0]).mtimeMs, written);
  });

  it('compiles a program that was changed, also one of the same length, and forgets the former', () => {
    run();
    program('two');
    assert.equal(run(), 'two commands.cjs word\n');
    if (!isNodes) assert.equal(kept().length, 1);
    assert.equal(run(), 'two commands.cjs word\n');
  });

  it('takes nothing from a damaged file, and replaces it', function () {
    if (isNodes) return this.skip();
    run();
    const [file] = kept();
    const whole = readFileSync(file);
    for (const damaged of [whole.subarray(0, 40), Buffer.alloc(0), Buffer.alloc(whole.length, 7)]) {
      writeFileSync(file, damaged);
      assert.equal(run(), 'one commands.cjs word\n');
      assert.equal(readFileSync(file).length, whole.length);
    }
  });

  it('needs no folder to write to', () => {
    assert.equal(run(join(folder, 'cli.cjs', 'none')), 'one commands.cjs word\n');
  });
});
