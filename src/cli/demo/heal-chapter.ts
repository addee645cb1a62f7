/** The third chapter: corrects the pruned model in closed form, without training. */
import { join } from 'node:path';
import { arithmeticWords } from '../../format/arithmetic';
import { formatSeconds } from '../../format/durations';
import { formatNumber } from '../../format/numbers';
import type { RunResult } from '../../jobs/runs';
import type { ScoreVerdict } from './score-chapter';
import { heading, type Story } from './story';

/** Tokens of text: enough for a small model, and a few seconds for a real one. */
const TOKENS = 8192;

/** Writes the folder `healed-model`. */
export async function healChapter(
  { checkpoint, material, length, folder, compute, progress, run, shell }: Story,
  { removed }: ScoreVerdict,
): Promise<RunResult<'heal'>> {
  heading(
    shell,
    '3. Heal: correct what is left',
    'The remaining blocks were trained to work with the removed ones. Least squares on a text corrects the',
    'matrices that write to the hidden states, so that these follow those of the original. Nothing is trained.',
    '',
  );
  const given = {
    checkpoint: checkpoint.path,
    remove: removed,
    out: join(folder, 'healed-model'),
    tokens: TOKENS,
    length,
    ...(material.healing === undefined ? {} : { calibration: material.healing }),
    ...compute,
  };
  const { result } = await run('heal', given, { job: progress.heal });
  const { before, rounded } = result.heldOut ?? result.fit;
  const { bold, dim } = shell.style;
  shell.print(
    `perplexity on rows of that text that were not fitted ${formatNumber(Number(before.ppl), 4)} → ` +
      bold(formatNumber(Number(rounded.ppl), 4)),
    `KL divergence from the original ${formatNumber(Number(before.kl), 3)} → ${bold(formatNumber(Number(rounded.kl), 3))} nats`,
    dim(
      `${formatSeconds(result.seconds)}, ${arithmeticWords(result.precision, result.device)}, ${result.tokens} tokens`,
    ),
  );
  return result;
}
