/** Jobs on a narrower model: they compute with it, name it, and what they make belongs to it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { openCheckpoint, requireArchitecture } from '../../src/engine/checkpoint/open';
import { parametersOf } from '../../src/engine/checkpoint/parameters';
import type { Checkpoint } from '../../src/engine/checkpoint/types';
import { narrowCheckpoint } from '../../src/engine/checkpoint/width';
import { digestRecord } from '../../src/jobs/digest/digest';
import type { RunRecord } from '../../src/engine/records/record';
import { saveWidth } from '../../src/engine/weights/width-file';
import { completeOptions } from '../../src/jobs/complete';
import { JOBS } from '../../src/jobs/definitions';
import type { GivenFor, Kind } from '../../src/jobs/kinds';
import { runJob } from '../../src/jobs/run-job';
import { resultSchemaOf } from '../../src/jobs/schema';
import { WhatIfService } from '../../src/sidecar/what-if-service';
import { loadReference } from '../reference/forward';
import { referenceTokenNlls } from '../reference/measures';
import { assertClose } from '../support/close';
import { runOn } from '../support/jobs';
import { randomRows } from '../support/random';
import { newPlace, refused, textFile, tiny } from '../support/retraining';
import { temporaryFolder } from '../support/temporary';
import { masked, randomWidth } from '../support/widths';

const folder = tiny('llama-bias');
const rows = randomRows(2, 16, 288, 41);

function temporaryFile(name: string, text: string): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, text);
  return path;
}

async function narrowed(): Promise<{ width: string; narrow: Checkpoint; stored: Checkpoint }> {
  const stored = await openCheckpoint(folder);
  const narrow = narrowCheckpoint(stored, randomWidth(requireArchitecture(stored), { seed: 8, biases: true }));
  const path = join(temporaryFolder(), 'flap.width.safetensors');
  const width = await saveWidth(path, narrow, { method: 'flap', texts: [], facts: {} });
  return { width, narrow, stored };
}

/** Runs a job, and gives its record too. */
async function recorded<K extends Kind>(kind: K, given: GivenFor<K>) {
  let record: RunRecord | undefined;
  const place = {
    folder: temporaryFolder(),
    write: (written: RunRecord) => {
      record = written;
      return Promise.resolve('record.json');
    },
  };
  const options = completeOptions(JOBS[kind], { ...given, device: 'cpu', threads: 1 });
  const { result } = await runJob(kind, options, { job: {}, hooks: {}, emit: () => undefined, place });
  return { result, record: record! };
}

