/** `npx tsx scripts/gguf/k-quants.ts FOLDER` writes what k-quants.py lets ggml quantize: numbers, and toys as GGUF files in F32. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { openGguf } from '../../src/engine/formats/gguf/file';
import { withWeights } from '../../src/engine/weights/checkpoint';
import { writeGguf } from '../../src/engine/write/gguf/write-gguf';
import { K_QUANT_TOYS, kQuantImportance, kQuantNumbers, toyImportance } from '../../test/support/k-quants';

const [folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'numbers.f32'), new Uint8Array(kQuantNumbers().buffer));
writeFileSync(join(folder, 'importance.f32'), new Uint8Array(kQuantImportance().buffer));
for (const [name, toy] of Object.entries(K_QUANT_TOYS)) {
  const checkpoint = await openCheckpoint(toy());
  const file = join(folder, `${name}.gguf`);
  await withWeights(checkpoint, (weights) => writeGguf(checkpoint, weights, file, { type: 'f32' }));
  const { tensors } = await openGguf(file);
  const matrices = tensors.filter((tensor) => tensor.name.startsWith('blk.') && tensor.shape.length === 2);
  const importance = matrices.map((matrix) => [matrix.name, [...toyImportance(matrix.name, matrix.shape[1])]]);
  writeFileSync(join(folder, `${name}.importance.json`), JSON.stringify(Object.fromEntries(importance)));
}
