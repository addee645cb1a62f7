/** Where arrow keys lead in a grid of cells. Pure. */

/** The cell to which a key moves; undefined for other keys. Pure. */
export function cellAfter(
  key: string,
  r: number,
  c: number,
  rows: number,
  columns: number,
): { readonly r: number; readonly c: number } | undefined {
  switch (key) {
    case 'ArrowRight':
      return { r, c: Math.min(columns - 1, c + 1) };
    case 'ArrowLeft':
      return { r, c: Math.max(0, c - 1) };
    case 'ArrowDown':
      return { r: Math.min(rows - 1, r + 1), c };
    case 'ArrowUp':
      return { r: Math.max(0, r - 1), c };
    case 'Home':
      return { r, c: 0 };
    case 'End':
      return { r, c: columns - 1 };
    default:
      return undefined;
  }
}
