/** What a position is to predict. */

/** Marks a position that predicts nothing; −100 in files written for PyTorch. */
export const NO_TARGET = -1;

/** Every token's successor within its row, (rows · length); a row's last has none. */
export function shiftedTargets(rows: readonly ArrayLike<number>[]): Int32Array {
  const length = rows[0].length;
  const targets = new Int32Array(rows.length * length).fill(NO_TARGET);
  rows.forEach((row, r) => {
    for (let i = 1; i < length; i++) targets[r * length + i - 1] = row[i];
  });
  return targets;
}
