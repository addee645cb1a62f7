/**
 * Every toy of the families with other blocks, from the folder to the file that a program runs: described, scored, pruned, healed,
 * trained, exported. What each can do, or is refused for, is one table; a toy without a row fails.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { summarize } from '../../src/engine/checkpoint/summary';
import { fullView } from '../../src/engine/model/view';
import type { GivenFor, Kind } from '../../src/jobs/kinds';
import type { Outcome } from '../../src/jobs/run-job';
import { familyToy } from '../support/family-toys';
import {
  calibrationFile,
  calibrationRows,
  EXPERT_FAMILIES,
  type GoldenName,
  goldenGreedy,
  goldenImportance,
  goldenLora,
  MIXED_FAMILIES,
} from '../support/golden';
import { checkContinuations } from '../support/golden-checks';
import { runOn } from '../support/jobs';
import { withModel } from '../support/model';
import { textFile } from '../support/retraining';
import { describeShared, full, shared } from '../support/shared';
import { temporaryFolder } from '../support/temporary';

type Toy = (typeof EXPERT_FAMILIES)[number] | (typeof MIXED_FAMILIES)[number];

/** What a job does with the pruned toy: it works, or it is refused with these words. */
type Can = 'works' | RegExp;

/** The part of PEFT's config that is looked at. */
interface AdapterConfig {
  readonly target_modules: readonly string[];
}

interface Row {
  /** What it is called, and its blocks. */
  readonly described: readonly [architecture: string, blocks: number];
  readonly heal: Can;
  readonly retrain: Can;
  readonly gguf: Can;
  readonly onnx: Can;
}

const ROWS: Readonly<Record<Toy, Row>> = {
  'qwen3moe-norm': {
    described: ['qwen3_moe', 7],
    heal: 'works',
    retrain: 'works',
    gguf: /block 0 has a dense FFN beside blocks with experts/,
    onnx: 'works',
  },
  'qwen3moe-step': {
    described: ['qwen3_moe', 8],
    heal: 'works',
    retrain: 'works',
    gguf: /block 2 has a dense FFN beside blocks with experts/,
    onnx: 'works',
  },
  'mixtral-top2': { described: ['mixtral', 6], heal: 'works', retrain: 'works', gguf: 'works', onnx: 'works' },
  'olmoe-clip': { described: ['olmoe', 6], heal: 'works', retrain: 'works', gguf: /clip_qkv/, onnx: 'works' },
  'gptoss-sinks': { described: ['gpt_oss', 6], heal: 'works', retrain: 'works', gguf: /sinks/, onnx: 'works' },
  'granite4-hybrid': {
    described: ['granitemoehybrid', 8],
    heal: 'works',
    retrain: 'works',
    gguf: 'works',
    onnx: /Mamba/,
  },
  'granite4-dense': {
    described: ['granitemoehybrid', 7],
    heal: 'works',
    retrain: 'works',
    gguf: 'works',
    onnx: 'works',
  },
  'lfm2-conv': {
    described: ['lfm2', 9],
    heal: 'works',
    retrain: 'works',
    gguf: 'works',
    onnx: 'works',
  },
  'falconh1-parallel': {
    described: ['falcon_h1', 6],
    heal: 'works',
    retrain: 'works',
    gguf: 'works',
    onnx: /attention beside Mamba/,
  },
  'qwen35-text': {
    described: ['qwen3_5_text', 8],
    heal: 'works',
    retrain: 'works',
    gguf: 'works',
    onnx: /a gated delta net/,
  },
  'qwen35-nested': {
    described: ['qwen3_5_text', 7],
    heal: 'works',
    retrain: 'works',
    gguf: /keys of 12 numbers and values of 20/,
    onnx: /a gated delta net/,
  },
};

/** It has attention, Mamba and experts; the others repeat parts of it in test:full. */
const THIN: readonly Toy[] = ['granite4-hybrid'];

