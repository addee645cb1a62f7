/** The target of a position. */

/** Marks a position without a target; −100 in files for PyTorch. */
export const NO_TARGET = -1;

/** The next token of every token within its row, (rows · length). The last token of a row has none. */
export function shiftedTargets(rows: readonly ArrayLike<number>[]): Int32Array {
  const length = rows[0].length;
  const targets = new Int32Array(rows.length * length).fill(NO_TARGET);
  rows.forEach((row, r) => {
    for (let i = 1; i < length; i++) targets[r * length + i - 1] = row[i];
  });
  return targets;
}
