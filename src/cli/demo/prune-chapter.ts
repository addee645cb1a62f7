/** The second chapter: removes the least important blocks. */
import { join } from 'node:path';
import { describeReduction } from '../../engine/checkpoint/reduction';
import type { RunResult } from '../../jobs/runs';
import type { ScoreVerdict } from './score-chapter';
import { heading, type Story } from './story';

/** Writes the folder `pruned-model`. */
export async function pruneChapter(
  { checkpoint, folder, count, compute, progress, run, shell }: Story,
  { records, keepEnds }: ScoreVerdict,
): Promise<RunResult<'prune'>> {
  const out = join(folder, 'pruned-model');
  const given = { checkpoint: checkpoint.path, scores: records.ppl, count, keepEnds, out, ...compute };
  const { result } = await run('prune', given, { job: progress.prune });
  heading(
    shell,
    '2. Prune: remove those blocks',
    'Coppice writes a new, ordinary checkpoint that stock tools load. The original does not change.',
    '',
    ...describeReduction(result),
  );
  return result;
}
