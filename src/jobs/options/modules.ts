/**
 * Attention and FFN as parts of their own: the options that choose among them, what cannot go with these, and why jobs that write
 * models choose whole blocks.
 */
import { type Criterion, criterionInfo, CRITERION_LIST, isSized } from '../../engine/importance/criteria';
import { MODULE_COSTS, type ModuleCost } from '../../engine/importance/module-cost';
import type { Objective } from '../../engine/importance/objective';
import { command, option, set } from '../../engine/option-token';
import { l10n } from '../../l10n';
import type { Fault, Moved } from '../define';
import { choice } from '../option';

const named = (list: readonly { readonly name: string }[]): string => list.map(({ name }) => name).join(', ');

/** Criteria that look at attention and FFN apart, and those of them that choose a number of parts. */
export const WITH_MODULES = named(CRITERION_LIST.filter(({ modules }) => modules));
export const MODULES_SIZED = named(CRITERION_LIST.filter(({ name, modules }) => modules && isSized(name)));

const GRANULARITIES = ['block', 'module'] as const;
const details = { noun: () => l10n.t('the parts of blocks'), placeholder: 'part', recorded: true } as const;

export const granularity = choice(
  GRANULARITIES,
  `${WITH_MODULES}: module, with ${option('dryRun')}, chooses among attention and FFN too; a count is what so many blocks save`,
  details,
);

/** The same with blocks as the default. */
export const granularityOrBlock = choice(
  GRANULARITIES,
  `${WITH_MODULES}: score whole blocks, or attention and FFN separately`,
  { ...details, default: 'block' },
);

export const moduleCost = choice(
  MODULE_COSTS,
  `${MODULES_SIZED}, by module: what a removal saves, bytes of the files or measured time (default: bytes)`,
  { noun: () => l10n.t('the cost of a module'), placeholder: 'what', recorded: true },
);

interface Given {
  readonly criterion?: Criterion;
  readonly objective?: Objective;
  readonly granularity?: 'block' | 'module';
  readonly cost?: ModuleCost;
  readonly maxKl?: number;
}

/** The error if modules cannot be chosen so. */
export function modulesFault({ criterion: by, objective, granularity, cost, maxKl }: Given): Fault | undefined {
  const isSplit = granularity === 'module';
  if (cost !== undefined && !(isSplit && by !== undefined && isSized(by))) {
    return {
      what: `${option('cost')} cannot be used here`,
      why: `it belongs to ${MODULES_SIZED} with ${option('granularity', 'module')}: other parts all count alike`,
      action: `Leave ${option('cost')} out.`,
    };
  }
  if (!isSplit || by === undefined) return undefined;
  if (!criterionInfo(by).modules) {
    return {
      what: `${by} cannot score single modules`,
      why: `${option('granularity', 'module')} belongs to the criteria ${WITH_MODULES}`,
      action: `${set('criterion', 'ppl')}, or leave ${option('granularity')} out.`,
    };
  }
  if (maxKl === undefined || by === 'healed' || (by === 'greedy' && objective === 'kl')) return undefined;
  return {
    what: `${option('maxKl')} cannot be used here`,
    why:
      by === 'greedy'
        ? `${option('objective', 'ppl')} does not measure it`
        : `by module, it belongs to the criteria that remove in turn: greedy and healed`,
    action:
      by === 'greedy'
        ? `${set('objective', 'kl')}.`
        : `${set('criterion', 'greedy')}, or leave ${option('maxKl')} out.`,
  };
}

const UNLOADABLE =
  'stock programs build every block with attention and FFN, so nothing could load a checkpoint without one of them';
const USES =
  `The set that it names as ${option('remove')} can be measured (eval, bench), read (generate) and healed as a patch ` +
  '(heal).';

const whole: Moved = {
  why: `it chooses whole blocks: ${UNLOADABLE}`,
  action:
    `Choose with ${command('score', option('criterion', 'greedy'), option('granularity', 'module'), option('count', 'N'))}. ` +
    USES,
};

/** For `moved`. */
export const BLOCKS_ONLY = { granularity: whole, cost: whole } as const;

/** The error where a checkpoint would be written by such a choice. */
export const unwritableFault: Fault = {
  what: `no checkpoint is written with ${option('granularity', 'module')}`,
  why: UNLOADABLE,
  action: `${set('dryRun', true, 'add')}, for the choice alone. ${USES}`,
};
