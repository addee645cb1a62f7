/** A recipe that comes along, as one of the user's own: with their model, and with paths that start at its new place. */
import { applyEdits, type Edit, modify, parseTree, visit } from 'jsonc-parser';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { literal } from '../references';
import type { RecipeWish } from './wish';

/** Paths of the recipes begin so; no other text of theirs does. */
const RELATIVE = /^\.\.?\//;

/**
 * The text of the recipe with its comments.
 * @param text of the recipe
 * @param from its file
 * @param model path of the user's checkpoint
 */
export function movedRecipe(
  text: string,
  from: string,
  model: string,
  { file, calibration, text: measured }: Pick<RecipeWish, 'file' | 'calibration' | 'text'>,
): string {
  const home = dirname(resolve(file));
  const edits: Edit[] = [];
  visit(text, {
    onLiteralValue(value: unknown, offset, length) {
      if (typeof value !== 'string' || !RELATIVE.test(value)) return;
      const content = JSON.stringify(placeFrom(home, resolve(dirname(from), value)));
      edits.push({ offset, length, content });
    },
  });
  let moved = applyEdits(text, edits);
  const set = (path: string[], value: string | undefined): void => {
    const known = valueAt(moved, path);
    if (value === undefined || !known) return;
    moved = applyEdits(moved, modify(moved, path, placeFrom(home, resolve(value)), {}));
  };
  set(['model'], model);
  set(['variables', 'calibration'], calibration);
  set(['variables', 'text'], measured);
  return moved;
}

/** Whether the recipe has a value there. */
function valueAt(text: string, path: readonly string[]): boolean {
  const root = parseTree(text);
  const found = path.reduce(
    (node, name) => node?.children?.find(({ children: [key] = [] }) => key.value === name)?.children?.[1],
    root,
  );
  return found !== undefined;
}

/** A path as a recipe has it: from its folder on, with slashes, unless it lies on another drive; nothing in it is a reference. */
export function placeFrom(home: string, path: string): string {
  const way = relative(home, path);
  if (isAbsolute(way)) return literal(way);
  const slashed = way.split(sep).join('/');
  return literal(slashed.startsWith('..') ? slashed : `./${slashed}`);
}
