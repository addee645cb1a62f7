/** Several blocks at once: which ones are between two, and the plan after they have been removed or kept. Pure. */

/** The blocks from one to the other, as the chart orders them. @param order of the blocks from left to right */
export function blocksBetween(order: readonly number[], from: number, to: number): number[] {
  const [first, last] = [order.indexOf(from), order.indexOf(to)].sort((a, b) => a - b);
  return first < 0 ? [] : order.slice(first, last + 1);
}

/**
 * The blocks to remove after all of a range are removed, or kept; ascending. Locked blocks stay as they are. Undefined if the
 * plan does not change.
 */
export function removedAfter(
  plan: { readonly removed: readonly number[]; readonly locked: readonly number[] },
  range: readonly number[],
  remove: boolean,
): number[] | undefined {
  const changed = range.filter((block) => !plan.locked.includes(block) && plan.removed.includes(block) !== remove);
  if (changed.length === 0) return undefined;
  const others = plan.removed.filter((block) => !changed.includes(block));
  return [...others, ...(remove ? changed : [])].sort((a, b) => a - b);
}
