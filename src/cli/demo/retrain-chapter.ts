/** The third chapter: the pruned model is retrained with LoRA, and what it learnt is merged into its weights. */
import { join } from 'node:path';
import type { Checkpoint } from '../../engine/checkpoint/types';
import type { RetrainResult } from '../../engine/retrain/report';
import { retrain, type RetrainStart } from '../../engine/retrain/retrain';
import { startEvent } from '../../jobs/runs/retrain';
import { withModel } from '../../engine/model/opened';
import { startLines } from '../pages/retrain';
import { formatSeconds } from '../../format/durations';
import { formatNumber } from '../../format/numbers';
import type { Material } from './material';
import { heading, type Story } from './story';

/** Looks at the held-out part during the run. */
const EVALUATIONS = 6;

/** Writes the folder `retrained-model`. */
export async function retrainChapter(
  { tokenizer, length, folder, options, shell }: Story,
  pruned: Checkpoint,
  { steps, ...training }: NonNullable<Material['retraining']>,
): Promise<RetrainResult> {
  heading(
    shell,
    '3. Retrain: let it grow back',
    'The blocks that are left were made to work with those that are gone. LoRA trains a small addition',
    'to each of their matrices, on other texts than those that chose the blocks; at the end it is added',
    'to the weights, and the model is no larger than before.',
    '',
  );
  const { device, threads, memory } = options;
  const settings = {
    method: { kind: 'lora' },
    out: join(folder, 'retrained-model'),
    merge: true,
    length,
    steps,
    evalEvery: steps && Math.ceil(steps / EVALUATIONS),
    ...training,
  } as const;
  const context = {
    removed: [],
    tokenizer,
    opened: { device, threads, memory },
    hooks: { onStart: (start: RetrainStart) => shell.print(...startLines(startEvent(start))) },
  };
  const result = await withModel(pruned, options, (model) => retrain(model, settings, context, shell.job));
  const [first] = result.evaluations;
  shell.print(
    ...(result.best
      ? [
          `perplexity of the held-out part ${formatNumber(Math.exp(first.loss), 4)} → ` +
            shell.style.bold(formatNumber(Math.exp(result.best.loss), 4)),
        ]
      : []),
    shell.style.dim(
      `${formatSeconds(result.seconds)} on ${result.device.provider}, ${formatNumber(result.tokensPerSecond, 3)} tokens/s`,
    ),
  );
  return result;
}
