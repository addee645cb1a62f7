/** Blocks that stay, regardless of their scores. */
import { blocks, flag } from '../option';

export const keep = {
  keepEnds: flag('let the first four blocks and the last two go too', {
    default: true,
    formerly: 'plus',
    setting: 'coppice.keepFirstAndLast',
  }),
  keep: blocks('further blocks that stay: 5,12-14', { setting: 'coppice.keep' }),
};
