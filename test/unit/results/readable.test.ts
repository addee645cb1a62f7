/** Colours of themes that are too faint for a text, and what becomes of them. */
import assert from 'node:assert/strict';
import { readable, type Rgba } from '../../../webview/support/contrast';
import { contrast, over } from '../../support/contrast';

const colour = ([red, green, blue, alpha]: Rgba) => ({ red, green, blue, alpha });
const contrastOn = (ink: Rgba, behind: Rgba): number => contrast(over(colour(ink), colour(behind)), colour(behind));

describe('a colour of a theme', () => {
  it('stays if it can be read', () => {
    assert.equal(readable([0, 0, 0, 1], [[255, 255, 255, 1]], 4.5), undefined);
    assert.equal(readable([119, 119, 119, 1], [[255, 255, 255, 1]], 3), undefined);
  });

  it('moves as far as it must, to the darker or the lighter side', () => {
    const backgrounds: readonly Rgba[] = [
      [238, 232, 213, 1], // Solarized Light
      [0, 43, 54, 1], // Solarized Dark
      [255, 255, 255, 1],
      [30, 30, 30, 1],
    ];
    for (const behind of backgrounds) {
      for (const ink of [
        [113, 113, 113, 1],
        [214, 126, 0, 1],
        [200, 40, 40, 0.5],
      ] as const) {
        const found = readable(ink, [behind], 4.5) ?? ink;
        assert.ok(contrastOn(found, behind) >= 4.5, `${ink.join()} on ${behind.join()}: ${found.join()}`);
        assert.ok(contrastOn(found, behind) < 6.5 || found === ink, `${found.join()} went too far`);
      }
    }
  });

  it('can be read on all its backgrounds', () => {
    const behind: readonly Rgba[] = [
      [255, 255, 255, 1],
      [220, 220, 220, 1],
    ];
    const found = readable([150, 150, 150, 1], behind, 4.5)!;
    for (const each of behind) assert.ok(contrastOn(found, each) >= 4.5);
  });

  it('becomes black or white where nothing else will do', () => {
    assert.deepEqual(readable([128, 128, 128, 1], [[119, 119, 119, 1]], 21), [0, 0, 0, 1]);
  });
});
