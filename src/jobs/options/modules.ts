/** Why jobs that write models, or compare what they would write, do not choose among attention and FFN. */
import { command, option } from '../../engine/option-token';
import type { Moved } from '../define';

const whole: Moved = {
  why:
    'it chooses whole blocks: stock programs build every block with attention and FFN, so nothing could load a ' +
    'checkpoint without one of them',
  action:
    `Choose with ${command('score', option('criterion', 'greedy'), option('granularity', 'module'), option('count', 'N'))}. ` +
    `The set that it names as ${option('remove')} can be measured (eval, bench), read (generate) and healed as a patch (heal).`,
};

/** For `moved`. */
export const BLOCKS_ONLY = { granularity: whole, cost: whole } as const;