const folderOfToys = (): string[] =>
  readdirSync(shared('models/families3')).filter((name) => statSync(shared('models/families3', name)).isDirectory());

/** Runs a job, or sees it refused, which leaves nothing behind. @returns its result, if it works */
async function attempt<K extends Kind>(
  can: Can,
  kind: K,
  given: GivenFor<K> & { readonly out: string },
): Promise<Outcome<K>['result'] | undefined> {
  if (can !== 'works') {
    await assert.rejects(runOn(kind, given), { name: 'UserError', message: can });
    assert.ok(!existsSync(given.out), `${kind} left something behind`);
    return undefined;
  }
  const { result } = await runOn(kind, given);
  assert.ok(existsSync(given.out), `${kind} wrote nothing`);
  return result;
}

describeShared('every toy', () => {
  it('has a row', () => assert.deepEqual(folderOfToys(), Object.keys(ROWS).sort()));

  for (const [toy, row] of Object.entries(ROWS) as [Toy, Row][]) {
    const itIts = full || THIN.includes(toy) ? it : it.skip;
    itIts(`${toy}, from its folder to what programs run`, async function () {
      this.timeout(120_000);
      const name: GoldenName = `families3/${toy}`;
      const source = familyToy(toy, {}, 'families3');
      const out = temporaryFolder();
      const { architecture, blocks, unsupported } = summarize(await openCheckpoint(source));
      assert.deepEqual([architecture, blocks, unsupported], [...row.described, null]);

      const few = join(out, 'rows.json');
      const rows = calibrationRows(name).map((ids) => ids.slice(0, 12));
      writeFileSync(few, JSON.stringify({ rows: rows.slice(0, 2) }));
      const score = async (given: Omit<GivenFor<'score'>, 'checkpoint'>) =>
        (await runOn('score', { checkpoint: source, ...given })).result.blocks!;
      const magnitudes = await score({ criterion: 'magnitude' });
      assert.deepEqual(
        [...magnitudes].sort((a, b) => a.score - b.score).map(({ index }) => index),
        goldenImportance(name).magnitude.l1.order,
      );
      const losses = await score({ criterion: 'ppl', calibration: few });
      assert.deepEqual([losses.length, losses.every(({ score: of }) => Number.isFinite(of))], [blocks, true]);

      const { removed, pruned: continuations } = goldenGreedy(name);
      const pruned = join(out, 'pruned');
      await runOn('prune', { checkpoint: source, blocks: removed, out: pruned });
      await withModel(pruned, (model) =>
        checkContinuations(model, fullView(blocks! - removed.length), continuations, 1e-3),
      );

      const healing = { checkpoint: source, remove: removed, calibration: calibrationFile(name), heldOut: 0.25 };
      const healed = await attempt(row.heal, 'heal', { ...healing, out: join(out, 'healed') });
      if (healed?.weights === 'healed') assert.ok(healed.heldOut!.rounded.kl < healed.heldOut!.before.kl);

      const training = { checkpoint: pruned, data: [textFile()], length: 16, batch: 1, steps: 1, heldOut: 1 };
      const trained = await attempt(row.retrain, 'retrain', { ...training, out: join(out, 'adapter') });
      if (trained) {
        const config = JSON.parse(readFileSync(join(out, 'adapter', 'adapter_config.json'), 'utf8')) as AdapterConfig;
        const targets = goldenLora(name).targets!;
        assert.deepEqual(
          targets.filter((target) => !config.target_modules.some((module) => target.endsWith(module))),
          [],
          'adapted Linears',
        );
        assert.deepEqual(
          config.target_modules.filter((module) => !targets.some((target) => target.endsWith(module))),
          [],
          'no others',
        );
      }

      // An export is opened and compared with its model.
      await attempt(row.gguf, 'export', { checkpoint: pruned, out: join(out, 'pruned.gguf') });
      await attempt(row.onnx, 'export', { checkpoint: pruned, format: 'onnx', out: join(out, 'onnx') });
    });
  }
});
