/** Models of the reference material as GGUF files, and what llama.cpp continues prompts with under them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireArchitecture } from '../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../src/engine/checkpoint/types';
import { viewWithout } from '../../src/engine/model/view';
import { withWeights } from '../../src/engine/weights/checkpoint';
import { type GgufOptions, writeGguf } from '../../src/engine/write/gguf/write-gguf';
import { calibrationRows, type GoldenName } from './golden';
import { logitsOfEach } from './llamacpp';
import { decodedLogits, withModelOf } from './model';
import { shared } from './shared';
import { temporaryFolder } from './temporary';

interface GoldenRun {
  readonly promptIds: readonly number[];
  readonly llamacpp: readonly number[];
}

/** What stock transformers and llama.cpp alike continue prompts with, by the title of the model. */
const goldenRuns = (title: string): readonly GoldenRun[] => {
  const text = readFileSync(shared('golden/families3/gguf.json'), 'utf8');
  return (JSON.parse(text) as { files: Record<string, { runs: GoldenRun[] }> }).files[title].runs;
};

/** The path of the model as a GGUF file. */
export async function asGguf(
  checkpoint: Checkpoint,
  removed: readonly number[],
  options: GgufOptions = {},
): Promise<string> {
  const kept = [...requireArchitecture(checkpoint).layers.keys()].filter((block) => !removed.includes(block));
  const file = join(temporaryFolder(), 'model.gguf');
  await withWeights(checkpoint, (weights) => writeGguf(checkpoint, weights, file, { kept, ...options }));
  return file;
}

/** Fails unless llama.cpp's likeliest token after a golden prompt and each part of its golden continuation is the next one. */
export function assertContinues(cases: readonly { readonly title: string; readonly file: string }[]): void {
  const wanted = cases.map(({ title }) =>
    goldenRuns(title)
      .slice(0, 1)
      .flatMap(({ promptIds, llamacpp }) =>
        llamacpp.map((id, i) => ({ row: [...promptIds, ...llamacpp.slice(0, i)], id })),
      ),
  );
  const logits = logitsOfEach(
    cases.map(({ file }, i) => ({ file, rows: wanted[i].map(({ row }) => row) })),
    32,
  );
  for (const [i, { title }] of cases.entries()) {
    const found = logits[i].map((each) => each.indexOf(Math.max(...each)));
    const ids = wanted[i].map(({ id }) => id);
    assert.deepEqual(found, ids, title);
  }
}

/** Logits of what follows the first row, without some blocks. */
export function logitsOf(
  checkpoint: Checkpoint,
  name: GoldenName,
  removed: readonly number[] = [],
): Promise<Float32Array[]> {
  const view = viewWithout(
    requireArchitecture(checkpoint).layers.length,
    removed.map((block) => ({ block })),
  );
  return withModelOf(checkpoint, (model) => decodedLogits(model, [calibrationRows(name)[0]], view));
}
