/** The pieces of the model for the strip: embedding, blocks, final norm, head and other tensors, with their bytes. */
import type { PartKind, StripPiece, TensorRow } from '../protocol/editor';
import { placesIn } from '../state/model-tensors';

type Bytes = Map<PartKind, number>;

export function sizeStripOf(rows: readonly TensorRow[]): StripPiece[] {
  const blocks = new Map<number, Bytes>();
  const outside: Bytes = new Map();
  const placeOf = placesIn(rows);
  for (const row of rows) {
    const { bytes } = row;
    const place = placeOf(row);
    const piece = place.block === undefined ? outside : (blocks.get(place.block) ?? new Map<PartKind, number>());
    if (place.block !== undefined) blocks.set(place.block, piece);
    piece.set(place.kind, (piece.get(place.kind) ?? 0) + bytes);
  }
  const single = (kind: PartKind): StripPiece[] => {
    const bytes = outside.get(kind);
    return bytes === undefined ? [] : [{ bytes, parts: [{ kind, bytes }] }];
  };
  return [
    ...single('embedding'),
    ...[...blocks].sort(([a], [b]) => a - b).map(([block, parts]) => pieceOf(block, parts)),
    ...single('norm'),
    ...single('head'),
    ...single('other'),
  ];
}

function pieceOf(block: number, bytes: Bytes): StripPiece {
  const kinds: readonly PartKind[] = ['attention', 'ffn', 'other'];
  const parts = kinds.flatMap((kind) => (bytes.has(kind) ? [{ kind, bytes: bytes.get(kind)! }] : []));
  return { block, bytes: parts.reduce((sum, part) => sum + part.bytes, 0), parts };
}
