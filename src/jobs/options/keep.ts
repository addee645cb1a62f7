/** Blocks that stay whatever their score. */
import { blocks, flag } from '../define';

export const keep = {
  keepEnds: flag('let the first four blocks and the last two go too', {
    default: true,
    formerly: 'plus',
    setting: 'coppice.keepFirstAndLast',
  }),
  keep: blocks('further blocks that stay: 5,12-14', { setting: 'coppice.keep' }),
};
