/** The first chapter: scores every block by both criteria of the paper, and selects blocks to remove. */
import { rankCorrelation } from '../../engine/importance/rank-correlation';
import { DEFAULT_SEED } from '../../engine/importance/drawing';
import { join } from 'node:path';
import { selectByScores } from '../../engine/importance/ranking';
import { endBlocks, keepList } from '../../engine/importance/select';
import type { JobOptions } from '../../engine/progress';
import { formatSeconds } from '../../format/durations';
import { formatNumber } from '../../format/numbers';
import { secondsSince } from '../../jobs/run';
import { barsOf } from '../pages/score';
import { table } from '../terminal/text';
import { heading, inParts, listed, type Story } from './story';

const SAMPLES = 10;
const BAR = 16;

export interface ScoreVerdict {
  /** Keep the first four blocks and the last two. */
  readonly keepEnds: boolean;
  /** Blocks to remove, ascending. */
  readonly removed: readonly number[];
  /** Blocks that the Taylor scores would remove instead. */
  readonly byTaylor: readonly number[];
  /** Spearman's ρ of the two criteria over all blocks. */
  readonly rankCorrelation: number;
  /** Records of both scores, for `coppice prune --scores`. */
  readonly records: { readonly ppl: string; readonly taylor: string };
}

export async function scoreChapter(story: Story): Promise<ScoreVerdict> {
  const { blocks, count, progress, shell } = story;
  heading(
    shell,
    '1. Score: which blocks matter least?',
    'Two criteria of the paper score each block on the same short text. Perplexity: leave out one block at a',
    'time and measure perplexity, the average number of tokens that the model hesitates between. Lower is',
    'better, so a block can be removed if perplexity hardly rises without it. Taylor: leave out nothing and',
    "estimate from gradients how much the loss would change without the block's weights.",
    '',
  );
  const start = performance.now();
  const [toScore, toEstimate] = inParts(progress.score, 2);
  const ppl = await scoreBy('ppl', story, toScore);
  const taylor = await scoreBy('taylor', story, toEstimate);

  // The paper's rule, if enough blocks remain to choose from.
  const keepEnds = blocks - endBlocks(blocks).length >= 2 * count;
  const kept = keepList(blocks, { keepEnds });
  const [removed, byTaylor] = [ppl, taylor].map(({ scores }) =>
    selectByScores({ kind: 'scores', scores }, blocks, count, kept),
  );
  shell.print(
    ...scoreTable(ppl.scores, taylor.scores, (block) =>
      removed.includes(block) ? 'removed' : kept.has(block) ? 'kept' : '',
    ),
    '',
    `original: perplexity ${shell.style.bold(formatNumber(ppl.perplexity, 4))}`,
    ...agreement(removed, byTaylor),
    ...(kept.size > 0 ? ['(The first four and the last two blocks are always kept, as in the paper.)'] : []),
    shell.style.dim(`${formatSeconds(secondsSince(start))} on ${ppl.device}`),
  );
  return {
    keepEnds,
    removed,
    byTaylor,
    rankCorrelation: rankCorrelation(ppl.scores, taylor.scores),
    records: { ppl: ppl.record, taylor: taylor.record },
  };
}

interface Scores {
  /** Scores of the blocks. */
  readonly scores: readonly number[];
  /** Perplexity of the whole model. */
  readonly perplexity: number;
  readonly device: string;
  readonly record: string;
}

/** Scores the blocks, and writes the record to the demo's folder. */
async function scoreBy(
  criterion: 'ppl' | 'taylor',
  { checkpoint, material: { calibration }, length, folder, compute, run }: Story,
  job: JobOptions,
): Promise<Scores> {
  const record = join(folder, `scores-${criterion}.json`);
  const { result } = await run(
    'score',
    {
      precision: 'float32',
      checkpoint: checkpoint.path,
      criterion,
      calibration,
      samples: SAMPLES,
      length,
      seed: DEFAULT_SEED,
      ...compute,
    },
    { job, record },
  );
  const { blocks = [], full, device } = result;
  return { scores: blocks.map(({ score }) => score), perplexity: full?.ppl ?? NaN, device, record };
}

function scoreTable(
  ppl: readonly number[],
  taylor: readonly number[],
  verdict: (block: number) => string,
): readonly string[] {
  const [pplBars, taylorBars] = [barsOf(ppl, BAR), barsOf(taylor, BAR)];
  const rows = ppl.map((score, block) => [
    String(block),
    formatNumber(score, 4),
    pplBars[block],
    formatNumber(taylor[block], 4),
    taylorBars[block],
    verdict(block),
  ]);
  return table(['>block', '>perplexity without it', '', '>Taylor score', '', ''], rows);
}

function agreement(removed: readonly number[], byTaylor: readonly number[]): string[] {
  const both = removed.filter((block) => byTaylor.includes(block));
  const blocks = removed.length === 1 ? `Block ${removed[0]} is removed` : `Blocks ${listed(removed)} are removed`;
  if (both.length === removed.length) return [`${blocks}. Taylor scores choose the same blocks.`];
  const instead = byTaylor.filter((block) => !removed.includes(block));
  const shared = both.length === 0 ? 'none of them' : listed(both);
  return [
    `${blocks}, by perplexity. Taylor scores would also remove ${shared}, and ${listed(instead)} instead of the rest.`,
  ];
}
