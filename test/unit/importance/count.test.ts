/** The floor rule and the parameter arithmetic of the published models (Shortened LLaMA, Table 1). */
import assert from 'node:assert/strict';
import { blocksToRemove, parseParameterCount, type ModelSize } from '../../../src/engine/importance/count';
import { describeReduction, reductionOf } from '../../../src/engine/checkpoint/reduction';

/** 2·h·Hd + 2·h·Kd + 3·h·f + 2·h. */
const block = (h: number, hd: number, kd: number, f: number): number => 2 * h * hd + 2 * h * kd + 3 * h * f + 2 * h;
/** Blocks, embedding, head, final norm. */
const total = (blocks: number, perBlock: number, vocabulary: number, h: number): number =>
  blocks * perBlock + 2 * vocabulary * h + h;

const b7 = block(4096, 4096, 4096, 11008);
const b13 = block(5120, 5120, 5120, 13824);
const b8 = block(4096, 4096, 1024, 14336);
const size7: ModelSize = { total: total(32, b7, 32000, 4096), block: b7 };
const size13: ModelSize = { total: total(40, b13, 32000, 5120), block: b13 };

describe('prune/count', () => {
  it('knows the sizes of the published models', () => {
    assert.equal(b7, 202_383_360);
    assert.equal(size7.total, 6_738_415_616);
    assert.equal(b13, 317_204_480);
    assert.equal(size13.total, 13_015_864_320);
    assert.equal(b8, 218_112_000);
    assert.equal(total(32, b8, 128_256, 4096), 8_030_261_248);
    assert.equal(total(32, b8, 32_000, 4096), 7_241_732_096);
  });

  const rows: [ModelSize, target: number, n: number, after: number, reduction: string][] = [
    [size7, 5_422_977_024, 6, 5_524_115_456, '18.02'],
    [size7, 4_907_642_880, 9, 4_916_965_376, '27.03'],
    [size7, 4_392_308_736, 11, 4_512_198_656, '33.04'],
    [size13, 10_319_713_280, 8, 10_478_228_480, '19.50'],
    [size13, 9_240_939_520, 11, 9_526_615_040, '26.81'],
    [size13, 8_162_688_000, 15, 8_257_797_120, '36.56'],
  ];
  for (const [size, parameters, n, after, reduction] of rows) {
    it(`${size.total} → ${parameters}: ${n} blocks, ${reduction} %`, () => {
      assert.equal(blocksToRemove({ kind: 'target', parameters }, size), n);
      assert.equal(blocksToRemove({ kind: 'ratio', ratio: 1 - parameters / size.total }, size), n);
      const blocks = size === size7 ? 32 : 40;
      const perBlock = Array.from({ length: blocks }, () => ({ parameters: size.block, bytes: 2 * size.block }));
      const removed = Array.from({ length: n }, (_, i) => 4 + i);
      const result = reductionOf(removed, { parameters: size.total, bytes: 2 * size.total }, perBlock);
      assert.equal(result.parametersAfter, after);
      assert.equal(result.bytesAfter, 2 * after);
      assert.ok(describeReduction(result).some((line) => line.includes(`−${reduction} %`)));
    });
  }

  it('floors, but never below the blocks asked for exactly', () => {
    for (let n = 1; n < 32; n++) {
      assert.equal(blocksToRemove({ kind: 'ratio', ratio: (n * b7) / size7.total }, size7), n);
      assert.equal(blocksToRemove({ kind: 'target', parameters: size7.total - n * b7 }, size7), n);
    }
    for (let n = 2; n < 32; n++) {
      assert.equal(blocksToRemove({ kind: 'target', parameters: size7.total - n * b7 + 1 }, size7), n - 1);
    }
    assert.equal(blocksToRemove({ kind: 'count', count: 6 }, size7), 6);
  });

  it('refuses goals that make no sense or less than a block', () => {
    const refused = { name: 'UserError' };
    for (const count of [0, -1, 1.5, NaN])
      assert.throws(() => blocksToRemove({ kind: 'count', count }, size7), refused);
    for (const ratio of [0, 1, -0.2, 20, NaN])
      assert.throws(() => blocksToRemove({ kind: 'ratio', ratio }, size7), refused);
    for (const parameters of [0, size7.total, NaN]) {
      assert.throws(() => blocksToRemove({ kind: 'target', parameters }, size7), refused);
    }
    assert.throws(() => blocksToRemove({ kind: 'ratio', ratio: 0.01 }, size7), { name: 'UserError', why: /3\.00 %/ });
  });

  it('reads parameter counts', () => {
    assert.equal(parseParameterCount('5422977024', '--target-params'), 5_422_977_024);
    assert.equal(parseParameterCount('5.4B', '--target-params'), 5_400_000_000);
    assert.equal(parseParameterCount(' 360m ', '--target-params'), 360_000_000);
    for (const text of ['', 'B', '-1', '1e9', '5.4 GB']) {
      assert.throws(() => parseParameterCount(text, '--target-params'), { name: 'UserError' });
    }
  });
});
