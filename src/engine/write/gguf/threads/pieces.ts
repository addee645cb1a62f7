/** What threads that quantize are asked, and what they answer. */
import type { QuantizedDtype } from '../../../formats/gguf/quantize';

/** Whole rows of a matrix. */
export interface Piece {
  readonly values: Float32Array;
  readonly dtype: QuantizedDtype;
  /** Of the columns, where they have one. */
  readonly importance?: Float32Array;
}

export interface QuantizedPiece {
  readonly bytes: Uint8Array;
}
