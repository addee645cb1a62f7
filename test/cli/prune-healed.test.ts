/** `coppice prune --heal` and `--rounds`: the same as scoring and healing by hand, in turn. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Json, keys, makeCliMaterial, readJson, run, sorted } from '../support/cli';
import { hashesOf } from '../support/hashes';
import { coppice } from '../support/built-cli';
import { full } from '../support/shared';
import { temporaryFolder } from '../support/temporary';

describe('command line: prune and heal', function () {
  this.timeout(120_000);
  let model: string;
  let text: string;
  let scoring: readonly string[];
  let healing: readonly string[];

  before(() => {
    ({ model, text } = makeCliMaterial());
    scoring = ['--criterion', 'ppl', '--calibration', text, '--samples', '3', '--length', '16'];
    healing = ['--calibration', text, '--tokens', '512', '--held-out', '0'];
  });

  const weights = (folder: string): string => hashesOf(folder)['model.safetensors'];
  const place = (): string => join(temporaryFolder(), 'out');

  it('heals what is left of named blocks, and writes what `heal` writes', async () => {
    const [out, other] = [place(), place()];
    const pruned = await run(
      'prune',
      model,
      '--blocks',
      '1',
      '--heal',
      '--data',
      text,
      ...healing.slice(2),
      '--out',
      out,
    );
    const shape =
      'removed kept slices parametersBefore parametersAfter bytesBefore bytesAfter out leftBehind healing seconds';
    assert.deepEqual(keys(pruned), sorted(shape));
    await run('heal', model, '--remove', '1', '--data', text, ...healing.slice(2), '--out', other);
    assert.equal(weights(out), weights(other));
    assert.deepEqual([pruned.removed, (pruned.healing as Json).weights], [[1], 'healed']);
    const { settings } = readJson(join(out, 'coppice.json'));
    assert.equal((settings as Json).chosen, 'by hand');
  });

  it('in rounds: scores what was healed, and heals all that is gone from the original weights', async () => {
    const [out, other, folder] = [place(), place(), temporaryFolder()];
    const rounds = ['--count', '3', '--rounds', '2', '--no-keep-ends'];
    const pruned = await run('prune', model, ...scoring, ...rounds, ...healing.slice(2), '--out', out);

    const patch = join(folder, 'first.safetensors');
    const first = ((await run('score', model, ...scoring)).order as number[]).slice(0, 2).sort();
    const healed = await run('heal', model, '--remove', first.join(), ...healing, '--patch', patch);
    const second = ((await run('score', model, ...scoring, '--heal', patch)).order as number[]).slice(0, 1);
    const all = [...first, ...second].sort();
    const last = await run('heal', model, '--remove', all.join(), ...healing, '--out', other);

    assert.deepEqual(pruned.removed, all);
    const after = ({ fit }: Json): Json => (fit as Json).after as Json;
    const outcome = (result: Json): Json => ({ ppl: after(result).ppl, kl: after(result).kl });
    assert.deepEqual(pruned.rounds, [
      { removed: first, ...outcome(healed) },
      { removed: second, ...outcome(last) },
    ]);
    assert.equal(weights(out), weights(other));

    const { settings } = readJson(join(out, 'coppice.json'));
    const { chosen, rounds: recorded } = settings as Json;
    assert.deepEqual(
      [chosen, recorded],
      ['by criterion', [{ removed: first, ...outcome(healed) }, { removed: second }]],
    );
    const card = readFileSync(join(out, 'README.md'), 'utf8');
    assert.match(card, /removed in 2 rounds, .* blocks \d, \d \(KL [\d.e-]+\), then block \d\./);
    assert.deepEqual(readdirSync(join(out, '..')), ['out'], 'the weights of the rounds are gone');
  });

  it('chooses in rounds by every criterion that scores a healed model', async () => {
    for (const criterion of full ? ['kl', 'greedy', 'taylor', 'block-influence'] : ['greedy', 'taylor']) {
      const by = ['--criterion', criterion, '--calibration', text, '--samples', '2', '--length', '16'];
      const amount = ['--count', '2', '--rounds', '2', '--no-keep-ends', '--keep', '0'];
      const { removed, rounds } = await run('prune', model, ...by, ...amount, ...healing.slice(2), '--out', place());
      const each = (rounds as Json[]).map((round) => round.removed as number[]);
      assert.deepEqual(
        [each.length, each.flat().sort(), each.map(({ length }) => length)],
        [2, removed, [1, 1]],
        criterion,
      );
      assert.ok(!each.flat().includes(0), `${criterion} removes a block that is kept`);
    }
  });

  it('one round is choosing at once and healing', async () => {
    const [out, other] = [place(), place()];
    const choice = [...scoring, '--count', '2', '--no-keep-ends', ...healing.slice(2)];
    const [one, heal] = [
      await run('prune', model, ...choice, '--rounds', '1', '--out', out),
      await run('prune', model, ...choice, '--heal', '--out', other),
    ];
    assert.deepEqual([one.removed, one.rounds], [heal.removed, undefined]);
    assert.equal(weights(out), weights(other));
  });

  it('says on the page what every round removed', async () => {
    const { stdout, code, stderr } = await coppice(
      ['prune', model, ...scoring, '--count', '2', '--rounds', '2', '--no-keep-ends', ...healing.slice(2), '--out', place()], // prettier-ignore
    );
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /round 1 {5}\d: perplexity \S+, KL divergence \S+ after healing\nround 2 {5}\d: .*\nhealed {6}by refit/,
    );
  });

  it('refuses what cannot be done in rounds', async () => {
    const refused = async (code: number, word: RegExp, ...args: string[]): Promise<void> => {
      const out = place();
      const result = await coppice(['prune', model, '--calibration', text, '--out', out, '--no-keep-ends', ...args]);
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, word);
      assert.equal(existsSync(out), false);
    };
    await refused(2, /--criterion magnitude cannot choose in rounds/, '--criterion', 'magnitude', '--count', '2', '--rounds', '2'); // prettier-ignore
    await refused(2, /--criterion angular cannot choose in rounds/, '--criterion', 'angular', '--count', '2', '--rounds', '2'); // prettier-ignore
    await refused(2, /--rounds.*cannot be used with.*--blocks/, '--blocks', '1', '--rounds', '2');
    await refused(2, /--tokens needs --heal/, '--blocks', '1', '--tokens', '100');
    await refused(
      1,
      /Cannot remove 2 blocks in 3 rounds[^]*--rounds 2/,
      '--criterion',
      'ppl',
      '--count',
      '2',
      '--rounds',
      '3',
    );
  });
});
