/** Calibration: the sampling of Shortened LLaMA's `src/dataset.py`, its fallback, rows of ids, and what is refused. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { calibrationWarnings, loadCalibration } from '../../../src/engine/importance/calibration';
import type { Encoder } from '../../../src/engine/tokenizer/bos';
import { calibrationFile, calibrationRows } from '../../support/golden';
import { itShared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

const BOS = 1;
/** A token a word, its id the number in it, after a BOS: "w7 w8" → [1, 7, 8]. */
const words: Encoder = {
  beginsWith: BOS,
  encode: (text, { addSpecialTokens }) => [
    ...(addSpecialTokens ? [BOS] : []),
    ...(text.match(/\d+/g) ?? []).map(Number),
  ],
};

/** `length` words numbered from `first`. */
const document = (first: number, length: number): string => Array.from({ length }, (_, i) => `w${first + i}`).join(' ');

function write(name: string, content: string): string {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, content);
  return file;
}

const load = (file: string, options: Partial<Parameters<typeof loadCalibration>[1]> = {}, encoder?: Encoder) =>
  loadCalibration(file, { samples: 2, length: 4, seed: 1, bos: 'stream', ...options }, encoder ?? words);

/** Ten long documents, numbered by hundreds, among short ones. */
const TEXT = Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? document((i + 1) * 100, 20) : document(5, 2))).join(
  '\n\n',
);

describe('importance/calibration: documents', () => {
  it('takes one row from each of some long documents', async () => {
    const file = write('prose.txt', TEXT);
    const calibration = await load(file, { samples: 10, length: 8 });
    const { rows, ...about } = calibration;
    const sha256 = createHash('sha256').update(TEXT).digest('hex');
    assert.deepEqual(about, {
      source: 'prose.txt',
      sha256,
      samples: 10,
      length: 8,
      seed: 1,
      method: 'documents',
      bos: 'stream',
    });
    const origins = rows.map((row) => Math.floor(row[7] / 100));
    assert.deepEqual(
      origins.sort((a, b) => a - b),
      Array.from({ length: 10 }, (_, i) => 3 * i + 1),
    );
    for (const row of rows) {
      const from = row[0] === BOS ? 1 : 0; // BOS survives only at the start of a document
      for (let i = from + 1; i < 8; i++) assert.equal(row[i], row[i - 1] + 1);
      if (from === 1) assert.equal(row[1] % 100, 0);
    }
  });

  it('draws every start, the first and the last too', async () => {
    const file = write('one.txt', document(100, 6));
    const starts = new Set<number>();
    for (let seed = 0; seed < 60; seed++) starts.add((await load(file, { samples: 1, seed })).rows[0][0]);
    assert.deepEqual(
      [...starts].sort((a, b) => a - b),
      [BOS, 100, 101, 102],
    );
  });

  it('the seed decides', async () => {
    const file = write('prose.txt', TEXT);
    const [a, again, b] = await Promise.all([1, 1, 2].map((seed) => load(file, { seed })));
    assert.deepEqual(a, again);
    assert.notDeepEqual(a.rows, b.rows);
  });

  it('JSONL gives the documents of the same paragraphs', async () => {
    const lines = TEXT.split('\n\n').map((text, i) => JSON.stringify({ id: i, text }));
    const fromText = await load(write('a.txt', TEXT));
    for (const name of ['a.jsonl', 'a.NDJSON']) {
      assert.deepEqual((await load(write(name, `${lines.join('\n\n')}\r\n`))).rows, fromText.rows);
    }
    assert.deepEqual((await load(write('crlf.txt', TEXT.replaceAll('\n', '\r\n')))).rows, fromText.rows);
  });
});

describe('importance/calibration: windows of the whole text', () => {
  it('are taken when too few documents are long enough', async () => {
    const file = write('short.txt', Array.from({ length: 10 }, (_, i) => document(10 * (i + 1), 2)).join('\n\n'));
    const { rows, method } = await load(file, { samples: 5 });
    assert.equal(method, 'windows');
    const whole = [BOS, ...Array.from({ length: 10 }, (_, i) => [10 * (i + 1), 10 * (i + 1) + 1]).flat()];
    const all = Array.from({ length: 5 }, (_, w) => whole.slice(4 * w, 4 * w + 4));
    assert.deepEqual([...rows].sort(), all.sort());
    assert.deepEqual((await load(file, { samples: 5 })).rows, rows);
  });

  it('never repeat a token, so a short text is refused', async () => {
    const file = write('short.txt', document(1, 10));
    await assert.rejects(load(file, { samples: 3 }), {
      name: 'UserError',
      why: /11 tokens, 12 are needed/,
      action: /--samples/,
    });
  });
});

