/** `coppice frontier`: every point has the numbers of the file that `export` writes, and a size finds the best of those that fit. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CancelledError } from '../../src/engine/errors';
import type { ExportResult } from '../../src/jobs/results/export';
import type { FrontierPoint, FrontierResult } from '../../src/jobs/results/frontier';
import type { HealResult } from '../../src/jobs/results/heal';
import { coppice, buildCli } from '../support/built-cli';
import { run } from '../support/cli';
import { runOn } from '../support/jobs';
import { temporaryFolder, withTemporaryFolder } from '../support/temporary';

const SAMPLE = resolve('media/sample');
const CALIBRATION = `${SAMPLE}/calibration.txt`;
const ON = [
  '--text',
  `${SAMPLE}/evaluation.txt`,
  '--window',
  '64',
  '--limit',
  '4',
  '--device',
  'cpu',
  '--threads',
  '1',
];
const BY = ['--calibration', CALIBRATION, '--samples', '2', '--length', '32'];
const HEALING = ['--tokens', '512'];

describe('command line: frontier', function () {
  this.timeout(180_000);
  before(() => {
    buildCli();
  });

  const frontier = async (...args: string[]): Promise<FrontierResult> =>
    (await run('frontier', SAMPLE, ...ON, ...args)) as unknown as FrontierResult;
  const find = ({ points }: FrontierResult, type: string, count: number, healed: boolean): FrontierPoint =>
    points.find((each) => each.type === type && each.count === count && each.healed === healed)!;

  it('measures what export writes and measures, bit for bit, whole, plain and healed', async () => {
    const result = await frontier('--types', 'q8_0,q4_0', '--counts', '0,2', '--plain', ...BY, ...HEALING);
    assert.deepEqual(
      result.points.map(({ type, count, healed }) => [type, count, healed]),
      [
        ['q8_0', 0, false],
        ['q4_0', 0, false],
        ['q8_0', 2, true],
        ['q8_0', 2, false],
        ['q4_0', 2, true],
        ['q4_0', 2, false],
      ],
    );
    assert.equal(result.fit, undefined);
    assert.equal(result.weighed, true);
    const alike = await frontier('--types', 'q4_0', '--counts', '0', '--no-imatrix', ...BY);
    assert.equal(alike.weighed, false);
    assert.notEqual(alike.points[0].ppl, find(result, 'q4_0', 0, false).ppl);
    const [whole, removed] = result.order;
    assert.deepEqual([whole.length, removed.length], [0, 2]);
    const folder = temporaryFolder();
    const patch = join(folder, 'healed.patch.safetensors');
    const healing = ['--remove', removed.join(), '--calibration', CALIBRATION, ...HEALING, '--patch', patch];
    const healed = (await run(
      'heal',
      SAMPLE,
      ...healing,
      '--device',
      'cpu',
      '--threads',
      '1',
    )) as unknown as HealResult;
    assert.equal(healed.weights, 'healed');
    for (const [type, count, view] of [
      ['q4_0', 0, []],
      ['q8_0', 2, ['--remove', removed.join()]],
      ['q4_0', 2, ['--heal', patch]],
    ] as const) {
      const isHealed = view.includes('--heal' as never);
      const out = join(folder, `${type}-${count}-${isHealed}.gguf`);
      const rounding = type === 'q4_0' ? ['--imatrix', 'auto', ...BY] : [];
      const written = (await run(
        'export',
        SAMPLE,
        ...view,
        '--type',
        type,
        ...rounding,
        '--out',
        out,
        '--no-verify',
        ...ON,
      )) as unknown as ExportResult;
      const point = find(result, type, count, isHealed);
      const { ppl, meanNll } = written.measured![0].perplexity!;
      assert.deepEqual([point.ppl, point.meanNll], [ppl, meanNll], `${type} without ${count}`);
      // The record in the file names paths and settings, which differ.
      assert.ok(Math.abs(point.bytes - written.bytes) < 1024, `${point.bytes} and ${written.bytes} bytes`);
      assert.equal(point.parameters, written.parametersAfter);
    }
    const own = (await run('eval', SAMPLE, ...ON)) as { readonly ppl?: number };
    assert.equal(result.original.ppl, own.ppl);
    for (const point of result.points) {
      const isBeaten = result.points.some(({ bytes, ppl }) => bytes < point.bytes && ppl <= point.ppl);
      if (point.frontier) assert.equal(isBeaten, false, `${point.type} without ${point.count}`);
    }
    assert.ok(result.points.some((point) => point.frontier));
  });

  it('of a size, measures every type, and those that are too large without as few blocks as are needed; its commands write the best', async () => {
    const size = 2_700_000;
    const result = await frontier('--fit', '2.7MB', '--types', 'q8_0,q4_0', ...BY, ...HEALING);
    const { points, fit } = result;
    const [larger, ...smaller] = points.filter(({ count }) => count > 0);
    assert.equal(larger.type, 'q8_0');
    assert.deepEqual(smaller, [], 'the other types fit with all blocks');
    assert.ok(larger.bytes <= size);
    const perBlock = (find(result, 'q8_0', 0, false).bytes - larger.bytes) / larger.count;
    assert.ok(larger.bytes + perBlock > size, 'one block more would not fit');
    const best = points[fit!.point!];
    assert.ok(points.every(({ bytes, ppl }) => bytes > size || ppl >= best.ppl));
    assert.deepEqual(
      points.map(({ fits }) => fits),
      points.map(({ bytes }) => bytes <= size),
    );
    for (const point of points) assert.equal(point.behind !== undefined, point.fits && point !== best);
    const told = points.flatMap(({ behind }) => behind ?? []);
    assert.ok(told.length > 0 && told.every(({ difference, interval }) => difference >= 0 && interval! > 0));
    const folder = temporaryFolder();
    let last: ExportResult | undefined;
    for (const line of fit!.commands) {
      // Names of new files are relative, so that they go to another folder here.
      const words = line
        .split(' ')
        .slice(1)
        .map((word) => (/\.(gguf|patch\.safetensors)$/.test(word) ? join(folder, word) : word));
      const [command] = words;
      const more = command === 'export' ? [...ON.slice(0, 6), '--no-verify'] : [];
      last = (await run(...words, ...more)) as unknown as ExportResult;
    }
    assert.equal(last!.measured![0].perplexity!.ppl, best.ppl);
    const page = await coppice(['frontier', SAMPLE, ...ON, '--fit', '3.2MB', '--types', 'q8_0', '--no-heal', ...BY]);
    assert.match(page.stdout, /Into 3\.2 MB fits best: q8_0 with all blocks, 3\.0 MB, perplexity \S+\.\n/);
    assert.match(page.stdout, / {2}coppice export \S+sample --type q8_0 --out sample-q8_0\.gguf\n/);
  });

  it('refuses a size that no file has, with the smallest there is, and options that make no sense, before anything runs', async () => {
    const failure = async (...args: string[]): Promise<string> => {
      const { code, stderr } = await coppice(['frontier', SAMPLE, ...args]);
      assert.notEqual(code, 0);
      return stderr;
    };
    const none = await failure('--fit', '1MB', ...ON, ...BY);
    assert.match(none, /No file of 1\.0 MB can be found/);
    assert.match(none, /as q2_k without 4 of its 12 blocks it has 1\.3 MB, and more than a third/);
    assert.match(none, /Give --fit 1\.[34]MB or more/);
    assert.match(await failure('--fit', '2MB', '--counts', '0', '--types', 'q8_0', ...ON), /as q8_0 it has 3\.0 MB/);
    assert.match(await failure(...BY), /nothing to measure the perplexity on/);
    assert.match(await failure('--types', 'q9', ...ON, ...BY), /q8_0/);
    assert.match(await failure('--counts', '0,9', ...ON, ...BY), /cannot remove 9 of 12 blocks/);
    assert.match(await failure('--criterion', 'search', ...ON, ...BY), /search cannot order the blocks/);
    assert.match(await failure('--no-heal', '--plain', ...ON, ...BY), /--plain needs healing/);
    assert.match(await failure(...ON), /--calibration/);
  });

  it('says that a text which chose the blocks flatters, and needs none where no block goes', async () => {
    const given = { checkpoint: SAMPLE, text: CALIBRATION, window: 64, limit: 2, types: ['q8_0'] } as const;
    const { result, warnings } = await runOn('frontier', {
      ...given,
      ...{ calibration: CALIBRATION, samples: 2, length: 32, counts: [1], heal: false },
    });
    assert.equal(result.calibrated, true);
    assert.match(warnings.join('\n'), /measure on another text/);
    const whole = await runOn('frontier', { ...given, counts: [0] });
    assert.equal(whole.result.calibrated, false);
    assert.equal(whole.result.points.length, 1);
  });

  it('stopped while it heals, writes or measures, leaves nothing behind; nor does a run that ends', async () => {
    await withTemporaryFolder(async (look) => {
      const given = {
        ...{
          checkpoint: SAMPLE,
          text: `${SAMPLE}/evaluation.txt`,
          window: 64,
          limit: 2,
          types: ['q4_0'] as const,
          counts: [0, 1],
        },
        ...{ calibration: CALIBRATION, samples: 2, length: 32, tokens: 512 },
      } as const;
      const seen = new Set<string>();
      await runOn('frontier', given, { job: { onProgress: ({ label }) => seen.add(label) } });
      assert.deepEqual(look(), []);
      const labels = [...seen];
      for (const wanted of [/^without 1 block/, /^q4_0 without 1 block/, /^q4_0/]) {
        assert.ok(
          labels.some((label) => wanted.test(label)),
          `${String(wanted)} among ${labels.join('; ')}`,
        );
        const controller = new AbortController();
        let during: string[] = [];
        const onProgress = ({ label }: { readonly label: string }): void => {
          if (!wanted.test(label) || controller.signal.aborted) return;
          during = look();
          controller.abort();
        };
        await assert.rejects(
          runOn('frontier', given, { job: { signal: controller.signal, onProgress } }),
          CancelledError,
        );
        assert.equal(during.filter((name) => name.startsWith('coppice-frontier-')).length, 1);
        assert.deepEqual(look(), []);
      }
    });
    assert.ok(existsSync(SAMPLE));
  });
});
