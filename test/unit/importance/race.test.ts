/** Predictions of means from the first rows: against their definition, and how often they err. */
import assert from 'node:assert/strict';
import { leadersOf, looksOf, Prediction } from '../../../src/engine/importance/race';
import { Random } from '../../../src/engine/random';
import { assertClose } from '../../support/close';

/** A number of a standard normal distribution (Box and Muller). */
const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, each) => sum + each, 0) / values.length;

interface Text {
  readonly rows: number;
  readonly perRow: number;
}

/** Parts over a text: what all share at a position, what a row adds, and noise. The first numbers lead. */
function parts({ rows, perRow }: Text, offsets: readonly number[], random: Random, rowSpread = 0.1): Float64Array[] {
  const common = Float64Array.from({ length: rows * perRow }, () => normal(random));
  return offsets.map((offset) => {
    const ofRow = Array.from({ length: rows }, () => rowSpread * normal(random));
    return common.map((value, at) => offset + 0.8 * value + ofRow[Math.floor(at / perRow)] + 0.5 * normal(random));
  });
}

describe('a race', () => {
  it('looks after a fifth of the rows, and after twice as many each time', () => {
    assert.deepEqual(looksOf(10), [2, 4, 8]);
    assert.deepEqual(looksOf(5), [1, 2, 4]);
    assert.deepEqual(looksOf(100), [20, 40, 80]);
    assert.deepEqual([leadersOf(1, 30), leadersOf(6, 30), leadersOf(6, 4), leadersOf(1, 30, 3)], [5, 6, 4, 3]);
  });

  it('predicts what least squares over all columns predict', () => {
    const text = { rows: 6, perRow: 8 };
    const random = new Random(3);
    const [a, b, c, before, part] = parts(text, [0, 0.1, 0.2, 0.3, 1], random);
    // One stretch is a row of eight positions, so the columns are means of rows.
    const rowsOf = (values: Float64Array): number[] =>
      Array.from({ length: text.rows }, (_, row) => mean(values.subarray(8 * row, 8 * row + 8)));
    const leaders = [a, b, c].map((values) => ({ values }));
    const model = parts(text, [0], random)[0];
    const look = 5;
    for (const own of [undefined, before]) {
      // Too few rows for so many columns: nothing is said.
      const few = new Prediction({ leaders, model }, 6, 8, 0.01).from(look)(part.subarray(0, look * 8), own);
      assert.equal(few.half, Infinity);
    }
    const long = { rows: 40, perRow: 8 };
    const [d, e, f, earlier, other, whole] = parts(long, [0, 0.1, 0.2, 0.3, 1, 0], random);
    const read = 16;
    const found = new Prediction({ leaders: [d, e, f].map((values) => ({ values })), model: whole }, 40, 8, 0.01).from(
      read,
    )(other.subarray(0, read * 8), earlier);
    const rows = (values: Float64Array): number[] =>
      Array.from({ length: 40 }, (_, row) => mean(values.subarray(8 * row, 8 * row + 8)));
    const columns = [rows(earlier), rows(d.map((value, at) => (value + e[at] + f[at]) / 3)), rows(whole)];
    const y = rows(other).slice(0, read);
    const weights = normalEquations([y.map(() => 1), ...columns.map((column) => column.slice(0, read))], y);
    const unread = [1, ...columns.map((column) => mean(column.slice(read)))];
    const there = unread.reduce((sum, value, i) => sum + value * weights[i], 0);
    assertClose(found.mean, (read * mean(y) + (40 - read) * there) / 40, { absolute: 1e-10 }, 'mean');
    assert.equal(found.freedom, read - 4);
    assert.ok(rowsOf(a).length === 6);
  });

  it('errs as seldom as it says, where rows of a text are alike', () => {
    const text = { rows: 10, perRow: 64 };
    const probability = 0.02;
    let [errors, said] = [0, 0];
    for (let seed = 0; seed < 120; seed++) {
      const random = new Random(seed);
      const series = parts(text, Array<number>(15).fill(0), random, seed % 2 === 0 ? 0 : 0.1);
      const leaders = series.slice(0, 5).map((values) => ({ values }));
      const prediction = new Prediction({ leaders }, text.rows, text.perRow, probability);
      for (const look of [2, 4]) {
        const predict = prediction.from(look);
        for (const values of series.slice(5)) {
          const { mean: found, half } = predict(values.subarray(0, look * text.perRow));
          errors += Number(found - half > mean(values));
          said++;
        }
      }
    }
    assert.ok(said === 2400 && errors <= 1.5 * probability * said, `${errors} of ${said}`);
    // The half widths are not so wide that nothing could be wrong.
    assert.ok(errors > 0);
  });

  it('says nothing of numbers that are not finite', () => {
    const [a, b, c] = parts({ rows: 10, perRow: 32 }, [0, 0, 0], new Random(1));
    const predict = new Prediction({ leaders: [{ values: a }, { values: b }] }, 10, 32, 0.01).from(4);
    c[5] = NaN;
    assert.equal(predict(c.subarray(0, 128)).half, Infinity);
  });
});

/** Solves (X'X) b = X'y by elimination. @param columns of X */
function normalEquations(columns: readonly (readonly number[])[], y: readonly number[]): number[] {
  const dot = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, i) => sum + value * b[i], 0);
  const rows = columns.map((a) => [...columns.map((b) => dot(a, b)), dot(a, y)]);
  for (let i = 0; i < rows.length; i++) {
    rows[i] = rows[i].map((value) => value / rows[i][i]);
    for (let j = 0; j < rows.length; j++) {
      if (j === i) continue;
      const factor = rows[j][i];
      rows[j] = rows[j].map((value, k) => value - factor * rows[i][k]);
    }
  }
  return rows.map((row) => row.at(-1)!);
}
