/** Models with different vocabularies: no page sets their perplexities of a token beside each other. */
import assert from 'node:assert/strict';
import { kinOf } from '../../../src/editors/results/kin';
import type { Relative } from '../../../src/editors/results/relatives';
import { beforeAfter } from '../../../src/engine/records/before-after/before-after';
import { beforeAfterHtml } from '../../../src/engine/records/before-after/html';
import { judgementOf } from '../../../src/engine/records/before-after/judgement';
import { cardSection } from '../../../src/engine/records/card-section';
import { compareRuns } from '../../../src/engine/records/compare';
import type { RunDigest } from '../../../src/engine/records/digest-types';
import { modelCard } from '../../../src/engine/records/model-card';
import { newRecord, type RunInput } from '../../../src/engine/records/record';
import { reportHtml } from '../../../src/engine/records/report';
import { digestRecord } from '../../../src/jobs/digest/digest';
import { judgementIn, ratioIn } from '../../../src/state/measured';
import { perplexitiesOf } from '../../../webview/panel/state/grid-perplexity';

const WHOLE: RunInput = { role: 'model', name: 'whole', identity: 'id-whole' };
const TRIMMED: RunInput = { role: 'model', name: 'trimmed', identity: 'id-trimmed' };
const TEXT: RunInput = { role: 'text', name: 'wiki.txt', sha256: 'ab'.repeat(32) };
const SENTENCE =
  /Their vocabularies differ, so perplexities of a token do not compare: bits per byte of the same text do\./;

let minute = 0;
function evaluated(model: RunInput, results: object, settings: object = { limit: 4 }): RunDigest {
  const started = new Date(Date.UTC(2026, 3, 1, 9, minute++));
  const all = { tokens: 1020, windows: 4, ...results };
  const given = { window: 256, bos: 'stream', ...settings };
  const device = { provider: 'cpu' };
  return digestRecord(
    newRecord({ kind: 'eval', inputs: [model, TEXT], results: all, settings: given, device, started }),
  );
}

const whole = (): RunDigest => evaluated(WHOLE, { ppl: 20, bitsPerByte: 1.25, vocabulary: 49_152 });
const trimmed = (): RunDigest => evaluated(TRIMMED, { ppl: 15, bitsPerByte: 1.5, vocabulary: 18_304 });
const alike = (): RunDigest => evaluated(TRIMMED, { ppl: 30, bitsPerByte: 1.5, vocabulary: 49_152 });
/** Of an earlier version. */
const old = (): RunDigest => evaluated(TRIMMED, { ppl: 30 });

const values = (runs: readonly RunDigest[], name: string): readonly string[] | undefined =>
  compareRuns(runs).rows.find((row) => row.name === name)?.values;

