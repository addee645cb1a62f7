/** The peak memory of this process. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { peakRssBytes } from '../../src/engine/memory';

const MiB = 2 ** 20;

describe('peak memory', function () {
  this.timeout(60_000);

  it('grows with what the process takes', () => {
    const before = peakRssBytes();
    const held = Buffer.alloc(600 * MiB, 1);
    assert.ok(peakRssBytes() >= before && peakRssBytes() > held.length);
  });

  it('is that of the process itself, not of the one that started it', function () {
    if (process.platform !== 'linux') this.skip(); // other systems do not tell them apart
    const held = Buffer.alloc(600 * MiB, 1);
    const module = resolve(import.meta.dirname, '../../src/engine/memory.ts');
    const program = `import { peakRssBytes } from ${JSON.stringify(module)}; console.log(peakRssBytes())`;
    const options = { encoding: 'utf8', input: program } as const;
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module'], options);
    const peak = Number(stdout);
    assert.ok(peak > 20 * MiB && peak < held.length / 2, `${stdout}${stderr}`);
  });
});
