/** Quick answers: in int8, on all rows or on as many of the first ones as there is time for. */
import assert from 'node:assert/strict';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { PlanPerplexity } from '../../src/engine/evaluate/plan-perplexity';
import { type Model, openModel } from '../../src/engine/model/model';
import type { TokenRows } from '../../src/engine/model/forward';
import { fullView, viewWithout } from '../../src/engine/model/view';
import { inSpreadRowInt8 } from '../../src/engine/weights/row-int8';
import { QuickModel } from '../../src/sidecar/quick-model';
import { checkpointFolder } from '../support/golden';
import { randomRows } from '../support/random';

const BUDGET = 2 ** 24;

describe('a quick model', () => {
  let model: Model;
  let rounded: Model;
  let rows: TokenRows;
  const whole = () => fullView(model.architecture.layers.length);
  const without = (block: number) => viewWithout(model.architecture.layers.length, [{ block }]);
  const opened = async (seconds: number): Promise<QuickModel> =>
    (await QuickModel.open(model, rows, whole(), BUDGET, seconds))!;

  before(async () => {
    model = await openModel(await openCheckpoint(checkpointFolder('sample')), { device: 'cpu', threads: 1 });
    rows = randomRows(6, 16, model.architecture.vocabulary, 1);
    rounded = model.beside((await inSpreadRowInt8(model.weights, 1))!);
  });
  after(async () => {
    await rounded.close();
    await model.close();
  });

  /** Of some rows in int8, by themselves. */
  async function perplexities(some: TokenRows, block: number): Promise<number[]> {
    const evaluator = new PlanPerplexity(rounded, some, whole(), BUDGET, false);
    try {
      return [(await evaluator.evaluate(whole())).ppl, (await evaluator.evaluate(without(block))).ppl];
    } finally {
      evaluator.close();
    }
  }

  it('reads all rows where that is quick, and says nothing of rows', async () => {
    const quick = await opened(Infinity);
    await quick.prepare({});
    const answer = await quick.evaluate(without(1), {});
    assert.equal(quick.precision, 'int8');
    assert.equal(answer.readRows, undefined);
    assert.deepEqual([answer.whole.ppl, answer.found.ppl], await perplexities(rows, 1));
    await quick.close();
  });

  it('reads two rows at least where nothing is quick, of the plan and of the original', async () => {
    const quick = await opened(1e-9);
    await quick.prepare({});
    const answer = await quick.evaluate(without(1), {});
    assert.equal(answer.readRows, 2);
    const [two, all] = [await perplexities(rows.slice(0, 2), 1), await perplexities(rows, 1)];
    assert.deepEqual([answer.whole.ppl, answer.found.ppl], two);
    assert.notDeepEqual(two, all);
    await quick.close();
  });

  it('reads all rows where it was not prepared, since it does not know how long they take', async () => {
    const quick = await opened(1e-9);
    const answer = await quick.evaluate(without(2), {});
    assert.equal(answer.readRows, undefined);
    assert.deepEqual([answer.whole.ppl, answer.found.ppl], await perplexities(rows, 2));
    await quick.close();
  });

  it('knows what a plan has left to compute', async () => {
    const evaluator = new PlanPerplexity(rounded, rows, whole(), BUDGET, false);
    const blocks = model.architecture.layers.length;
    const all = evaluator.amount(whole());
    await evaluator.prepare(true);
    assert.equal(evaluator.amount(whole()), 0);
    const late = evaluator.amount(without(blocks - 1));
    assert.ok(late > 0 && late < 2, `the head alone: ${late}`);
    assert.ok(Math.abs(evaluator.amount(without(0)) - (all - 1)) < 1e-12);
    evaluator.close();
  });
});
