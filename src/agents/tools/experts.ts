/** Drops experts of a mixture of experts. */
import { planExperts } from '../../engine/importance/experts/plan';
import { JOBS } from '../../jobs/definitions';
import { l10n } from '../../l10n';
import { askComputing, askWriting, modelWords, nameOf, opened } from '../confirm';
import { chosen } from '../input';
import { jobTool } from '../job-tool';

export const dropExperts = jobTool({
  name: 'coppice_experts',
  kind: 'experts',
  title: () => l10n.t('Drop Experts'),
  description:
    'For mixtures of experts (Qwen3 MoE, Mixtral, OLMoE, gpt-oss, Granite 4): scores every expert on a calibration text in one pass over the weights, and drops ' +
    'the lowest of each block, as many in every block ("keep", "ratio", or "targetParams", which counts blocks of "remove" too). Without "out" it only says what would stay and what that costs: ' +
    'loss, perplexity and KL divergence from the original, before and after; call it so first. With "out" it writes the smaller model. ' +
    '"rescale" fits a factor of every expert that stays, and applies them if they help on rows that were not fitted. ' +
    'Give text of the kind that the application has, and tokens of at least 100 times the experts, divided by those of a token.',
  effect: 'writes',
  options: chosen(JOBS.experts.options, {
    checkpoint: 'the model',
    keep: true,
    ratio: true,
    targetParams: true,
    criterion: true,
    rescale: true,
    remove: 'blocks to leave out too, numbered from 0: [10, 12]',
    calibration: true,
    application: 'in place of calibration: the file or folder of the application',
    samples: true,
    length: true,
    text: true,
    out: 'the new folder, or GGUF file if the model is one; it must not exist. Without it nothing is written',
  }),
  ask: async (given, context) => {
    const { checkpoint, architecture } = await opened(String(given.checkpoint), context.signal);
    const plan = planExperts(architecture, nameOf(checkpoint), given); // before anybody is asked
    const title = l10n.t('Drop experts of {0}?', nameOf(checkpoint));
    const lines = [
      l10n.t('Reads {0}.', modelWords(checkpoint)),
      l10n.t('Keeps {0} of the {1} experts of each block.', plan.keep, plan.count),
    ];
    const job = { kind: 'experts', options: given } as const;
    const { out } = given;
    if (typeof out !== 'string') return askComputing(title, lines, job, context);
    return askWriting(title, lines, { out, bytes: checkpoint.size.all, job }, context);
  },
});
