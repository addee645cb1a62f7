/**
 * The list of criteria. A new one is a line here and a file of its name in the folder "criteria", which exports
 * `scoreRows` or `scoreStored` (criterion.ts).
 */
import type { Architecture } from '../checkpoint/architecture';
import {
  comparisonSweepWork,
  each,
  energyWork,
  foldWork,
  greedyWork,
  healedWork,
  modulesWork,
  type Scope,
  type StepCost,
  sum,
  sweepWork,
  taylorWork,
  workBehindScreen,
} from './cost';
import type { CriterionInfo } from './criterion';
import { DEFAULT_BUDGET, DEFAULT_DRAWING } from './drawing';
import type { Objective } from './objective';

const LIST = [
  {
    name: 'ppl',
    title: 'Perplexity',
    help: "Perplexity without the block; the paper's choice",
    paper: { authors: 'Kim et al. 2024', name: 'Shortened LLaMA' },
    reads: ['text'],
    objectives: ['ppl'],
    modules: true,
    screens: true,
    cut: true,
    effort: 'products',
    work: sweepOf(sweepWork),
  },
  {
    name: 'kl',
    title: 'KL divergence',
    help: "How far the model's predictions move without the block",
    reads: ['text'],
    objectives: ['kl'],
    modules: true,
    screens: true,
    cut: true,
    effort: 'products',
    work: sweepOf(comparisonSweepWork),
  },
  {
    name: 'taylor',
    title: 'Taylor',
    help: "Estimated loss change if the block's weights were zeroed",
    paper: { authors: 'Kim et al. 2024', name: 'Shortened LLaMA' },
    reads: ['text', 'weights'],
    cut: true,
    effort: 'gradients',
    work: (a, _scope, cost) => taylorWork(a, a.layers.length, cost),
  },
  {
    name: 'magnitude',
    title: 'Magnitude',
    help: 'Sum of the absolute or squared weights; needs no text',
    paper: { authors: 'Kim et al. 2024', name: 'Shortened LLaMA' },
    reads: ['weights'],
    cut: true,
    effort: 'reading',
  },
  {
    name: 'block-influence',
    title: 'Block influence',
    help: 'How much the block turns the hidden states',
    paper: { authors: 'Men et al. 2024', name: 'ShortGPT' },
    reads: ['text'],
    cut: true,
    effort: 'products',
    work: (a, _scope, cost) => sum(a.layers.length, cost),
  },
  {
    name: 'angular',
    title: 'Angular distance',
    help: 'Angle across runs of blocks, which are removed together',
    paper: { authors: 'Gromov et al. 2024' },
    reads: ['text'],
    cut: true,
    effort: 'products',
    work: (a, _scope, cost) => sum(a.layers.length, cost),
  },
  {
    name: 'greedy',
    title: 'Greedy',
    help: 'Perplexity or KL divergence, measured again after every removal',
    paper: { authors: 'Song et al. 2024', name: 'SLEB' },
    reads: ['text'],
    objectives: ['ppl', 'kl'],
    inTurn: true,
    modules: true,
    screens: true,
    effort: 'products',
    work: greedyRounds,
  },
  {
    name: 'search',
    title: 'Search',
    help: 'Set of blocks with the lowest KL divergence: greedy, then evolution for some time',
    paper: { authors: 'Sieberling et al. 2025', name: 'EvoPress' },
    reads: ['text'],
    objectives: ['kl'],
    asSet: true,
    modules: true,
    effort: 'products',
    work: (a, { count, kept, granularity }, cost) =>
      greedyRounds(a, { count, kept, objective: 'kl', granularity }, cost),
    seconds: DEFAULT_BUDGET,
  },
  {
    name: 'energy',
    title: 'Energy',
    help: 'Set of blocks with the lowest KL divergence by single blocks and pairs; the best few are healed and compared',
    paper: { authors: 'Jansen et al. 2026' },
    reads: ['text'],
    objectives: ['kl'],
    asSet: true,
    heals: true,
    screens: true,
    effort: 'products',
    work: (a, { count = 0, kept, exact, tokens = DEFAULT_TOKENS }, cost) => {
      const open = allBlocks(a.layers.length).filter((block) => !kept?.has(block));
      const screened = exact === undefined ? undefined : { architecture: a, tokens };
      const { dense, pairs, plain, healed } = energyWork(a, a.layers.length, open, count, cost, screened);
      return dense + pairs + plain + healed;
    },
  },
  {
    name: 'healed',
    title: 'Greedy after healing',
    help: 'KL divergence that a quick healing leaves, measured again after every removal',
    reads: ['text'],
    objectives: ['kl'],
    inTurn: true,
    heals: true,
    modules: true,
    effort: 'products',
    work: (a, { count = 0, kept, granularity }, cost) => {
      const open = allBlocks(a.layers.length).filter((block) => !kept?.has(block));
      if (granularity === 'module') return all(modulesWork(a, a.layers.length, open, count, 'kl', foldWork(a)));
      const { dense, rounds } = healedWork(a, a.layers.length, open, count, cost);
      return rounds.reduce((total, { choosing, measuring }) => total + choosing + measuring, dense);
    },
  },
  {
    name: 'deepest',
    title: 'Deepest first',
    help: 'Removes blocks from the end, keeping the last one; needs no text',
    reads: [],
    effort: 'none',
  },
] as const satisfies readonly CriterionInfo[];

