/** The fourth chapter: retrains the healed model with LoRA and merges the adapter into its weights. */
import { join } from 'node:path';
import { formatSeconds } from '../../format/durations';
import { formatNumber } from '../../format/numbers';
import type { RunResult } from '../../jobs/runs';
import { startLines } from '../pages/retrain';
import type { Material } from './material';
import { heading, type Story } from './story';

/** Evaluations of the held-out part during the run. */
const EVALUATIONS = 6;

/** Writes the folder `retrained-model`. @param checkpoint path of the healed model */
export async function retrainChapter(
  { length, folder, compute, progress, run, shell }: Story,
  checkpoint: string,
  training: NonNullable<Material['retraining']>,
): Promise<RunResult<'retrain'>> {
  heading(
    shell,
    '4. Retrain: recover more',
    'LoRA trains a small addition to each matrix of the healed model, on other texts than those used so far.',
    'At the end it is merged into the weights, so the model does not become larger.',
    '',
  );
  const { steps } = training;
  const given = {
    checkpoint,
    out: join(folder, 'retrained-model'),
    merge: true,
    length,
    evalEvery: steps && Math.ceil(steps / EVALUATIONS),
    ...training,
    ...compute,
  };
  const { result } = await run('retrain', given, {
    job: progress.retrain,
    emit: (event) => {
      if (event.type === 'start') shell.print(...startLines(event));
    },
  });
  const [first] = result.evaluations;
  shell.print(
    ...(result.best
      ? [
          `perplexity of the held-out part ${formatNumber(first.ppl, 4)} → ` +
            shell.style.bold(formatNumber(result.best.ppl, 4)),
        ]
      : []),
    shell.style.dim(
      `${formatSeconds(result.seconds)} on ${result.device}, ${formatNumber(result.tokensPerSecond, 3)} tokens/s`,
    ),
  );
  return result;
}
