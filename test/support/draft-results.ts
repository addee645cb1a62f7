/**
 * A forecast as `coppice draft` returns it: tokens of a pass are those of stories260K (shared tests of the algorithm), the speed-ups
 * follow from costs that were given, with every round as long as it may be.
 */
import type { DraftResult } from '../../src/jobs/results/draft';

type Candidate = DraftResult['candidates'][number];

const LENGTHS = [1, 2, 4, 8];
/** Time of 1 to 9 rows over that of one. */
const ROWS = [1, 2, 4, 8, 16];
const TIMES = [1, 1.1, 1.2, 1.9, 3.1];

/** Between measured rows on a line. */
function timeOf(rows: number): number {
  const at = Math.max(
    1,
    ROWS.findIndex((each) => each >= rows),
  );
  const share = (rows - ROWS[at - 1]) / (ROWS[at] - ROWS[at - 1]);
  return TIMES[at - 1] + share * (TIMES[at] - TIMES[at - 1]);
}

function candidate(name: string, c: number | null, tokens: readonly number[], more: Partial<Candidate>): Candidate {
  const byLength = LENGTHS.map((length, i) => ({
    ...{ length, rounds: 512 / tokens[i], accepted: 512 - 512 / tokens[i], drafted: (512 / tokens[i]) * length },
    tokensPerRound: tokens[i],
    speedup: c === null ? null : tokens[i] / (timeOf(length + 1) + length * c),
  }));
  const best = byLength.reduce((a, b) => ((b.speedup ?? b.tokensPerRound) > (a.speedup ?? a.tokensPerRound) ? b : a));
  return {
    ...{ name, model: null, removed: [], type: 'q4_0', healed: false, trivial: false, bytes: 150_000, c, agree: 0.85 },
    ...{ overlap: 0.89, length: best.length, threshold: 0, tokensPerRound: best.tokensPerRound },
    ...{ speedup: best.speedup, byLength, ...more },
  };
}

/** @param c time of a pass of the first draft over that of the model's; null: no cost is known */
export function draftResult(changes: Partial<DraftResult> = {}, c: number | null = 0.2): DraftResult {
  const cheaper = c === null ? null : 0.8 * c;
  const whole = candidate('q4_0', c, [1.86, 2.53, 3.61, 4.79], { trivial: true });
  const candidates: DraftResult['candidates'] = [
    c === null || whole.speedup === null ? whole : { ...whole, range: [whole.speedup - 0.15, whole.speedup + 0.12] },
    candidate('without 2, q4_0', cheaper, [1.57, 1.9, 2.17, 2.29], {
      removed: [2],
      bytes: 120_000,
      agree: 0.58,
      overlap: 0.65,
    }),
    candidate('without 1 and 3', cheaper, [1.32, 1.41, 1.45, 1.46], {
      ...{ removed: [1, 3], type: 'stored', bytes: 640_000, agree: 0.32, overlap: 0.39, healed: true },
    }),
  ];
  return {
    target: { path: '/models/stories260K', type: 'f32', bytes: 1_056_540 },
    runtime: { name: 'genai', version: c === null ? null : '0.18.0' },
    text: { prompts: 12, heldOut: 4, tokens: 512, source: 'prompts.txt', temperature: 0, rule: 'greedy' },
    costs: c === null ? null : { rows: ROWS, v: TIMES, headShare: 0.12, runs: 9, measuredIn: 'onnxruntime 1.30' },
    perfect: c === null ? null : { length: 4, speedup: 1.9 },
    candidates,
    chosen: { ...candidates[0], speedupHeldOut: candidates[0].speedup },
    verdict: 'pays',
    blame: null,
    why: `${(whole.speedup ?? 0).toFixed(2)} × as fast, same text: ${whole.tokensPerRound} tokens for each pass of the model, +150 kB.`,
    ...{ out: null, files: [], verified: null, seconds: 12 },
    ...changes,
  };
}

export const REFUSED: Pick<DraftResult, 'verdict' | 'blame' | 'why'> = {
  verdict: 'refused',
  blame: 'draftCost',
  why: 'No draft pays here: a pass of the best takes 0.9 of the time of the model’s.',
};
