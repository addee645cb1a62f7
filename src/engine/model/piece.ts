/** A piece of the vocabulary. */

/** Words of the vocabulary whose logits exist at a time; a multiple of the tile size of matrix kernels. */
export const HEAD_PIECE = 3072;

/** Consecutive words of the vocabulary. */
export interface Piece {
  readonly start: number;
  readonly size: number;
}
