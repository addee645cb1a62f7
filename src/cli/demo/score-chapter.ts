/** The first chapter: what every block is worth, by both criteria of the paper, and which blocks go. */
import { join } from 'node:path';
import type { CriterionSettings } from '../../engine/importance/criterion';
import type { BlockScore } from '../../engine/importance/result';
import { runCriterion, type Scored } from '../../engine/importance/run-criterion';
import { selectByScores } from '../../engine/importance/ranking';
import { keepList, endBlocks, rankBlocks } from '../../engine/importance/select';
import { detailsOf, type RunDetails } from '../../engine/records/details';
import { modelName, newRecord, writeRecord } from '../../engine/records/record';
import { secondsSince } from '../opened';
import { barsOf } from '../pages/score';
import { formatSeconds } from '../../format/durations';
import { formatNumber } from '../../format/numbers';
import { table } from '../terminal/text';
import { heading, listed, type Story } from './story';

const SAMPLES = 10;
const SEED = 1234;
const BAR = 16;

export interface Verdict {
  /** By perplexity. */
  readonly scored: Scored;
  readonly details: RunDetails;
  /** The first four blocks and the last two stay. */
  readonly keepEnds: boolean;
  /** Blocks to remove, ascending. */
  readonly removed: readonly number[];
  /** Blocks that the Taylor scores would remove instead. */
  readonly byTaylor: readonly number[];
  /** Spearman's ρ of the two criteria over all blocks. */
  readonly rankCorrelation: number;
  /** Records of both, which `coppice prune --scores` takes. */
  readonly records: { readonly ppl: string; readonly taylor: string };
}

export async function scoreChapter(story: Story): Promise<Verdict> {
  const { blocks, options, shell } = story;
  heading(
    shell,
    '1. Score: which blocks matter least?',
    'Two answers, both from the paper, both from the same few lines of text. The first leaves out one',
    'block after the other and measures perplexity: between how many tokens the model hesitates on',
    'average, so lower is better, and a block that can go is one whose absence hardly raises it. The',
    'second (Taylor) leaves nothing out: it estimates from gradients how far the loss hangs on the',
    "block's weights.",
    '',
  );
  const start = performance.now();
  const ppl = await scoreBy('ppl', story);
  const taylor = await scoreBy('taylor', story);
  const [pplScores, taylorScores] = [ppl.scores, taylor.scores].map((list) => list.map(({ score }) => score));

  const count = options.count ?? Math.max(1, Math.floor(blocks / 4));
  // The paper's rule, where it leaves enough blocks to choose from.
  const keepEnds = blocks - endBlocks(blocks).length >= 2 * count;
  const kept = keepList(blocks, { keepEnds });
  const [removed, byTaylor] = [ppl, taylor].map(({ scored }) => selectByScores(scored.ranking, blocks, count, kept));
  const device = ppl.scored.device!.provider;
  shell.print(
    ...scoreTable(pplScores, taylorScores, (block) =>
      removed.includes(block) ? 'goes' : kept.has(block) ? 'stays' : '',
    ),
    '',
    `whole model: perplexity ${shell.style.bold(formatNumber(ppl.scored.result.full!.ppl, 4))}`,
    ...agreement(removed, byTaylor),
    ...(kept.size > 0 ? ['(Whatever they score, the first four and the last two blocks stay: the paper’s rule.)'] : []),
    shell.style.dim(`${formatSeconds(secondsSince(start))} on ${device}`),
  );
  return {
    scored: ppl.scored,
    details: ppl.details,
    keepEnds,
    removed,
    byTaylor,
    rankCorrelation: spearman(pplScores, taylorScores),
    records: { ppl: ppl.record, taylor: taylor.record },
  };
}

/** How every criterion of the demo scores. */
export const scoringOf = ({ material: { calibration }, length }: Story): CriterionSettings => ({
  calibration,
  samples: SAMPLES,
  length,
  seed: SEED,
  norm: 'l1',
  reduction: 'sum',
});

/** Scores, and leaves the record in the demo's folder. */
async function scoreBy(
  criterion: 'ppl' | 'taylor',
  story: Story,
): Promise<{ scored: Scored; scores: readonly BlockScore[]; details: RunDetails; record: string }> {
  const { checkpoint, folder, options, shell } = story;
  const started = new Date();
  const scored = await runCriterion(checkpoint, criterion, { ...options, ...scoringOf(story) }, shell.job);
  for (const warning of scored.warnings) shell.warn(warning);
  const details = detailsOf(checkpoint, options, { ...scored, settings: { criterion, ...scored.settings } });
  const model = { name: modelName(checkpoint), identity: checkpoint.identity };
  const results = { criterion, model, ...scored.result, calibration: scored.settings.calibration };
  const record = join(folder, `scores-${criterion}.json`);
  await writeRecord(record, newRecord({ kind: 'score', ...details, results, started }));
  return { scored, scores: scored.result.blocks ?? [], details, record };
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
  const blocks = removed.length === 1 ? `Block ${removed[0]} goes` : `Blocks ${listed(removed)} go`;
  if (both.length === removed.length) return [`${blocks}. Taylor scores choose the same.`];
  const instead = byTaylor.filter((block) => !removed.includes(block));
  const shared = both.length === 0 ? 'none of them' : listed(both);
  return [
    `${blocks}, by perplexity. Taylor scores would take ${shared} too, and ${listed(instead)} instead of the rest.`,
  ];
}

/** Spearman's rank correlation. */
function spearman(a: readonly number[], b: readonly number[]): number {
  const n = a.length;
  const places = (scores: readonly number[]): number[] => {
    const place = new Array<number>(n);
    rankBlocks(scores).forEach((block, at) => (place[block] = at));
    return place;
  };
  const [x, y] = [places(a), places(b)];
  return n < 2 ? 1 : 1 - (6 * x.reduce((sum, at, i) => sum + (at - y[i]) ** 2, 0)) / (n * (n * n - 1));
}