const DEFAULT_TOKENS = DEFAULT_DRAWING.samples * DEFAULT_DRAWING.length;

/** All rounds of a greedy run over the whole model. */
function greedyRounds(a: Architecture, scope: Scope, cost: StepCost): number {
  const { count = 0, kept, objective, exact, tokens = DEFAULT_TOKENS, granularity } = scope;
  const open = allBlocks(a.layers.length).filter((block) => !kept?.has(block));
  if (granularity === 'module') return all(modulesWork(a, a.layers.length, open, count, objective));
  const shares = greedyWork(
    a,
    a.layers.length,
    open,
    count,
    objective,
    cost,
    exact === undefined ? undefined : { architecture: a, tokens },
  );
  return shares.reduce((total, share) => total + share, 0);
}

/** A sweep over all blocks of the whole model. */
function sweepOf(work: typeof sweepWork): NonNullable<CriterionInfo['work']> {
  return (a, { exact, tokens = DEFAULT_TOKENS }, cost) =>
    workBehindScreen({ architecture: a, tokens }, allBlocks(a.layers.length), exact, (some) =>
      work(a, a.layers.length, some, cost),
    );
}

const all = ({ dense, rounds }: ReturnType<typeof modulesWork>): number => dense + rounds;

function allBlocks(blocks: number): number[] {
  return Array.from({ length: blocks }, (_, block) => block);
}

/** How blocks are scored. */
export type Criterion = (typeof LIST)[number]['name'];

/** Every criterion, in the order in which lists show them. */
export const CRITERION_LIST: readonly (CriterionInfo & { readonly name: Criterion })[] = LIST;

/** Their names. */
export const CRITERIA: readonly [Criterion, ...Criterion[]] = LIST.map(({ name }) => name) as [
  Criterion,
  ...Criterion[],
];

export function criterionInfo(criterion: Criterion): CriterionInfo {
  return CRITERION_LIST.find(({ name }) => name === criterion)!;
}

/** Its help with the paper: "How much the block turns the hidden states (Men et al. 2024, ShortGPT)". */
export function citedHelp({ help, paper }: Pick<CriterionInfo, 'help' | 'paper'>): string {
  if (paper === undefined) return help;
  return `${help} (${paper.name === undefined ? paper.authors : `${paper.authors}, ${paper.name}`})`;
}

/**
 * Cost of a criterion over the whole model, for each calibration row; 0 for criteria that do not run it.
 * @param cost of one application of a block, where the blocks differ
 */
export const criterionWork = (
  architecture: Architecture,
  criterion: Criterion,
  scope: Scope = {},
  cost: StepCost = each,
): number => criterionInfo(criterion).work?.(architecture, scope, cost) ?? 0;

/** What the criterion keeps low, given the option; undefined for one that does not measure what is left. */
export const objectiveOf = (criterion: Criterion, objective?: Objective): Objective | undefined => {
  // Stored scores may be of a criterion that this version does not have.
  const objectives = CRITERION_LIST.find(({ name }) => name === criterion)?.objectives ?? [];
  return objectives.find((possible) => possible === objective) ?? objectives[0];
};

/** The objective for a record's settings, if the criterion has a choice. */
export const objectiveSetting = (criterion: Criterion, objective?: Objective): { readonly objective?: Objective } =>
  (criterionInfo(criterion).objectives?.length ?? 0) > 1 ? { objective: objectiveOf(criterion, objective) } : {};

/** Whether the criterion chooses a number of blocks, in turn or as a set: it takes a count, and never tries kept blocks. */
export function isSized(criterion: Criterion): boolean {
  const { inTurn, asSet } = criterionInfo(criterion);
  return (inTurn ?? asSet) === true;
}

/** Whether the criterion runs the model over a text. */
export const needsCalibration = (criterion: Criterion): boolean => criterionInfo(criterion).reads.includes('text');

/** Whether the criterion reads the stored weights, which an adapter on top does not change. */
export const readsWeights = (criterion: Criterion): boolean => criterionInfo(criterion).reads.includes('weights');