describe('importance/calibration: rows of ids', () => {
  const rows = [
    [1, 2, 3],
    [4, 5, 6],
  ];

  it('are taken as they are, without a tokenizer', async () => {
    const file = write('rows.json', JSON.stringify({ source: 'x', rows }));
    for (const wanted of [{}, { samples: 10, length: 128 }]) {
      const calibration = await loadCalibration(file, { ...wanted, seed: 3, vocabulary: 7 }, undefined);
      const about = { source: 'rows.json', samples: 2, length: 3, seed: 3, method: 'rows' };
      assert.deepEqual(calibration, { rows, sha256: calibration.sha256, ...about });
    }
  });

  it('are the first that were asked for, and as long', async () => {
    const many = Array.from({ length: 30 }, (_, r) => Array.from({ length: 200 }, (_, i) => r + i));
    const file = write('rows.json', JSON.stringify({ rows: many }));
    const taken = async (wanted: object): Promise<[number, number]> => {
      const calibration = await loadCalibration(file, { ...wanted, seed: 3 }, undefined);
      const { samples, length } = calibration;
      assert.deepEqual(
        calibration.rows,
        many.slice(0, samples).map((row) => row.slice(0, length)),
      );
      return [samples, length];
    };
    assert.deepEqual(await taken({}), [30, 200]);
    assert.deepEqual(await taken({ samples: 2 }), [2, 200]);
    assert.deepEqual(await taken({ length: 50 }), [30, 50]);
    assert.deepEqual(await taken({ samples: 7, length: 2 }), [7, 2]);
  });

  it('and rows of a text: what is said of them', () => {
    const of = (samples: number, length: number, method: 'rows' | 'documents' = 'rows') =>
      ({ samples, length, method, source: 'x.json', sha256: '', seed: 1 }) as const;
    assert.deepEqual(calibrationWarnings(of(4, 24), {}, 256), []);
    assert.deepEqual(calibrationWarnings(of(4, 24), { samples: 4, length: 24 }, 24), []);
    const fewer = calibrationWarnings(of(4, 24), { samples: 10, length: 128 }, 256);
    assert.deepEqual(fewer, ['x.json holds 4 rows, not 10', 'the rows of x.json have 24 tokens, not 128']);
    assert.match(calibrationWarnings(of(200_000, 24), {}, 256).join(), /holds 200000 rows, and all of them are used/);
    assert.deepEqual(calibrationWarnings(of(200_000, 24), { samples: 200_000 }, 256), []);
    for (const method of ['rows', 'documents'] as const) {
      const warnings = calibrationWarnings(of(10, 128, method), {}, 100);
      assert.deepEqual(warnings, ['rows of 128 tokens are longer than the model’s context of 100']);
    }
  });

  itShared('the golden files are', async () => {
    for (const name of ['smollm2-135m', 'stories260K', 'families/llama-plain'] as const) {
      const options = { samples: 10, length: 128, seed: 1 };
      const calibration = await loadCalibration(calibrationFile(name), options, undefined);
      assert.deepEqual(calibration.rows, calibrationRows(name));
    }
  });

  it('must be equal lists of ids in the vocabulary', async () => {
    const cases: [content: unknown, why: RegExp][] = [
      [[[1, 2]], /no list "rows"/],
      [{ rows: 3 }, /no list "rows"/],
      [{ rows: [] }, /"rows" is empty/],
      [{ rows: [[]] }, /"rows\[0\]" has 0 ids/],
      [{ rows: [[1]] }, /at least 2/],
      [{ rows: [[1, 2], 'ab'] }, /"rows\[1\]" is not a list/],
      [
        {
          rows: [
            [1, 2],
            [3, 4, 5],
          ],
        },
        /"rows\[1\]" has 3 ids, "rows\[0\]" has 2/,
      ],
      [{ rows: [[1, 2.5]] }, /"rows\[0\]\[1\]" is 2\.5/],
      [{ rows: [[1, -1]] }, /is -1/],
      [{ rows: [[1, null]] }, /is null/],
      [
        {
          rows: [
            [1, 2],
            [3, 100],
          ],
        },
        /token 1 of row 1 is 100, the model’s vocabulary has 100 ids/,
      ],
    ];
    for (const [content, why] of cases) {
      const file = write('rows.json', JSON.stringify(content));
      await assert.rejects(load(file, { vocabulary: 100 }), { name: 'UserError', what: /rows\.json/, why });
    }
    await assert.rejects(load(write('rows.json', '{"rows": [[1,')), { name: 'UserError', why: /not JSON/ });
  });
});

describe('importance/calibration: refusals', () => {
  it('of files', async () => {
    await assert.rejects(load('/no/such/file.txt'), { name: 'UserError', why: /no such file/ });
    await assert.rejects(load(temporaryFolder()), { name: 'UserError', why: /not a regular file/ });
    for (const name of ['a.txt', 'a.jsonl']) {
      await assert.rejects(load(write(name, ' \n\n\t\n')), { name: 'UserError', why: /no text/ });
    }
    const bad = { name: 'UserError', what: /a\.jsonl/, why: /line 3 is not JSON/ };
    await assert.rejects(load(write('a.jsonl', '{"text":"w1"}\n\n{"text":\n')), bad);
    for (const line of ['{"txt":"w1"}', '{"text":1}', '[]', 'null']) {
      await assert.rejects(load(write('a.jsonl', line)), { name: 'UserError', why: /line 1 has no string "text"/ });
    }
    const huge = write('a.txt', 'w1');
    truncateSync(huge, 2 ** 36);
    await assert.rejects(load(huge), { name: 'UserError', why: /more than the 64 MiB/, action: /part of the file/ });
  });

  it('of text without a tokenizer, or with ids beyond the model', async () => {
    const file = write('a.txt', document(1, 50));
    const options = { samples: 1, length: 4, seed: 1 };
    await assert.rejects(loadCalibration(file, options, undefined), {
      name: 'UserError',
      why: /no tokenizer/,
      action: /rows/,
    });
    await assert.rejects(load(file, { samples: 1, length: 51, vocabulary: 50 }), {
      why: /is 50, the model’s vocabulary/,
    });
  });

  it('of senseless or enormous numbers', async () => {
    const file = write('a.txt', TEXT);
    for (const samples of [0, -1, 1.5, NaN]) {
      await assert.rejects(load(file, { samples }), { name: 'UserError', what: /--samples/ });
    }
    await assert.rejects(load(file, { length: 1 }), { name: 'UserError', what: /--length 1/ });
    await assert.rejects(load(file, { samples: 1e6, length: 1e6 }), {
      name: 'UserError',
      why: /more than 16777216 tokens/,
    });
  });
});