describe('models with different vocabularies', () => {
  it('have bits per byte and a vocabulary in their digests', () => {
    const { quality } = trimmed();
    assert.deepEqual([quality![0].bitsPerByte, quality![0].vocabulary], [1.5, 18_304]);
    assert.ok(!('bitsPerByte' in old().quality![0]) && !('vocabulary' in old().quality![0]));
  });

  it('are compared by bits per byte, and others by perplexity as before', () => {
    const apart = [whole(), trimmed()];
    assert.equal(compareRuns(apart).otherVocabularies, true);
    assert.deepEqual(values(apart, 'bits per byte of whole'), ['1.25', '']);
    assert.deepEqual(values(apart, 'bits per byte of trimmed'), ['', '1.5']);
    assert.ok(!compareRuns(apart).rows.some(({ name }) => name.startsWith('perplexity')));
    for (const other of [alike(), old()]) {
      const same = [whole(), other];
      assert.equal(compareRuns(same).otherVocabularies, undefined);
      assert.deepEqual(values(same, 'perplexity of trimmed'), ['', '30']);
      assert.ok(!compareRuns(same).rows.some(({ name }) => name.startsWith('bits')));
    }
  });

  it('have the sentence in reports and model cards', () => {
    const assets = { script: '', style: '' };
    for (const page of [reportHtml([whole(), trimmed()], assets), modelCard([whole(), trimmed()])]) {
      assert.match(page, SENTENCE);
      assert.doesNotMatch(page, /perplexity of/i);
    }
    assert.doesNotMatch(reportHtml([whole(), alike()], assets), SENTENCE);
    assert.doesNotMatch(modelCard([whole(), alike()]), SENTENCE);
  });

  it('stand before and after with bits per byte, however many windows each made of the text', () => {
    const all = { limit: null };
    const before = evaluated(WHOLE, { ppl: 20, bitsPerByte: 1.25, vocabulary: 49_152, windows: 10 }, all);
    const after = evaluated(TRIMMED, { ppl: 15, bitsPerByte: 1.5, vocabulary: 18_304, windows: 12 }, all);
    const found = beforeAfter([before, after], { original: 'id-whole' })!;
    assert.deepEqual(
      found.rows.map(({ measure }) => measure),
      ['bits'],
    );
    assert.deepEqual(
      found.rows[0].cells.map((cell) => [cell?.text, cell?.change]),
      [
        ['1.25', ''],
        ['1.5', '1.2×'],
      ],
    );
    assert.match(beforeAfterHtml(found, ''), SENTENCE);
    assert.match(cardSection(found), SENTENCE);
    assert.ok(!found.missing.some(({ kind }) => kind === 'perplexity'));
    assert.deepEqual(judgementOf(found), {});
  });

  it('are not asked for a KL divergence, which they cannot have', () => {
    const known = [
      { name: 'whole', identity: 'id-whole', vocabulary: 49_152, parameters: 2, bytes: 4 },
      { name: 'trimmed', identity: 'id-trimmed', vocabulary: 18_304, parameters: 1, bytes: 2 },
    ];
    const about = { original: 'id-whole', subject: 'id-trimmed', known };
    const { missing } = beforeAfter([whole(), old()], about)!;
    const commands = missing.filter(({ kind }) => kind === 'perplexity').map(({ what, command }) => [what, command]);
    const command = 'coppice eval trimmed --text FILE --repetition 8 --record FILE.json';
    assert.deepEqual(commands, [['bits per byte of trimmed', command]]);
  });

  it('keep perplexities before and after where the vocabulary is one, or is not known', () => {
    for (const other of [alike(), old()]) {
      const found = beforeAfter([whole(), other], { original: 'id-whole' })!;
      assert.deepEqual([found.rows[0].measure, found.otherVocabularies], ['ppl', undefined]);
      assert.ok(!found.rows.some(({ measure }) => measure === 'bits'));
      assert.doesNotMatch(beforeAfterHtml(found, ''), SENTENCE);
    }
  });

  it('have the ratio of perplexities per token of the original in the tree and in a verdict, not their quotient', () => {
    const of = { identity: 'id-trimmed', removed: [] };
    assert.equal(ratioIn([whole(), alike()], of, 'id-whole'), 1.5);
    const ratio = 20 ** (1.5 / 1.25 - 1);
    assert.equal(ratioIn([whole(), trimmed()], of, 'id-whole'), ratio);
    assert.notEqual(ratio, 15 / 20);
    assert.equal(judgementIn([whole(), alike()], of, 'id-whole', []).ratio, 1.5);
    assert.deepEqual(judgementIn([whole(), trimmed()], of, 'id-whole', []), { ratio, byBits: true });
  });

  it('are no two points of one chart of speed and perplexity', () => {
    const shown = (digest: RunDigest) => ({ id: digest.started, title: '', changed: [], digest });
    const models = [WHOLE, TRIMMED].map(({ name, identity }) => ({
      ...{ label: name, ideal: null, cells: [] },
      of: { model: name, identity: identity!, removed: [] },
    }));
    const grid = {
      batches: [1],
      newTokens: [8],
      runs: 1,
      warmup: 0,
      inTurns: true,
      limitBytes: null,
      prompt: '',
      models,
    };
    assert.deepEqual(perplexitiesOf(grid, [whole(), alike()].map(shown), undefined)?.ppl, [20, 30]);
    assert.equal(perplexitiesOf(grid, [whole(), trimmed()].map(shown), undefined), undefined);
  });

  it('are told apart among the relatives of a panel', () => {
    const relative = (name: string, vocabulary: number): Relative => ({
      ...{ path: `/m/${name}`, name, identity: `id-${name}`, canWrite: true },
      size: { blocks: 4, parameters: 2, parametersRead: 2, bytes: 4, vocabulary },
      origin: { name: 'whole', identity: 'id-whole', removed: [], kind: 'prune' } as unknown as Relative['origin'],
    });
    const [own, same, other] = [relative('own', 300), relative('same', 300), relative('other', 200)];
    const measures = {
      ...{ perplexity: () => 20, bitsPerByte: () => 1.25 },
      ...{ compared: () => undefined, retrained: () => [] },
    };
    const relatives = { self: own, parent: undefined, original: other, children: [same, other] };
    const { original, children } = kinOf(relatives, measures);
    assert.equal(original?.ppl, null);
    assert.deepEqual(
      children.map(({ ppl, bitsPerByte, otherVocabulary }) => [ppl, bitsPerByte, otherVocabulary]),
      [
        [20, 1.25, undefined],
        [null, 1.25, 200],
      ],
    );
  });
});
