/** The criterion that says how much a block matters, and what its own options are. */
import { CRITERIA, type Criterion, needsCalibration } from '../../engine/importance/criterion';
import { option } from '../../engine/option-token';
import { choice, type Fault } from '../define';

export const criterion = choice(CRITERIA, 'how to score', {
  placeholder: 'name',
  setting: 'coppice.criterion',
  recorded: true,
});

/** The same where it is perplexity unless something else is named. */
export const criterionOrPpl = choice(CRITERIA, criterion.help, {
  placeholder: 'name',
  default: 'ppl',
  setting: 'coppice.criterion',
  recorded: true,
});

export const magnitude = {
  norm: choice(['l1', 'l2'], 'magnitude: |w| or w²', { placeholder: 'p', default: 'l1' }),
  reduction: choice(['sum', 'mean', 'max', 'product'], 'magnitude: over the neurons of a matrix', {
    placeholder: 'how',
    default: 'sum',
  }),
};

export const CRITERIA_HELP = `Criteria:
  ppl              perplexity without the block; the paper's choice (Kim et al. 2024, Shortened LLaMA)
  taylor           how much the loss would change without the block's weights; the same paper
  magnitude        sum of the absolute or squared weights; needs no text (the same paper)
  block-influence  how much the block turns the hidden states (Men et al. 2024, ShortGPT)
  angular          angle across runs of blocks, which go together (Gromov et al. 2024)
  greedy           ppl measured again after every removal (Song et al. 2024, SLEB)
  deepest          the last blocks first, but the very last; needs no text`;

/** A criterion that needs a text, and has none. */
export function calibrationFault(
  criterion: Criterion,
  { calibration }: { readonly calibration?: string },
): Fault | undefined {
  if (!needsCalibration(criterion) || calibration !== undefined) return undefined;
  return {
    what: `the criterion ${criterion} needs a calibration text`,
    why: `${option('calibration')} is not given`,
    action: `Add ${option('calibration')}: a text like those that the model is for.`,
  };
}
