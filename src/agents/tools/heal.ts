/** Corrects a pruned model in closed form. */
import { requireHealable } from '../../engine/heal/healable';
import type { HealMethod } from '../../engine/heal/methods';
import { JOBS } from '../../jobs/definitions';
import { prunedBytes } from '../../estimates/written-bytes';
import { l10n } from '../../l10n';
import { askComputing, askWriting, modelWords, nameOf, opened } from '../confirm';
import { chosen } from '../input';
import { jobTool } from '../job-tool';

export const heal = jobTool({
  name: 'coppice_heal',
  kind: 'heal',
  title: () => l10n.t('Heal Pruned Model'),
  description:
    'Leaves out blocks of the original model and corrects the weights of the others by least squares, without training: ' +
    'it wins back a part of what pruning costs. Minutes with texts in "data"; where the model writes the text itself, that ' +
    'takes most of the time, for larger models hours: the question tells the expected time. Give the original model and the blocks in "remove", ' +
    'not a pruned checkpoint. With "out" it writes the healed checkpoint; without it, it only says what healing would ' +
    'bring. Returns perplexity, KL divergence from the original and same next token before and after, on rows that were ' +
    'not fitted.',
  effect: 'writes',
  options: chosen(JOBS.heal.options, {
    bos: true,
    checkpoint: 'the original model',
    remove:
      'blocks to leave out, numbered from 0: [10, 12], and modules: "12.ffn" (a model without single modules cannot be written)',
    out: true,
    method: true,
    data: 'texts, or "self": the original model writes the text (the default)',
    application: 'in place of data: the file or folder of the application',
    tokens: true,
  }),
  ask: async (given, context) => {
    const { checkpoint, architecture } = await opened(String(given.checkpoint), context.signal);
    const parts = given.remove as readonly (number | string)[];
    requireHealable(architecture, given.method as HealMethod | undefined); // before anybody is asked
    const removed = parts.filter((part) => typeof part === 'number');
    const job = { kind: 'heal', options: given } as const;
    const title = l10n.t('Heal {0} without {1} of its {2} blocks?', ...countsOf(nameOf(checkpoint)));
    const lines = [l10n.t('Reads {0}.', modelWords(checkpoint)), l10n.t('Leaves out {0}.', parts.join(', '))];
    if (given.out === undefined) return askComputing(title, lines, job, context);
    const bytes = await prunedBytes(checkpoint, removed, { signal: context.signal });
    return askWriting(title, lines, { out: given.out as string, bytes, job }, context);

    function countsOf(name: string): [string, number, number] {
      return [name, parts.length, architecture.layers.length];
    }
  },
});
