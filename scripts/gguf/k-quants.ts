/** `npx tsx scripts/gguf/k-quants.ts FOLDER` writes what k-quants.py lets ggml quantize: numbers, and toys as GGUF files in F32. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { withWeights } from '../../src/engine/weights/checkpoint';
import { writeGguf } from '../../src/engine/write/gguf/write-gguf';
import { K_QUANT_TOYS, kQuantNumbers } from '../../test/support/k-quants';

const [folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'numbers.f32'), new Uint8Array(kQuantNumbers().buffer));
for (const [name, toy] of Object.entries(K_QUANT_TOYS)) {
  const checkpoint = await openCheckpoint(toy());
  const file = join(folder, `${name}.gguf`);
  await withWeights(checkpoint, (weights) => writeGguf(checkpoint, weights, file, { type: 'f32' }));
}
