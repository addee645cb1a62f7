/** `--criterion energy` at the command line: its result and page, its use by prune and curve, and models that cannot be healed. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { coppice, jsonOf } from '../support/built-cli';
import { type Json, makeCliMaterial, run } from '../support/cli';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';

interface Finalist {
  readonly blocks: readonly number[];
  readonly energy: number;
  readonly kl: number;
  readonly healed: number;
}
interface Found extends Finalist {
  readonly ranked: number;
  readonly finalists: readonly Finalist[];
}

describe('command line: energy', function () {
  this.timeout(180_000);
  const folder = temporaryFolder();
  const scores = join(folder, 'scores.json');
  let model: string;
  let energy: string[];
  let json: Json;

  before(async () => {
    const { rows } = makeCliMaterial();
    model = tinyCheckpoint('llama-gqa-tied', { tokenizer: true, config: { num_hidden_layers: 9 } });
    energy = [model, '--criterion', 'energy', '--calibration', rows];
    json = await run('score', ...energy, '--count', '2', '--keep', '0,5');
    writeFileSync(scores, JSON.stringify(json));
  });

  it('score: compares the best sets without kept blocks, and takes the one that heals best', async () => {
    const { blocks, ranked, finalists, healed } = json.energy as Found;
    assert.equal(ranked, 21); // two of seven
    assert.equal(finalists.length, 8);
    assert.ok(finalists.every((each) => !each.blocks.includes(0) && !each.blocks.includes(5)));
    assert.ok(finalists.every((each, i) => i === 0 || each.kl >= finalists[i - 1].kl));
    assert.equal(healed, Math.min(...finalists.map((each) => each.healed)));
    assert.deepEqual(blocks, finalists.find((each) => each.healed === healed)!.blocks);
    const page = await coppice(['score', ...energy, '--count', '2', '--keep', '0,5']);
    assert.ok(page.stdout.includes(`removed together: ${blocks.join(', ')}\n`), page.stdout);
    assert.match(page.stdout, /the nearest of the sets of least energy, of 21 sets/);
  });

  it('prune and curve: use the set, and no part of it', async () => {
    const { blocks } = json.energy as Found;
    const prune = (count: string) =>
      coppice(['prune', model, '--scores', scores, '--count', count, '--no-keep-ends', '--dry-run', '--json']);
    assert.deepEqual(jsonOf(await prune('2')).removed, blocks);
    assert.equal((await prune('1')).code, 1);
    const curve = await run('curve', ...energy, '--most', '2', '--no-keep-ends');
    const points = curve.points as { readonly removed: readonly number[] }[];
    assert.deepEqual(
      points.map(({ removed }) => removed.length),
      [0, 2],
    );
  });

  it('needs a number of blocks', async () => {
    const { code, stderr } = await coppice(['score', ...energy]);
    assert.equal(code, 2);
    assert.match(stderr, /--count/);
  });
});
