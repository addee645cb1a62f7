/** The state of a training run: what is saved is what is loaded, and only by its own run. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type NamedTensor,
  readTensorFile,
  writeTensorFile,
} from '../../../../src/engine/formats/safetensors/tensor-file';
import { UserError } from '../../../../src/engine/errors';
import { AdamW, type Parameters } from '../../../../src/engine/retrain/loop/adamw';
import {
  checksumOf,
  loadState,
  saveState,
  type TrainingState,
} from '../../../../src/engine/retrain/loop/training-state';
import { Random } from '../../../../src/engine/random';
import { normal } from '../../../support/random';
import { temporaryFolder } from '../../../support/temporary';

const RUN = { model: 'a', learningRate: 0.01, 'data files': ['x'] };
const OPTIONS = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

/** Parameters and an optimiser that has moved them twice. */
function trained(seed: number): { parameters: Parameters; optimizer: AdamW } {
  const next = normal(seed);
  const noise = (count: number): Float32Array => Float32Array.from({ length: count }, next);
  const parameters: Parameters = new Map([
    ['0.q.A', { values: noise(12), shape: [3, 4], decays: true }],
    ['norm', { values: noise(5), shape: [5], decays: false }],
  ]);
  const optimizer = new AdamW(parameters, OPTIONS);
  for (const step of [1, 2]) {
    const gradients = new Map([...parameters].map(([name, { values }]) => [name, noise(values.length)]));
    optimizer.update(step, 0.01, gradients, 1);
  }
  return { parameters, optimizer };
}

function stateOf(parameters: Parameters): TrainingState {
  const entry = { step: 1, loss: 2.5, learningRate: 1e-4, gradientNorm: Infinity, tokens: 100, seconds: 0.25 };
  const values = new Map([...parameters].map(([name, p]) => [name, p.values.map((v) => v + 1)]));
  return {
    step: 2,
    log: { trace: [entry, { ...entry, step: 2, loss: NaN }], evaluations: [{ step: 0, loss: 3.25 }] },
    best: { step: 1, loss: 0.1 + 0.2, values },
  };
}

describe('retrain/training-state', () => {
  const path = join(temporaryFolder(), 'run', 'state.safetensors');
  const saved = trained(1);
  const state = stateOf(saved.parameters);
  beforeEach(() => saveState({ path, run: RUN }, state, saved.parameters, saved.optimizer));

  const load = (run: object = RUN): Promise<TrainingState | undefined> => {
    const { parameters, optimizer } = trained(2);
    return loadState({ path, run: { ...run } }, parameters, optimizer);
  };
  /** Whoever is refused is told the folder to remove, or to name another place: he can do that. */
  const refuses = async (pattern: RegExp, run?: object): Promise<void> => {
    await assert.rejects(load(run), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(`${error.what}: ${error.why}`, pattern);
      assert.ok(error.action.includes(`remove ${dirname(path)} or name another --out`), error.action);
      return true;
    });
  };

  /** With a checksum that is right: what is wrong is something else. */
  const write = (
    tensors: ReadonlyMap<string, NamedTensor>,
    metadata: Readonly<Record<string, string>>,
  ): Promise<void> => writeTensorFile(path, tensors, { ...metadata, sha256: checksumOf(tensors, metadata) });

  it('comes back to the last bit: parameters, moments, the best, what happened', async () => {
    const { parameters, optimizer } = trained(2);
    assert.notDeepEqual(parameters, saved.parameters);
    assert.deepEqual(await loadState({ path, run: RUN }, parameters, optimizer), state);
    assert.deepEqual(parameters, saved.parameters);
    assert.deepEqual(optimizer.moments, saved.optimizer.moments);
  });

  it('leaves no other file, and replaces an older state', async () => {
    await saveState({ path, run: RUN }, { ...state, step: 9 }, saved.parameters, saved.optimizer);
    assert.deepEqual(readdirSync(join(path, '..')), ['state.safetensors']);
    assert.equal((await load())!.step, 9);
  });

  it('there may be none', async () => {
    const { parameters, optimizer } = trained(2);
    assert.equal(await loadState({ path: `${path}.no`, run: RUN }, parameters, optimizer), undefined);
  });

  it('of another run is refused, by the name of what differs', async () => {
    await refuses(/other settings.*: learning rate \(0\.01 there, 0\.02 here\)$/, { ...RUN, learningRate: 0.02 });
    await refuses(/: model, data files$/, { ...RUN, model: 'b', 'data files': ['y'] });
    await refuses(/: prompt \(none there, plain here\)$/, { ...RUN, prompt: 'plain' });
  });

  it('that is cut short is refused', async () => {
    truncateSync(path, readFileSync(path).length - 3);
    await refuses(/state\.safetensors: it is damaged/);
    truncateSync(path, 20);
    await refuses(/state\.safetensors: it is damaged/);
    writeFileSync(path, '');
    await refuses(/state\.safetensors: it is damaged/);
  });

  it('that lacks a tensor, or has one of another size, is refused', async () => {
    const { tensors, metadata } = await readTensorFile(path);
    for (const name of tensors.keys()) {
      const others = new Map([...tensors].filter(([key]) => key !== name));
      await write(others, metadata);
      await refuses(/is missing/);
      await write(others.set(name, { shape: [2], values: new Float32Array(2) }), metadata);
      await refuses(/is missing/);
    }
  });

  it('whose log is no log is refused', async () => {
    const { tensors, metadata } = await readTensorFile(path);
    const entry = { step: 1, loss: 1, learningRate: 1, gradientNorm: 1, tokens: 1 }; // without seconds
    const logs = [
      '{"trace":',
      'null',
      '{}',
      '[]',
      '{"trace":[],"evaluations":null}',
      '{"trace":[null],"evaluations":[]}',
    ];
    const broken: readonly Record<string, string>[] = [
      ...[...logs, JSON.stringify({ trace: [entry], evaluations: [] })].map((log) => ({ log })),
      ...[{ step: 'two' }, { step: '' }, { best: '[' }, { best: 'null' }, { best: '{}' }],
    ];
    for (const change of broken) {
      await write(tensors, { ...metadata, ...change });
      await refuses(/it is damaged: its description of the run cannot be read/);
    }
  });

  it('with a bit that flipped, wherever it is, is refused', async () => {
    const whole = readFileSync(path);
    assert.ok(await load());
    const random = new Random(17);
    const header = 8 + Number(whole.readBigUInt64LE());
    const bits = Array.from({ length: 400 }, (_, i) => random.below((i % 2 === 0 ? header : whole.length) * 8));
    for (const bit of bits) {
      const flipped = Buffer.from(whole);
      flipped[bit >> 3] ^= 1 << (bit & 7);
      writeFileSync(path, flipped);
      await refuses(/state\.safetensors: it is damaged/);
    }
  });

  it('without a checksum, as older versions wrote it, is refused', async () => {
    const { tensors, metadata } = await readTensorFile(path);
    const { sha256: _, format, ...older } = metadata;
    await writeTensorFile(path, tensors, older);
    await refuses(/it is damaged: it has no checksum of this version/);
    await write(tensors, { ...older, format: `${format}0` });
    await refuses(/it is damaged: it has no checksum of this version/);
  });
});
