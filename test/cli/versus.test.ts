/** `coppice versus`: models of equal sizes, each with the numbers that other commands find for it. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { EvaluateResult } from '../../src/jobs/results/eval';
import type { VersusModel, VersusResult } from '../../src/jobs/results/versus';
import { coppice } from '../support/built-cli';
import { makeCliMaterial, run } from '../support/cli';
import { runOn } from '../support/jobs';
import { temporaryFolder } from '../support/temporary';

describe('command line: versus', function () {
  this.timeout(120_000);
  let model: string;
  let rows: string;
  let text: string;
  before(() => {
    ({ model, rows, text } = makeCliMaterial());
  });

  const find = ({ models }: VersusResult, method: VersusModel['method'], count: number): VersusModel =>
    models.find((each) => each.method === method && each.count === count)!;

  it('narrows to the size of the model without as many blocks, and measures what the other commands measure', async () => {
    const folder = join(temporaryFolder(), 'widths');
    const ends = ['--no-keep-ends', '--device', 'cpu', '--threads', '1'];
    const on = ['--text', text, '--window', '16', '--limit', '3'];
    const sizes = ['--counts', '1', '--plan', '0,2', '--save-widths', folder, '--no-speed'];
    const given = ['versus', model, '--calibration', rows, ...on, ...sizes, ...ends];
    const result = (await run(...given)) as unknown as VersusResult;
    assert.deepEqual(
      result.models.map(({ method, count }) => [method, count]),
      [
        ['whole', 0],
        ...['ppl', 'taylor', 'llm-pruner', 'flap', 'wanda-sp'].map((method) => [method, 1]),
        ...['plan', 'ppl', 'taylor', 'llm-pruner', 'flap', 'wanda-sp'].map((method) => [method, 2]),
      ],
    );
    const [whole] = result.models;
    for (const { count, parameters } of result.sizes) {
      assert.equal(find(result, 'ppl', count).parameters, parameters);
      const { parameters: narrow, ffn, blocks } = find(result, 'flap', count);
      assert.ok(Math.abs(narrow! - parameters) < 0.02 * whole.parameters!, `${narrow} of ${parameters}`);
      assert.ok(ffn!.mean < whole.ffn!.mean && blocks === whole.blocks);
    }
    assert.deepEqual(find(result, 'plan', 2).removed, [0, 2]);
    const evaluate = async (...of: string[]): Promise<number> =>
      ((await run('eval', model, ...on, ...of, '--device', 'cpu', '--threads', '1')) as unknown as EvaluateResult).ppl;
    assert.equal(find(result, 'plan', 2).ppl, await evaluate('--remove', '0,2'));
    const file = join(folder, 'flap-2.width.safetensors');
    assert.ok(readdirSync(folder).includes('wanda-sp-1.width.safetensors'));
    assert.equal(find(result, 'flap', 2).ppl, await evaluate('--width', file));
    const written = await run('generate', model, '--width', file, '--prompt', result.prompt!, '--max-new-tokens', '40');
    assert.equal(find(result, 'flap', 2).continuation, written.text);
    const again = await coppice(given);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /llm-pruner-1\.width\.safetensors exists already/);
  });

  it('says why a method has no model of a size, and refuses to compare nothing', async () => {
    const given = {
      checkpoint: model,
      calibration: rows,
      speed: false,
      methods: ['ppl', 'wanda-sp'],
      sample: false,
    } as const;
    const { result } = await runOn('versus', { ...given, counts: [1, 3], keep: [0, 1], keepEnds: false });
    assert.match(find(result, 'ppl', 3).failure ?? '', /cannot remove 3 of 4 blocks/);
    assert.equal(find(result, 'ppl', 3).ppl, undefined);
    assert.ok(Number(find(result, 'wanda-sp', 1).ppl) > 0);
    await assert.rejects(
      runOn('versus', { ...given, methods: ['ppl'], counts: [3], keep: [0, 1], keepEnds: false }),
      /nothing to compare: .*cannot remove 3/,
    );
  });

  it('cancelled while speeds are measured, it keeps the perplexities', async () => {
    const controller = new AbortController();
    const given = { checkpoint: model, calibration: rows, methods: ['flap'], counts: [1], newTokens: 4 } as const;
    const onProgress = ({ label }: { readonly label: string }): void => {
      if (label === 'measuring the device') controller.abort();
    };
    const job = { signal: controller.signal, onProgress };
    const { result, warnings } = await runOn('versus', given, { job });
    assert.equal(result.ended, 'cancelled');
    assert.ok(result.models.every(({ ppl, latency }) => Number(ppl) > 0 && latency === undefined));
    assert.match(warnings.at(-1)!, /was cancelled/);
  });
});
