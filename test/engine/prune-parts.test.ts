/** `prune` by module: what `score` by module chooses, sizes in parts, and what a model without them has. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { openCheckpoint, requireArchitecture } from '../../src/engine/checkpoint/open';
import { meanLayerParameters, parametersOf } from '../../src/engine/checkpoint/parameters';
import { blockBytes, checkpointReduction, partsReduction } from '../../src/engine/checkpoint/reduction';
import { removedFrom, removedJson } from '../../src/engine/model/view';
import { digestRecord } from '../../src/jobs/digest/digest';
import { completeOptions } from '../../src/jobs/complete';
import { JOBS } from '../../src/jobs/definitions';
import type { GivenFor } from '../../src/jobs/kinds';
import type { PruneResult } from '../../src/jobs/results/prune';
import { runJob } from '../../src/jobs/run-job';
import { stepRun } from '../../src/recipes/save/runs';
import { resultSchemaOf } from '../../src/jobs/schema';
import type { RunRecord } from '../../src/engine/records/record';
import { assertClose } from '../support/close';
import { runOn } from '../support/jobs';
import { randomRows } from '../support/random';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';

const sample = resolve(import.meta.dirname, '../../media/sample');
const BLOCKS = 12;
/** Two blocks of the sample may go. */
const FEW = { keepEnds: false, keep: [0, 1, 2, 3, 4, 5, 6, 7, 10, 11] } as const;

