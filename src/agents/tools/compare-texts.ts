/** Texts of several models side by side. */
import { JOBS } from '../../jobs/definitions';
import { type LabelledModel, models } from '../../jobs/option';
import { l10n } from '../../l10n';
import { askComputing, nameOf, opened } from '../confirm';
import { chosen } from '../input';
import { jobTool } from '../job-tool';

const { options } = JOBS.samples;

export const compareTexts = jobTool({
  name: 'coppice_compare_texts',
  kind: 'samples',
  title: () => l10n.t('Compare Texts'),
  description:
    'Lets several models continue the same prompts, and returns their texts side by side. Use it after pruning: a text ' +
    'that repeats itself or falls apart says more than a perplexity. Greedy by default, so that differences are those of ' +
    'the models. Give the original and the pruned model; "remove" in a model looks at a plan that is not written.',
  effect: 'computes',
  options: {
    ...chosen(options, { prompts: 'texts to continue: one to three are enough' }),
    models: models('the models, each with a label', { required: true }),
    ...chosen(options, { maxNewTokens: true, temperature: true, seed: true, chat: true, system: true, draft: true }),
  },
  given: ({ models: columns, ...rest }) => ({ options: { ...rest, columns } }),
  ask: async (given, context) => {
    const columns = given.columns as readonly LabelledModel[];
    const prompts = given.prompts as readonly string[];
    const { checkpoint } = await opened(columns[0].checkpoint, context.signal);
    const title = l10n.t('Let {0} and others write?', nameOf(checkpoint));
    const lines = [l10n.t('{0} models continue {1} prompts.', columns.length, prompts.length)];
    return askComputing(title, lines, { kind: 'samples', options: given }, context);
  },
});
