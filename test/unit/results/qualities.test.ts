/** Qualities of models: which run tells what, on the panel's rows only. */
import assert from 'node:assert/strict';
import type { PanelChild, PanelRun } from '../../../src/protocol/panel';
import { qualitiesOf } from '../../../webview/panel/state/qualities';
import { FULL } from '../../webview/panel/recorded';

const MODEL = FULL.model.name;

describe('quality of models', () => {
  it('lists the checkpoint, the plan and what was measured, each by its newest run', () => {
    const rows = qualitiesOf(FULL);
    assert.deepEqual(
      rows.map(({ label, kind }) => [label, kind]),
      [
        [MODEL, 'original'],
        ['Without 14, 17–18', 'plan'],
        ['adapter-a', 'made'],
      ],
    );
    const [original, plan, adapter] = rows;
    assert.deepEqual([original.ppl, original.kl, original.repetition], [FULL.whatIf.full, undefined, 0]);
    assert.deepEqual([plan.kl, plan.top1, plan.against, plan.repetition], [0.341, 0.583, { model: MODEL }, 0.33]);
    assert.deepEqual([adapter.kl, adapter.top1, adapter.repetition], [0.127, 0.702, 0.08]);
  });

  it('takes no number of other rows, of another plan or of a sampled text', () => {
    const other = { ...FULL.text!, name: 'other.txt' };
    const unknown = qualitiesOf({ ...FULL, text: other });
    assert.deepEqual(
      unknown.map(({ ppl, kl }) => [ppl, kl]),
      [
        [NaN, undefined],
        [NaN, undefined],
      ],
    );
    const [, plan] = qualitiesOf({ ...FULL, whatIf: { ...FULL.whatIf, removed: [14] } });
    assert.deepEqual([plan.label, plan.ppl, plan.kl], ['Without 14, 17–18', NaN, undefined]);
    const sampled = FULL.runs.map(({ digest, ...run }): PanelRun => ({ ...run, digest: { ...digest, settings: [] } }));
    assert.equal(qualitiesOf({ ...FULL, runs: sampled })[0].repetition, undefined);
  });

  it('has written models with what their evaluation compared them with', () => {
    const against = { model: 'whole', identity: 'beef' };
    const child: PanelChild = {
      name: 'SmolLM2-27',
      path: '/m/27',
      removed: [14],
      kind: 'prune',
      retrained: [],
      ppl: 22,
    };
    const children = [
      { ...child, compared: { kl: 0.2, top1: 0.7, against } },
      { ...child, name: 'other', ppl: null },
    ];
    const rows = qualitiesOf({ ...FULL, kin: { parent: null, original: null, children } });
    assert.deepEqual(rows.at(-1), { label: 'SmolLM2-27', kind: 'made', ppl: 22, kl: 0.2, top1: 0.7, against });
  });

  it('has bits per byte of a written model with another vocabulary, and no perplexity', () => {
    const child: PanelChild = {
      ...{ name: 'trimmed', path: '/m/t', removed: [], kind: 'vocabulary', retrained: [], ppl: null },
      ...{ otherVocabulary: 18_304, bitsPerByte: 1.5 },
    };
    const rows = qualitiesOf({ ...FULL, kin: { parent: null, original: null, children: [child] } });
    const found = { label: 'trimmed', kind: 'made', ppl: NaN, bitsPerByte: 1.5, otherVocabulary: 18_304 };
    assert.deepEqual(rows.at(-1), found);
    const unmeasured = { ...child, bitsPerByte: undefined };
    const without = qualitiesOf({ ...FULL, kin: { parent: null, original: null, children: [unmeasured] } });
    assert.ok(!without.some(({ label }) => label === 'trimmed'));
  });
});
