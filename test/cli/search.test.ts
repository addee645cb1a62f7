/** `--criterion search` at the command line: its result, its use by prune and curve, and what Ctrl-C does to it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { coppice, jsonOf, startCoppice } from '../support/built-cli';
import { type Json, makeCliMaterial, readJson, run } from '../support/cli';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';
import { until } from '../support/until';

interface Found {
  readonly blocks: readonly number[];
  readonly kl: number;
  readonly start: { readonly kl: number };
  readonly trajectory: readonly { readonly generation: number; readonly kl: number }[];
  readonly ended: string;
}

describe('command line: search', function () {
  this.timeout(180_000);
  const folder = temporaryFolder();
  let model: string;
  let rows: string;
  let search: string[];

  before(() => {
    ({ rows } = makeCliMaterial());
    model = tinyCheckpoint('llama-gqa-tied', { tokenizer: true, config: { num_hidden_layers: 12 } });
    search = [model, '--criterion', 'search', '--calibration', rows];
  });

  const found = (json: Json): Found => json.search as Found;

  it('score: finds a set without kept blocks, the same for the same seed and generations; the record has the way there', async () => {
    const record = join(folder, 'record.json');
    const args = ['score', ...search, '--count', '3', '--keep', '0,5', '--generations', '2'];
    const json = await run(...args, '--record', record);
    const { blocks, kl, start, trajectory, ended } = found(json);
    assert.equal(blocks.length, 3);
    assert.ok(!blocks.includes(0) && !blocks.includes(5));
    assert.deepEqual(
      trajectory.map(({ generation }) => generation),
      [0, 1, 2],
    );
    assert.deepEqual([trajectory[0].kl, trajectory[2].kl, ended], [start.kl, kl, 'generations']);
    const again = found(await run(...args));
    assert.deepEqual([again.blocks, again.trajectory], [blocks, trajectory]);
    const { results, settings } = readJson(record) as { results: Json; settings: Json };
    assert.deepEqual(found(results).trajectory, trajectory);
    assert.equal(settings.generations, 2);
    const page = await coppice(args);
    assert.ok(page.stdout.includes(`removed together: ${blocks.join(', ')}\n`), page.stdout);
  });

  it('prune and curve: use the set, and no part of it', async () => {
    const scores = join(folder, 'scores.json');
    const json = await run('score', ...search, '--count', '3', '--generations', '1');
    writeFileSync(scores, JSON.stringify(json));
    const { blocks } = found(json);
    const prune = (count: string, out: string) =>
      coppice([
        'prune',
        model,
        '--scores',
        scores,
        '--count',
        count,
        '--no-keep-ends',
        '--out',
        join(folder, out),
        '--json',
      ]);
    assert.deepEqual(jsonOf(await prune('3', 'a')).removed, blocks);
    const fewer = await prune('2', 'b');
    assert.equal(fewer.code, 1);
    assert.match(fewer.stderr, /cannot remove 2 blocks with the result of this search\n.*one set of 3 blocks/);
    assert.equal(existsSync(join(folder, 'b')), false);

    const curve = ['curve', model, '--no-keep-ends', '--calibration', rows, '--criterion', 'search'];
    const points = (await run(...curve, '--scores', scores)).points as { removed: number[] }[];
    assert.deepEqual(
      points.map(({ removed }) => removed),
      [[], blocks],
    );
    const ranked = (await run(...curve, '--most', '3', '--generations', '1')).points as { removed: number[] }[];
    assert.deepEqual(ranked.at(-1)!.removed, blocks);
  });

  it('prune: searches itself, by share too, and spares what is kept', async () => {
    const out = join(folder, 'searched');
    const json = await run(
      ...['prune', ...search, '--ratio', '0.2', '--keep', '7', '--generations', '1', '--out', out],
    );
    const removed = json.removed as number[];
    assert.ok(
      removed.length >= 1 && removed.every((block) => block >= 4 && block <= 9 && block !== 7),
      String(removed),
    );
    assert.match(readFileSync(join(out, 'README.md'), 'utf8'), /chosen by the criterion `search`/);
    assert.equal((readJson(join(out, 'coppice.json')).settings as Json).generations, 1);
  });

  /** Runs a long search, and presses Ctrl-C after its first generation. */
  async function interrupted(args: readonly string[]) {
    let isSearching = false;
    const command = startCoppice([...args, '--count', '5', '--budget', '600'], {
      onStderr: (text) => (isSearching ||= /generation ([2-9]|\d\d)/.test(text)),
    });
    await until('a generation', () => isSearching, 90_000);
    command.kill('SIGINT');
    return command.result;
  }

  it('score: Ctrl-C ends the search with the best set so far', async () => {
    const result = await interrupted(['score', ...search, '--json']);
    const { ended, blocks, kl, trajectory } = found(jsonOf(result));
    assert.equal(ended, 'cancelled');
    assert.equal(blocks.length, 5);
    assert.equal(trajectory.at(-1)!.kl, kl);
    assert.match(
      result.stderr,
      /warning: the search was cancelled after [1-9]\d* generations?: its blocks are the best so far/,
    );
  });

  it('prune: Ctrl-C writes nothing, as always', async () => {
    const out = join(folder, 'interrupted');
    const { code, stdout } = await interrupted(['prune', ...search, '--no-keep-ends', '--out', out]);
    assert.deepEqual([code, stdout, existsSync(out)], [130, '', false]);
  });
});
