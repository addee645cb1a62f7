/** The rows that blocks are judged on. */
import type { RowSource } from '../../engine/evaluate/rows';
import { otherShare } from '../../format/text-share';
import type { OptionsFor } from '../kinds';

type Options = Pick<
  OptionsFor<'curve' | 'frontier' | 'iterate' | 'versus'>,
  'text' | 'window' | 'limit' | 'calibration' | 'samples' | 'length' | 'seed' | 'share' | 'bos'
>;

/** The text if there is one, otherwise the calibration rows: the checks of the jobs require one of the two. */
export function judgingRows({ text, window, limit, bos, calibration, share, ...drawing }: Options): RowSource {
  const { samples, length, seed } = drawing;
  return text === undefined
    ? { from: 'calibration', file: calibration!, samples, length, seed, share, bos }
    : { from: 'text', file: text, window, limit, bos, share: otherShare(share) }; // what chose must not judge
}
