/** `npx tsx scripts/gemma/draw.ts MODEL TEXT SAMPLES` prints `{"rows": …}`: what `coppice score MODEL --calibration TEXT` scores with. */
import { openCheckpoint, requireArchitecture } from '../../src/engine/checkpoint/open';
import { loadRows } from '../../src/engine/evaluate/rows';
import { DEFAULT_DRAWING, DEFAULT_SEED } from '../../src/engine/importance/drawing';

const [model, file, samples] = process.argv.slice(2);
const checkpoint = await openCheckpoint(model);
const drawing = { ...DEFAULT_DRAWING, samples: Number(samples), seed: DEFAULT_SEED };
const { rows } = await loadRows(
  { from: 'calibration', file, ...drawing },
  checkpoint,
  requireArchitecture(checkpoint),
  {},
);
console.log(JSON.stringify({ rows: rows.map((row) => Array.from(row)) }));
