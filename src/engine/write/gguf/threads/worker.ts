/** The program of a thread that quantizes: answers each piece with its bytes. */
import { parentPort } from 'node:worker_threads';
import { quantize } from '../../../formats/gguf/quantize';
import { bytesOfElements } from '../../../formats/gguf/types';
import type { Piece, QuantizedPiece } from './pieces';

parentPort!.on('message', ({ values, dtype, importance }: Piece) => {
  const bytes = quantize(values, dtype, new Uint8Array(bytesOfElements(dtype, values.length)), importance);
  const answer: QuantizedPiece = { bytes };
  parentPort!.postMessage(answer, [bytes.buffer as ArrayBuffer]);
});
