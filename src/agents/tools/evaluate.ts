/** Measures the perplexity of a text, and how far a pruned model is from its original. */
import { JOBS } from '../../jobs/definitions';
import { l10n } from '../../l10n';
import { askComputing, modelWords, nameOf, opened } from '../confirm';
import { chosen } from '../input';
import { jobTool } from '../job-tool';

export const evaluate = jobTool({
  name: 'coppice_evaluate',
  kind: 'eval',
  title: () => l10n.t('Evaluate Perplexity'),
  description:
    'Measures the perplexity of a text: lower is better. A pruned model is also compared with its original ("against"): ' +
    'mean KL divergence in nats, and how often both find the same next token most likely. Compare perplexities of the same ' +
    'text, window and precision only, so call it for the original and for the pruned model with the same input. Use a ' +
    'text that did not choose the blocks: the calibration text flatters. "remove" measures a plan before it is written. ' +
    '"repetition" says how much greedy continuations repeat themselves, which perplexity hides.',
  effect: 'computes',
  options: chosen(JOBS.eval.options, {
    bos: true,
    checkpoint: 'the model',
    text: 'text to measure on (UTF-8); not the one that chose the blocks',
    application: 'in place of text: the file or folder of the application; rows that no other job sees',
    limit: true,
    window: true,
    remove: 'leave out these blocks without writing anything: [10, 12], and modules: "12.ffn"',
    heal: 'use the healed weights of this file (.patch.safetensors)',
    adapter: true,
    against: 'the original of a pruned model, to compare with; found by itself where it lies beside the model',
    repetition: true,
  }),
  ask: async (given, context) => {
    const { checkpoint } = await opened(String(given.checkpoint), context.signal);
    const title = l10n.t('Measure the perplexity of {0}?', nameOf(checkpoint));
    const lines = [l10n.t('Reads {0}.', modelWords(checkpoint))];
    return askComputing(title, lines, { kind: 'eval', options: given }, context);
  },
});
