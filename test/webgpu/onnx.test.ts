/**
 * Models exported for WebGPU, on a GPU: prompts of 48 tokens, from which on the fused attention of models for the CPU is wrong
 * there, then token by token, in a batch that is padded on the left.
 */
import assert from 'node:assert/strict';
import { requireArchitecture } from '../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../src/engine/checkpoint/types';
import type { Provider } from '../../src/engine/onnx/session';
import { Random } from '../../src/engine/random';
import type { OnnxKind } from '../../src/engine/write/onnx/kinds';
import { checkpointFolder } from '../support/golden';
import { openToy } from '../support/model';
import { ExportedModel, exported, worst } from '../support/onnx-model';
import { full, itFull } from '../support/shared';
import { LENGTH_DEPENDENT_MODELS, RAGGED_MODELS, TINY_MODELS, tinyCheckpoint } from '../support/tiny-models';
import { describeWebGpu } from '../support/webgpu';

/** Absolute, on logits of up to 20. Seen: 3e-5. */
const TOLERANCE = 1e-4;

/** Logits of two rows, of 48 tokens and of 37, and of what follows. */
async function logitsOn(
  provider: Provider,
  checkpoint: Checkpoint,
  folder: string,
  kind: OnnxKind,
): Promise<Float32Array[]> {
  const model = await ExportedModel.open(checkpoint, folder, { kind, target: 'webgpu', provider });
  try {
    const random = new Random(48);
    const { vocabulary } = requireArchitecture(checkpoint);
    const tokens = (count: number): number[] =>
      Array.from({ length: count }, () => Math.floor(random.uniform() * vocabulary));
    const prompts = (await model.begin([tokens(48), tokens(37)], 'left')).flat();
    return [...prompts, ...(await model.append(tokens(2))), ...(await model.append(tokens(2)))];
  } finally {
    await model.close();
  }
}

async function compare(checkpoint: Checkpoint, kind: OnnxKind = 'fp32'): Promise<void> {
  // Inputs stay as they are: the CPU would round those of products in blocks in another way than the GPU.
  const { out } = await exported(checkpoint, { kinds: [kind], target: 'webgpu', accuracy: 0 });
  const expected = await logitsOn('cpu', checkpoint, out, kind);
  const off = worst(await logitsOn('webgpu', checkpoint, out, kind), expected);
  assert.ok(off <= TOLERANCE, `off by ${off}`);
}

/** A written graph has one table of angles, for texts of any length. */
const WRITTEN = [...TINY_MODELS, ...(full ? RAGGED_MODELS : RAGGED_MODELS.slice(0, 1))].filter(
  (name) => !LENGTH_DEPENDENT_MODELS.includes(name),
);

describeWebGpu('models exported for WebGPU', () => {
  for (const name of WRITTEN) {
    it(`compute as on the CPU: ${name}`, async () => compare(await openToy(tinyCheckpoint(name))));
  }

  for (const kind of ['q8', 'q4'] as const) {
    it(`compute as on the CPU, in ${kind}`, async () => compare(await openToy(tinyCheckpoint('llama-bias')), kind));
  }

  itFull('compute as on the CPU: stories260K', async () => compare(await openToy(checkpointFolder('stories260K'))));
});
