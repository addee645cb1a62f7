/** Records of runs of a toy model. */
import { newRecord, type RunRecord } from '../../src/engine/records/record';

const model = { role: 'model', name: 'toy', identity: 'id-1' };

/** Intervals beside the whole model: of this block, and for all blocks at once. */
export const PAIRED = { pairedLow: 13, pairedHigh: 13.5, jointLow: 12.9, jointHigh: 13.6 };

export function scoreRecord({ started = new Date('2026-04-01T09:00:00Z') } = {}): RunRecord {
  return newRecord({
    kind: 'score',
    inputs: [model, { role: 'calibration', name: 'prose.txt', sha256: 'abc' }],
    settings: { criterion: 'ppl', calibration: { samples: 10, length: 64 }, removed: [], device: 'auto' },
    seed: 1234,
    device: { provider: 'cpu', why: 'asked for', tried: [] },
    onnxruntime: '1.30.0',
    results: {
      criterion: 'ppl',
      full: { ppl: 12.5, meanNll: 2.5257, tokens: 630 },
      blocks: [
        { index: 0, score: Infinity, low: 100, high: Infinity, rows: [1, 2] },
        { index: 1, score: 13.25, low: 12, high: 14.5, ...PAIRED, rows: [1, 2] },
        { index: 2, score: 20, low: 18, high: 22, rows: [1, 2] },
      ],
    },
    started,
    finished: new Date(started.getTime() + 2000),
  });
}

export function curveRecord(): RunRecord {
  return newRecord({
    kind: 'curve',
    inputs: [model],
    settings: { criterion: 'ppl', removed: [] },
    device: { provider: 'cpu' },
    results: {
      criterion: 'ppl',
      points: [
        { count: 0, removed: [], ppl: 12.5, meanNll: 2.5257, parameters: 3000 },
        { count: 1, removed: [1], ppl: 13.25, meanNll: 2.584, parameters: 2000 },
      ],
      text: { name: 'prose.txt', sha256: 'abc', rows: 10, length: 64 },
    },
    started: new Date('2026-04-01T09:10:00Z'),
  });
}

/** Two columns, of which one writes markup. */
export function samplesRecord(): RunRecord {
  const text = { stopped: 'length', timeToFirstToken: 0.1, prefillTokensPerSecond: 100, promptTokens: 3 };
  return newRecord({
    kind: 'samples',
    inputs: [model],
    settings: { prompts: ['Once | upon'], removed: [] },
    results: {
      columns: [{ label: 'Original' }, { label: 'Without 1' }],
      samples: [
        {
          ...text,
          prompt: 0,
          column: 0,
          ids: [1, 2, 3, 4, 5, 6],
          text: ' a </script><b>time</b>',
          decodeTokensPerSecond: 20,
        },
        {
          ...text,
          prompt: 0,
          column: 1,
          ids: [1, 2, 1, 2, 1, 2, 1, 2],
          text: ' a time a time',
          decodeTokensPerSecond: NaN,
        },
      ],
    },
    started: new Date('2026-04-01T09:20:00Z'),
  });
}

/** An adapter on the rows of the curve. */
export function retrainedRecord(): RunRecord {
  return newRecord({
    kind: 'eval',
    inputs: [model, { role: 'calibration', name: 'prose.txt', sha256: 'abc' }, { role: 'adapter', name: 'healed' }],
    settings: { rows: 'calibration', samples: 10, length: 64, removed: [1] },
    results: { ppl: 12.75, meanNll: 2.5455, tokens: 630, removed: [1] },
    started: new Date('2026-04-01T09:30:00Z'),
  });
}

/** Whole, pruned and, with `healed`, retrained, each with two continuations. */
export function demoRecord({ healed = true } = {}): RunRecord {
  const side = (ppl: number) => ({
    ppl,
    tokens: 100,
    parameters: 2000,
    bytes: 4000,
    tokensPerSecond: 50,
    continuations: ['a', 'b'].map((text) => ({ text: `${text}${ppl}`, ids: [1, 2, 3, 4], stopped: 'length' })),
  });
  return newRecord({
    kind: 'demo',
    inputs: [model, { role: 'text', name: 'test.txt', sha256: 'def' }],
    settings: {},
    results: {
      removed: [1],
      before: side(12),
      after: side(15),
      retrained: healed ? side(13) : null,
      prompts: ['Once', 'Then'],
    },
    started: new Date('2026-04-01T09:40:00Z'),
  });
}