describe('jobs on a narrower model', function () {
  this.timeout(120_000);
  const calibration = temporaryFile('rows.json', JSON.stringify({ rows }));

  it('eval: perplexity of the mask, compared with the full width; the record names file and checkpoint', async () => {
    const { width, narrow, stored } = await narrowed();
    const { result, record } = await recorded('eval', { checkpoint: folder, width, calibration });
    const reference = masked(loadReference(folder), narrow.narrowing!.width);
    const nlls = rows.flatMap((ids) => [...referenceTokenNlls(reference, ids)]);
    const mean = nlls.reduce((a, b) => a + b) / nlls.length;
    assertClose(Math.log(result.ppl), mean, { absolute: 1e-5 }, 'mean loss');
    assert.ok(Number(result.kl) > 0.001);
    assert.equal(result.against?.identity, stored.identity);
    const digest = digestRecord(record);
    assert.equal(digest.model.identity, stored.identity);
    assert.equal(digest.width, 'flap.width.safetensors');
    assert.equal(digest.quality?.[0].label, 'flap.width.safetensors');
    assert.equal(digest.retrained, undefined);
  });

  it('bench: counts what is kept', async () => {
    const { width, narrow } = await narrowed();
    const { result } = await runOn('bench', { checkpoint: folder, width, promptTokens: 4, newTokens: 2, repeats: 1 });
    assert.equal(result.parameters, parametersOf(narrow.architecture!));
    const more = result.bytes - 4 * parametersOf(narrow.architecture!);
    assert.ok(more > 0 && more < 16 * 1024, `${more} bytes of headers, config, card and record`);
  });

  it('score: its scores are refused for the full width', async () => {
    const { width, narrow } = await narrowed();
    const { result } = await runOn('score', { checkpoint: folder, width, criterion: 'taylor', calibration });
    assert.equal(result.model.identity, narrow.identity);
    assert.equal(result.width?.name, 'flap.width.safetensors');
    const isDeclared = new Ajv2020({ allowUnionTypes: true }).compile(resultSchemaOf(JOBS.score));
    assert.ok(isDeclared(JSON.parse(JSON.stringify(result))), JSON.stringify(isDeclared.errors));
    const scores = temporaryFile('scores.json', JSON.stringify(result));
    await refused(
      runOn('prune', { checkpoint: folder, scores, count: 1, keepEnds: false, out: newPlace() }),
      /identity/,
    );
  });

  it('samples: stands beside the full width, with its file', async () => {
    const { width } = await narrowed();
    const columns = [
      { label: 'whole', checkpoint: folder },
      { label: 'narrow', checkpoint: folder, width },
    ];
    const { result } = await runOn('samples', { columns, prompts: ['The river'], maxNewTokens: 8, greedy: true });
    assert.deepEqual(
      result.columns.map(({ label, width: on, model }) => [label, on, model]),
      [
        ['whole', undefined, result.columns[0].model],
        ['narrow', 'flap.width.safetensors', result.columns[0].model],
      ],
    );
    assert.equal(result.columns[0].identity, result.columns[1].identity);
    assert.notDeepEqual(result.samples[0].ids, result.samples[1].ids);
  });

  it('retrain and merge: the adapter belongs to this width, and is merged into its weights', async () => {
    const { width } = await narrowed();
    const adapter = newPlace();
    await runOn('retrain', {
      checkpoint: folder,
      width,
      data: [textFile()],
      length: 24,
      batch: 2,
      steps: 8,
      lr: 0.01,
      out: adapter,
    });
    const before = await runOn('eval', { checkpoint: folder, width, calibration });
    const after = await runOn('eval', { checkpoint: folder, width, adapter, calibration });
    assert.notEqual(after.result.ppl, before.result.ppl);
    await refused(runOn('eval', { checkpoint: folder, adapter, calibration }), /trained on .* of width/);
    const out = newPlace();
    await runOn('merge', { checkpoint: folder, width, adapter, out });
    const merged = await runOn('eval', { checkpoint: out, calibration });
    assertClose(Math.log(merged.result.ppl), Math.log(after.result.ppl), { absolute: 1e-5 }, 'loss');
  });

  it('heal: brings it nearer to the full width; the new weights belong to this width', async () => {
    const { width } = await narrowed();
    const patch = join(temporaryFolder(), 'healed.patch.safetensors');
    const given = {
      checkpoint: folder,
      width,
      calibration: temporaryFile('more.json', JSON.stringify({ rows: randomRows(40, 16, 288, 9) })),
      patch,
    };
    const { result } = await runOn('heal', given);
    assert.equal(result.weights, 'healed');
    assert.ok(Number(result.heldOut!.rounded.kl) < Number(result.heldOut!.before.kl));
    const before = await runOn('eval', { checkpoint: folder, width, calibration });
    const after = await runOn('eval', { checkpoint: folder, width, heal: patch, calibration });
    assert.ok(Number(after.result.kl) < Number(before.result.kl));
    await refused(runOn('eval', { checkpoint: folder, heal: patch, calibration }), /does not belong to/);
    const out = newPlace();
    await runOn('heal', { ...given, patch: undefined, out });
    const written = await runOn('eval', { checkpoint: out, calibration });
    assertClose(Math.log(written.result.ppl), Math.log(after.result.ppl), { absolute: 1e-5 }, 'loss');
  });

  it('what-if: without a block of it', async () => {
    const { width, narrow } = await narrowed();
    const service = new WhatIfService({});
    try {
      const params = {
        checkpoint: folder,
        width,
        remove: [1],
        calibration: { file: calibration },
        device: 'cpu',
      } as const;
      const { ppl, parameters } = await service.evaluate(params, new AbortController().signal);
      const { result } = await runOn('eval', { checkpoint: folder, width, remove: [1], calibration });
      assertClose(Math.log(Number(ppl)), Math.log(result.ppl), { absolute: 1e-6 }, 'loss');
      assert.ok(parameters < parametersOf(narrow.architecture!));
    } finally {
      await service.close();
    }
  });
});
