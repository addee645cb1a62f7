/** Blocks to keep, regardless of their scores. */
import { blocks, flag } from '../option';

export const keep = {
  keepEnds: flag('allow removing the first four blocks and the last two', {
    default: true,
    formerly: 'plus',
    setting: 'coppice.keepFirstAndLast',
  }),
  keep: blocks('more blocks to keep: 5,12-14', { setting: 'coppice.keep' }),
};