describe('prune by module', function () {
  this.timeout(60_000);
  const rows = join(temporaryFolder(), 'rows.json');
  writeFileSync(rows, JSON.stringify({ rows: randomRows(1, 8, 288, 7) }));
  const ofParts = { calibration: rows, granularity: 'module' } as const;

  const prune = async (given: Omit<GivenFor<'prune'>, 'checkpoint'>, checkpoint = sample): Promise<PruneResult> =>
    (await runOn('prune', { checkpoint, ...ofParts, dryRun: true, ...given })).result;
  const score = async (given: Omit<GivenFor<'score'>, 'checkpoint'>, checkpoint = sample) =>
    (await runOn('score', { checkpoint, ...ofParts, ...given })).result;

  /** Chooses by both jobs, in turn by KL divergence: the same parts, and the same numbers. */
  const same = async (given: { count?: number; maxKl?: number; keep: readonly number[] }, checkpoint: string) => {
    const asked = { criterion: 'greedy', objective: 'kl', ...given } as const;
    const scored = await score(asked, checkpoint);
    const pruned = await prune({ ...asked, keepEnds: false }, checkpoint);
    const { ppl, meanNll, kl } = scored.removals!.at(-1)!;
    assert.deepEqual(pruned.leftOut, scored.leftOut);
    assert.deepEqual(pruned.measured, { ppl, meanNll, kl });
    assert.equal(pruned.cost, 'bytes');
    const saved = scored.removals!.reduce((sum, { saves }) => sum + Number(saves), 0);
    assert.equal(pruned.saves, saved);
    return scored.removals!;
  };

  it('in turn, goes by KL divergence as score does', async () => {
    await same({ count: 1, keep: FEW.keep }, sample);
  });

  it('in turn, goes as long as a limit of the divergence allows, as score does', async () => {
    const within = await same({ maxKl: 1, keep: [0] }, tinyCheckpoint('llama-gqa-tied'));
    assert.ok(within.length > 0 && within.every(({ kl }) => Number(kl) <= 1));
  });

  it('by scores, goes as the shares of score say', async () => {
    const scored = await score({ criterion: 'kl', ratios: [0.06], ...FEW });
    const pruned = await prune({ criterion: 'kl', ratio: 0.06, ...FEW });
    const [{ removed, parameters }] = scored.shares!;
    assert.deepEqual(pruned.leftOut, removedJson(removedFrom(removed, BLOCKS)));
    assert.equal(pruned.parametersAfter, parameters);
    assert.equal(pruned.measured, undefined, 'each was measured alone');
  });

  it('keeps to a size in parameters, which may be less than a block, and to one in bytes', async () => {
    const folder = tinyCheckpoint('llama-gqa-tied');
    const checkpoint = await openCheckpoint(folder);
    const architecture = requireArchitecture(checkpoint);
    const total = parametersOf(architecture);
    const small = 0.6 * meanLayerParameters(architecture);
    const bytes = blockBytes(checkpoint).reduce((sum, each) => sum + each, 0) / architecture.layers.length;
    const free = { keepEnds: false, keep: [0] } as const;
    for (const how of [
      { criterion: 'ppl' },
      { criterion: 'greedy' },
      { criterion: 'search', generations: 1 },
      { criterion: 'healed' },
    ] as const) {
      const given = { ...how, ...free };
      const some = await prune({ ...given, ratio: small / total }, folder);
      assert.ok(some.parametersAfter >= total - small && some.parts!.every(({ part }) => part !== undefined));
      if (how.criterion === 'ppl') {
        const least = Math.ceil(total - small);
        assert.deepEqual((await prune({ ...given, targetParams: least }, folder)).leftOut, some.leftOut);
      }
      const { parts } = await prune({ ...given, count: 1 }, folder);
      assert.ok(parts!.reduce((sum, each) => sum + each.bytes, 0) <= bytes);
      assert.ok(parts!.every(({ block }) => block !== 0));
    }
    await assert.rejects(prune({ criterion: 'ppl', ratio: 0.999, ...free }, folder), /cannot remove \d of \d blocks/);
    await assert.rejects(prune({ criterion: 'ppl', ratio: 1e-6, ...free }, folder), /least important module is more/);
    await assert.rejects(prune({ criterion: 'greedy', ratio: 1e-6, ...free }, folder), /No part can be removed/);
    await assert.rejects(prune({ criterion: 'greedy', targetParams: total, ...free }, folder), /the model has/);
  });

  it('says what a model without the parts has, as bench does; the record and the schema have it', async () => {
    const folder = tinyCheckpoint('llama-gqa-tied');
    let record: RunRecord | undefined;
    const write = (written: RunRecord) => {
      record = written;
      return Promise.resolve('record.json');
    };
    const given = { criterion: 'greedy', objective: 'kl', cost: 'time', ratio: 0.25, keepEnds: false } as const;
    const asked = { checkpoint: folder, ...ofParts, ...given, dryRun: true, device: 'cpu', threads: 1 } as const;
    const options = completeOptions(JOBS.prune, asked);
    const place = { folder: temporaryFolder(), write };
    const { result } = await runJob('prune', options, { job: {}, hooks: {}, emit: () => undefined, place });
    assert.ok(result.parts!.length > 0 && result.saves! !== 0 && result.cost === 'time');
    assert.deepEqual(removedJson(result.parts!), result.leftOut);
    assert.deepEqual(
      result.removed,
      result.leftOut!.filter((part) => typeof part === 'number'),
    );
    const speed = { promptTokens: 4, newTokens: 2, repeats: 1 };
    const { result: bench } = await runOn('bench', { checkpoint: folder, remove: result.leftOut!, ...speed });
    assert.deepEqual([result.parametersAfter, result.bytesAfter], [bench.parameters, bench.bytes]);
    const { result: measured } = await runOn('eval', {
      checkpoint: folder,
      calibration: rows,
      remove: result.leftOut!,
    });
    assertClose(measured.ppl, Number(result.measured!.ppl), { relative: 1e-5 }, 'perplexity');

    const isDeclared = new Ajv2020({ allowUnionTypes: true }).compile(resultSchemaOf(JOBS.prune));
    assert.ok(isDeclared(JSON.parse(JSON.stringify(result))), JSON.stringify(isDeclared.errors));
    assert.deepEqual(digestRecord(record!).removed, result.leftOut);
    const step = stepRun({ id: 'record.json', file: join(place.folder, 'record.json'), record: record! })!;
    assert.deepEqual([step.removed, step.options.granularity], [result.leftOut, 'module']);
    assert.match(JOBS.prune.about!(result, { written: '', device: null }), /^without .*parameters/);
    assert.deepEqual([record!.settings.granularity, record!.settings.ratio], ['module', 0.25]);
  });

  it('counts whole blocks as a checkpoint without them has it', async () => {
    const checkpoint = await openCheckpoint(sample);
    const { parts, ...reduction } = partsReduction(checkpoint, [{ block: 5 }, { block: 3 }]);
    assert.deepEqual(reduction, checkpointReduction(checkpoint, [3, 5]));
    const halves = partsReduction(checkpoint, [
      { block: 5, part: 'attention' },
      { block: 5, part: 'ffn' },
    ]);
    assert.equal(halves.parts[0].bytes + halves.parts[1].bytes, parts[0].bytes);
    assert.equal(halves.bytesAfter, checkpointReduction(checkpoint, [5]).bytesAfter);
    assert.deepEqual([halves.removed, halves.kept.length], [[], BLOCKS]);
  });
});
