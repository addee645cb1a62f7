/** How long a text can be in an exported model: its graph has one table of rotations, for positions that have one. */
import type { Architecture } from '../../checkpoint/architecture';
import { ropeOf } from '../../checkpoint/kinds/parts';

/** Positions in a table of rotations. Models announce millions of positions, and a table of them would dwarf a small model. */
const MAX_POSITIONS = 131_072;

/**
 * Tokens that a text can have. LongRoPE turns all positions by other angles where a text grows beyond the original context, and dynamic
 * scaling with every token beyond the model's: keys in a cache would stay as they were, without an error. So the table ends there.
 */
export function positionsOf({ context, layers }: Pick<Architecture, 'context' | 'layers'>): number {
  const ends = layers.map(ropeOf).flatMap((rope) => {
    if (rope?.scaling.kind === 'longrope') return [rope.scaling.originalContext];
    return rope?.scaling.kind === 'dynamic' ? [rope.scaling.context] : [];
  });
  return Math.min(context, MAX_POSITIONS, ...ends);
}

/** What a user should know about the length of texts. */
export function lengthNotes(architecture: Architecture): string[] {
  const { context, layers } = architecture;
  const positions = positionsOf(architecture);
  const has = (kind: string): boolean => layers.some((layer) => ropeOf(layer)?.scaling.kind === kind);
  const announced = positions < context ? `; the model itself announces ${context}` : '';
  if (has('longrope') && positions < context && positions < MAX_POSITIONS) {
    return [
      `texts can have ${positions} tokens, the context before it was extended by longrope${announced}: longer texts turn ` +
        'every position otherwise, those in a cache too, and a graph has one table for all',
    ];
  }
  if (has('dynamic') && positions < MAX_POSITIONS) {
    return [
      `texts can have ${positions} tokens: beyond them dynamic scaling turns every position again with each token, those in ` +
        'a cache too, and a graph has one table for all',
    ];
  }
  const turns = layers.some((layer) => ropeOf(layer) !== null);
  return turns && positions < context ? [`texts can have ${positions} tokens${announced}`] : [];
}
