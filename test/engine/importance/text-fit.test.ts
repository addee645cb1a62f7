/** How well a model reads rows, with and without a begin-of-text token, against the float64 reference; and what is said of it. */
import assert from 'node:assert/strict';
import { isTextFit, type TextFit } from '../../../src/format/text-fit';
import {
  askedWarning,
  fitWarning,
  isUnfit,
  textFit,
  unfitOf,
  unfitWarning,
} from '../../../src/engine/importance/text-fit';
import { fullView } from '../../../src/engine/model/view';
import { loadReference } from '../../reference/forward';
import { referenceLoss } from '../../reference/measures';
import { brokenCheckpoint } from '../../support/broken';
import { assertClose } from '../../support/close';
import { withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { tinyCheckpoint } from '../../support/tiny-models';

const VOCABULARY = 288;
const BOS = 1;

describe('importance/text-fit', () => {
  it('measures the same tokens both ways, as the float64 reference does', async () => {
    const folder = tinyCheckpoint('qwen2-layer-types');
    const reference = loadReference(folder);
    const view = fullView(4);
    /** Summed losses of the tokens behind the first `from`. */
    const total = (rows: readonly (readonly number[])[], from = 1): number => {
      const of = (length: number): number => {
        const cut = rows.map((row) => row.slice(0, length));
        return length < 2 ? 0 : referenceLoss(reference, cut, view).meanNll * rows.length * (length - 1);
      };
      return of(rows[0].length) - of(from);
    };
    const mean = (sum: number, tokens: number): number => Math.exp(sum / (4 * tokens));
    const bare = randomRows(5, 20, VOCABULARY, 3).map((row) => row.map((id) => Math.max(id, 2)));
    const some = bare.slice(0, 4); // no more are measured
    const cut = (rows: readonly number[][]) => rows.map((row) => row.slice(0, -1));
    const begun = some.map((row) => [BOS, ...row]);
    await withModel(folder, async (model) => {
      const fitOf = async (rows: readonly number[][], id?: number) => (await textFit(model, rows, id, {}))!;
      // Rows that begin without it lose their last token, so that both ways have one length.
      const plain = await fitOf(bare, BOS);
      assert.deepEqual([plain.rows, plain.other?.begins, plain.limit], [4, true, 100]);
      assertClose(plain.ppl, mean(total(cut(some)), 18), { relative: 1e-4 }, 'as they are');
      assertClose(plain.other!.ppl, mean(total(cut(begun), 2), 18), { relative: 1e-4 }, 'with the token');
      const turned = await fitOf(begun, BOS);
      assert.equal(turned.other?.begins, false);
      assertClose(turned.ppl, plain.other!.ppl, { relative: 1e-4 }, 'the same tokens');
      assertClose(turned.other.ppl, plain.ppl, { relative: 1e-4 }, 'the same tokens without it');
      const alone = await fitOf(bare);
      assert.equal(alone.other, undefined);
      assertClose(alone.ppl, mean(total(some), 19), { relative: 1e-4 }, 'where the model has no such token');
      assert.equal((await fitOf([[4, 5, 6]], BOS)).other, undefined);
    });
  });

  it('says nothing of a model whose numbers are not finite', async () => {
    const broken = await brokenCheckpoint('model.layers.2.mlp.down_proj.weight', [7], Infinity);
    await withModel(broken, async (model) => {
      assert.equal(await textFit(model, randomRows(2, 12, VOCABULARY, 3), BOS, {}), undefined);
    });
  });

  it('is asked only where somebody decided how rows begin', async () => {
    await withModel(tinyCheckpoint('qwen2-layer-types'), async (model) => {
      const rows = randomRows(2, 12, VOCABULARY, 3);
      const asked = (choice: 'auto' | 'none', mode: 'none' | 'given') =>
        askedWarning(model, rows, { choice, mode, id: BOS }, {});
      assert.equal(await asked('auto', 'none'), undefined);
      // Random weights know no text: that is said wherever it is measured.
      assert.match((await asked('none', 'none'))!, /^The model does not fit/);
      assert.match((await asked('auto', 'given'))!, /does not fit/);
    });
  });

  it('warns from a tenth where it was asked for, and from half where it is usual', () => {
    const fit = (ppl: number, other: number, begins = true): TextFit => ({
      rows: 4,
      ppl,
      other: { begins, ppl: other },
      limit: 500,
    });
    const none = { choice: 'none', mode: 'none', id: 2 } as const;
    const auto = { choice: 'auto', mode: 'none', id: 2 } as const;
    const given = { mode: 'given', id: 2 } as const;
    assert.equal(fitWarning(fit(54, 50), none), undefined);
    const worse = fitWarning(fit(56, 50), none)!;
    assert.match(worse, /^the perplexity .* first 4 rows is 56, with a begin-of-text token before each row 50\./i);
    assert.match(worse, /bos\|window/);
    assert.match(fitWarning(fit(56, 50, false), { ...none, choice: 'window', mode: 'window' })!, /bos\|none/);
    assert.match(fitWarning(fit(56, 50), given)!, /Put the token 2 before each row of the file/);
    assert.match(fitWarning(fit(56, 50, false), given)!, /Leave it out of the file/);
    assert.equal(fitWarning(fit(56, 50), auto), undefined);
    assert.match(fitWarning(fit(260, 49), auto)!, /^The model does not fit these rows: /);
  });

  it('knows what is beyond reason', () => {
    const fit = { rows: 4, ppl: 80, limit: 100 };
    assert.equal(isUnfit(fit), false);
    assert.deepEqual(unfitOf({ ...fit, other: { begins: true, ppl: 53 } }), {
      ...fit,
      other: { begins: true, ppl: 53 },
    });
    assert.equal(unfitOf({ ...fit, other: { begins: true, ppl: 54 } }), undefined);
    // The other way is told only where it is the reason.
    assert.deepEqual(unfitOf({ ...fit, ppl: 101, other: { begins: true, ppl: 100 } }), { ...fit, ppl: 101 });
    assert.equal(isUnfit({ ...fit, ppl: NaN }), false);
    assert.equal(unfitWarning(199, 200 ** 2), undefined);
    assert.match(unfitWarning(201, 200 ** 2)!, /is 201, more than 200/);
    assert.equal(unfitWarning(99, 16), undefined);
    assert.ok(isTextFit(fit) && !isTextFit({ ...fit, ppl: 'x' }) && !isTextFit({ ...fit, other: { ppl: 1 } }));
  });
});
