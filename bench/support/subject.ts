/**
 * The model that a benchmark measures, and rows for it: what `--model` and `--rows` name, else SmolLM2-135M-Instruct of the
 * reference material beside the repository with its calibration rows. A model is a folder or a GGUF file.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../src/engine/checkpoint/open';
import { loadRows } from '../../src/engine/evaluate/rows';
import { DEFAULT_DRAWING, DEFAULT_SEED } from '../../src/engine/importance/drawing';
import { hasShared, shared, smollm2Folder } from '../../test/support/shared';
import { about } from './ratios';

/** The option of every benchmark that measures a model, for `parseArgs`. */
export const MODEL_OPTION = { model: { type: 'string' } } as const;

let told: string | undefined;

/** Path of the model; its name is printed once. @throws Error when nothing is named and the reference material is not there */
export function modelOr(named: string | undefined, otherwise: () => string = referenceModel): string {
  const path = named ?? otherwise();
  if (path !== told) console.log(`model: ${basename(path)}`);
  about({ model: basename(path) });
  told = path;
  return path;
}

function referenceModel(): string {
  if (hasShared) return smollm2Folder();
  throw new Error('name a model: npm run bench -- NAME --model PATH');
}

/**
 * A `{"rows": …}` file of equally long rows of the model's tokens: the named one; those of the reference model; else rows that are
 * drawn from a book, as `coppice score` draws them. @throws Error when there is neither a file nor the reference material
 */
export async function rowsFileOr(named: string | undefined, model: string | undefined): Promise<string> {
  if (named !== undefined) {
    about({ text: basename(named) });
    return named;
  }
  if (!hasShared) throw new Error('name a file {"rows": [[id, …], …]}: --rows ROWS.json');
  about({ text: model === undefined ? 'calibration rows of the reference' : 'sherlock.txt' });
  if (model === undefined) return shared('golden/smollm2-135m/calibration.json');
  const checkpoint = await openCheckpoint(model);
  const file = shared('data/prose/sherlock.txt');
  const drawing = { ...DEFAULT_DRAWING, seed: DEFAULT_SEED };
  const source = { from: 'calibration', file, ...drawing } as const;
  const { rows } = await loadRows(source, checkpoint, requireArchitecture(checkpoint), {});
  const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-rows-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const drawn = join(folder, 'rows.json');
  writeFileSync(drawn, JSON.stringify({ rows: rows.map((row) => Array.from(row)) }));
  return drawn;
}
