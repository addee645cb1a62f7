/**
 * Healing where a norm stands behind the Linears that add to the stream: what the norm multiplies by changes too, and goes
 * wherever changed weights go. A fold has no form there, and is refused by name.
 */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyText } from '../../../src/engine/checkpoint/weight-key';
import { heal } from '../../../src/engine/heal/heal';
import { healable, whyNotHealed } from '../../../src/engine/heal/healable';
import { loadReference } from '../../reference/forward';
import { assertClose } from '../../support/close';
import { HEAL_TOLERANCE } from '../../support/heal-checks';
import { checkHealing, viewOf } from '../../support/healing';
import { runOn } from '../../support/jobs';
import { withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { readCheckpointTensors, type TestTensor, writeSafetensors } from '../../support/safetensors';
import { full, itFull } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { ownTinyCheckpoint, tinyCheckpoint } from '../../support/tiny-models';

const NAMES = ['gemma2-softcap', 'gemma3-pattern', 'olmo2-postnorm'] as const;
const FAMILIES = { 'gemma2-softcap': 'gemma2', 'gemma3-pattern': 'gemma3', 'olmo2-postnorm': 'olmo2' };
const rows = randomRows(12, 16, 288, 81);

/** Gemma 2 in float32 with changed tensors. */
function changedToy(change: (tensor: (name: string) => TestTensor) => void): string {
  const folder = ownTinyCheckpoint('gemma2-softcap');
  const tensors = readCheckpointTensors(folder);
  change((name) => tensors.get(name)!);
  writeSafetensors(join(folder, 'model.safetensors'), [...tensors.values()]);
  return folder;
}

function rowsFile(): string {
  const path = join(temporaryFolder(), 'rows.json');
  writeFileSync(path, JSON.stringify({ rows }));
  return path;
}

describe('a fold where norms stand behind the last Linears', () => {
  const refusal = (family: string) => ({
    name: 'UserError',
    what: `Cannot heal ${family} by a fold`,
    why: /a norm between/,
    action: /refit/,
  });

  for (const name of NAMES) {
    it(`is refused, with the reason and another way: ${name}`, () =>
      withModel(tinyCheckpoint(name), async (model) => {
        const family = new RegExp(FAMILIES[name]);
        await assert.rejects(heal(model, viewOf(4, '1'), rows, { method: 'fold' }), ({ what }: { what: string }) => {
          assert.match(what, family);
          return true;
        });
        const { architecture } = model;
        assert.deepEqual(
          (['refit', 'scalar', 'fold', undefined] as const).map((method) => healable(architecture, method)),
          [true, true, false, true],
        );
        assert.match(whyNotHealed(architecture, 'fold')!, /norm/);
      }));
  }

  it('is refused by every job that would fold, before it reads its text', async () => {
    const checkpoint = tinyCheckpoint('olmo2-postnorm');
    const out = join(temporaryFolder(), 'out');
    const given = { checkpoint, calibration: 'no such text.txt', method: 'fold', out } as const;
    const chosen = { ...given, criterion: 'kl', count: 1 } as const;
    for (const job of [
      () => runOn('heal', { ...given, remove: [1] }),
      () => runOn('prune', { ...given, blocks: [1], heal: true }),
      () => runOn('prune', { ...chosen, count: 2, rounds: 2 }),
      () => runOn('iterate', chosen),
    ]) {
      await assert.rejects(job(), refusal('olmo2'));
    }
    assert.ok(!existsSync(out));
  });
});

describe('healing where norms stand behind the last Linears', function () {
  this.timeout('2m');
  const calibration = rowsFile();
  const common = { calibration, heldOut: 0 };

  for (const name of NAMES) {
    const checkpoint = tinyCheckpoint(name, { tokenizer: true });
    for (const method of ['refit', 'scalar'] as const) {
      const test = name === 'olmo2-postnorm' && method === 'refit' ? it : itFull;
      test(`${name}, ${method}: a file of new weights, a checkpoint and files for applications have one loss`, async () => {
        const folder = temporaryFolder();
        const [patch, out] = [join(folder, 'healed.safetensors'), join(folder, 'healed')];
        const { result } = await runOn('heal', { ...common, checkpoint, remove: [1], method, patch, out });
        assert.equal(result.weights, 'healed');
        const loss = async (given: { checkpoint: string; heal?: string }): Promise<number> => {
          const { result: found } = await runOn('eval', { ...given, calibration });
          return found.meanNll;
        };
        const plain = result.fit.before.meanNll;
        const wanted = await loss({ checkpoint, heal: patch });
        assertClose(wanted, Number(result.fit.after.meanNll), { absolute: 1e-5 }, 'the new weights on top');
        assert.ok(Math.abs(wanted - Number(plain)) > 1e-4, 'they change something');
        assertClose(await loss({ checkpoint: out }), Number(result.fit.rounded.meanNll), { absolute: 1e-5 }, 'written');
        for (const format of ['gguf', 'onnx', 'safetensors'] as const) {
          const file = join(folder, format === 'gguf' ? 'model.gguf' : format);
          const type = { gguf: 'f32', onnx: 'fp32', safetensors: 'f32' }[format];
          await runOn('export', { checkpoint, heal: patch, format, type: [type], out: file });
          if (format !== 'onnx') assertClose(await loss({ checkpoint: file }), wanted, { absolute: 1e-5 }, format);
        }
      });
    }
  }

  it('keeps the plain weights where rows that were not fitted say so', async () => {
    for (const name of full ? (['gemma2-softcap', 'olmo2-postnorm'] as const) : (['gemma2-softcap'] as const)) {
      const checkpoint = tinyCheckpoint(name, { tokenizer: true });
      const patch = join(temporaryFolder(), 'healed.safetensors');
      const given = { checkpoint, calibration, heldOut: 0.5, remove: [1] };
      // Steps far beyond the solution spoil the model.
      const { result } = await runOn('heal', { ...given, step: 40, stepCut: 40, patch });
      assert.ok(result.heldOut!.rounded.kl >= result.heldOut!.before.kl, name);
      assert.equal(result.weights, 'plain');
      assert.ok(result.patch === null && !existsSync(patch));
    }
  });

  it('removes in rounds, block after block, and by what healing leaves', async () => {
    const checkpoint = tinyCheckpoint('gemma3-pattern', { tokenizer: true });
    const given = { ...common, checkpoint, criterion: 'kl', count: 2, keepEnds: false, method: 'refit' } as const;
    const place = (name: string): string => join(temporaryFolder(), name);
    if (full) {
      const inRounds = await runOn('prune', { ...given, rounds: 2, out: place('rounds') });
      assert.equal(inRounds.result.removed.length, 2);
    }
    const iterated = await runOn('iterate', { ...given, out: place('iterated') });
    assert.equal(iterated.result.rounds.length, 2);
    const chosen = await runOn('prune', { ...given, criterion: 'healed', heal: true, out: place('healed') });
    assert.equal(chosen.result.removed.length, 2);
  });

  it('heals channels whose norm multiplies by 0 or less, and leaves a Linear alone whose input is always 0', async () => {
    const folder = changedToy((tensor) => {
      const norm = tensor('model.layers.1.post_feedforward_layernorm.weight').values;
      norm.set([-1, -1.5, -0.999, 19]); // g = 0, −0.5, 0.001, 20
      tensor('model.layers.3.self_attn.v_proj.weight').values.fill(0);
    });
    const reference = loadReference(folder);
    await withModel(folder, async (model) => {
      const task = { reference, dtype: 'F32', rows, view: viewOf(4, '2') } as const;
      const { healed } = await checkHealing(model, task, { method: 'refit' }, HEAL_TOLERANCE.behindNorms);
      const step = healed.steps.find(({ block, tensor }) => block === 3 && tensor === 'o_proj')!;
      assert.deepEqual([step.traceGram, step.normDelta, step.weight, step.normWeight], [0, 0, undefined, undefined]);
    });
  });

  it('of weights that are not finite, and without a ridge, is refused with the block', async () => {
    const broken = changedToy((tensor) => {
      tensor('model.layers.3.mlp.up_proj.weight').values[0] = NaN;
    });
    const failing = (path: string, ridge?: number) =>
      withModel(path, (model) => heal(model, viewOf(4, '1'), rows.slice(0, 2), { method: 'refit', ridge }));
    await assert.rejects(failing(broken), { name: 'UserError', what: 'Cannot heal block 3' });
    await assert.rejects(failing(tinyCheckpoint('gemma2-softcap'), 0), { name: 'UserError', action: /larger/ });
  });

  it('changes the weights of norms as they are stored, with and without an offset', async () => {
    for (const name of NAMES) {
      const folder = tinyCheckpoint(name);
      const { tensors } = loadReference(folder);
      await withModel(folder, async (model) => {
        const { patches } = await heal(model, viewOf(4, '2'), rows, { method: 'refit', measure: false });
        const norms = patches.filter(([key]) => keyText(key).endsWith('OutNorm'));
        assert.equal(norms.length, 3);
        for (const [key, patch] of norms) {
          assert.ok(patch.kind === 'replace' && typeof key === 'object');
          const part = key.name === 'attentionOutNorm' ? 'post_attention_layernorm' : 'post_feedforward_layernorm';
          const stored = tensors.get(`model.layers.${key.layer}.${part}.weight`)!.values;
          const change = patch.values.map((value, i) => value - stored[i]);
          const most = Math.max(...change.map(Math.abs));
          assert.ok(most > 1e-4 && most < 0.8, `${name}: ${most}`); // an offset too many or too few would be 1
        }
      });
    }
  });
});
