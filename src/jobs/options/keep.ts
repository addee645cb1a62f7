/** Blocks to keep, regardless of their scores. */
import { value } from '../../engine/option-token';
import { blocks, flag } from '../option';

export const keep = {
  keepEnds: flag('allow removing the first four blocks and the last two', {
    default: true,
    formerly: 'plus',
    setting: 'coppice.keepFirstAndLast',
  }),
  keep: blocks(`more blocks to keep: ${value('blocks', '5,12-14')}`, { setting: 'coppice.keep' }),
};
