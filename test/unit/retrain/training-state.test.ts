/** The state of a training run: what is saved is what is loaded, and only by its own run. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readTensorFile, writeTensorFile } from '../../../src/engine/checkpoint/tensor-file';
import { UserError } from '../../../src/engine/errors';
import { AdamW, type Parameters } from '../../../src/engine/retrain/adamw';
import { loadState, saveState, type TrainingState } from '../../../src/engine/retrain/training-state';
import { normal } from '../../support/random';
import { temporaryFolder } from '../../support/temporary';

const RUN = { model: 'a', learningRate: 0.01, 'data files': ['x'] };
const OPTIONS = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

/** Parameters and an optimiser that has moved them twice. */
function subject(seed: number): { parameters: Parameters; optimizer: AdamW } {
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
  const saved = subject(1);
  const state = stateOf(saved.parameters);
  beforeEach(() => saveState(path, RUN, state, saved.parameters, saved.optimizer));

  const load = (run: object = RUN): Promise<TrainingState | undefined> => {
    const { parameters, optimizer } = subject(2);
    return loadState(path, { ...run }, parameters, optimizer);
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

  it('comes back to the last bit: parameters, moments, the best, what happened', async () => {
    const { parameters, optimizer } = subject(2);
    assert.notDeepEqual(parameters, saved.parameters);
    assert.deepEqual(await loadState(path, RUN, parameters, optimizer), state);
    assert.deepEqual(parameters, saved.parameters);
    assert.deepEqual(optimizer.moments, saved.optimizer.moments);
  });

  it('leaves no other file, and replaces an older state', async () => {
    await saveState(path, RUN, { ...state, step: 9 }, saved.parameters, saved.optimizer);
    assert.deepEqual(readdirSync(join(path, '..')), ['state.safetensors']);
    assert.equal((await load())!.step, 9);
  });

  it('there may be none', async () => {
    const { parameters, optimizer } = subject(2);
    assert.equal(await loadState(`${path}.no`, RUN, parameters, optimizer), undefined);
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
      await writeTensorFile(path, others, metadata);
      await refuses(/is missing/);
      await writeTensorFile(path, others.set(name, { shape: [2], values: new Float32Array(2) }), metadata);
      await refuses(/is missing/);
    }
  });

  it('whose log is no log is refused', async () => {
    const { tensors, metadata } = await readTensorFile(path);
    const log: Record<string, string> = { log: '{"trace":' };
    for (const broken of [log, { step: 'two' }, { best: '[' }]) {
      await writeTensorFile(path, tensors, { ...metadata, ...broken });
      await refuses(/state\.safetensors/);
    }
  });
});
