/**
 * Heads of values that share a key head lie side by side in a model (v0 v1 of key head 0, v2 v3 of key head 1), and as far apart as there are
 * key heads in files of llama.cpp (v0 v2 v1 v3).
 */
import type { Rows, Tiled } from './tensor';

/** Where a row or column of the model lies in the file. */
export const fileLine = (tiled: Tiled, line: number): number =>
  moved(tiled, line, (head) => (head % tiled.each) * tiled.groups + Math.floor(head / tiled.each));

/** The row or column of the model that lies there in the file. */
export const modelLine = (tiled: Tiled, line: number): number =>
  moved(tiled, line, (head) => (head % tiled.groups) * tiled.each + Math.floor(head / tiled.groups));

function moved({ first, width }: Tiled, line: number, place: (head: number) => number): number {
  if (line < first) return line;
  const at = line - first;
  return first + place(Math.floor(at / width)) * width + (at % width);
}

/** Ranges of lines elsewhere that some lines are, in their order. @param place of a line, elsewhere */
export function runsOf({ start, count }: Rows, place: (line: number) => number): Rows[] {
  const runs: { start: number; count: number }[] = [];
  for (let line = start; line < start + count; line++) {
    const at = place(line);
    const last = runs.at(-1);
    if (last?.start !== undefined && last.start + last.count === at) last.count++;
    else runs.push({ start: at, count: 1 });
  }
  return runs;
}

/** Rows with their columns in another order. @param place where column i of the result is */
export function columnsMoved<T extends Float32Array | Float64Array>(
  values: T,
  width: number,
  place: (column: number) => number,
): T {
  const result = values.slice() as T;
  const places = Array.from({ length: width }, (_, column) => place(column));
  for (let row = 0; row < values.length; row += width)
    for (let column = 0; column < width; column++) result[row + column] = values[row + places[column]];
  return result;
}
