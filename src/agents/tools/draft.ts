/** Says what a draft would gain, and writes the pair where it pays. */
import { JOBS } from '../../jobs/definitions';
import { l10n } from '../../l10n';
import { askComputing, askWriting, modelWords, nameOf, opened } from '../confirm';
import { chosen } from '../input';
import { jobTool } from '../job-tool';

export const forecastDraft = jobTool({
  name: 'coppice_draft',
  kind: 'draft',
  title: () => l10n.t('Forecast a Draft'),
  description:
    'Says beforehand what speculative decoding would gain: a draft (the model itself in fewer bits, without some blocks, or a smaller ' +
    'model with the same vocabulary) proposes tokens, and the model checks several at once, so that the text stays its own. Tells how ' +
    'often both agree, how many tokens a pass of the model brings for every length, and how many times as fast that is. What passes ' +
    'cost is measured for genai; for other programs give "costs", which the user has measured. Give prompts like those of the ' +
    'application. Often no draft pays, and the answer says why: tell the user so. With "out" it writes both models for the program, ' +
    'only where that pays.',
  effect: 'writes',
  options: chosen(JOBS.draft.options, {
    checkpoint: 'the model whose text it is',
    drafts: true,
    for: true,
    prompts: true,
    chat: true,
    heldOut: true,
    maxNewTokens: true,
    temperature: true,
    targetType: true,
    remove: 'one draft: the model without these blocks: [10, 12]',
    heal: true,
    type: true,
    costs: true,
    maxBytes: true,
    out: 'the new folder of the pair; it must not exist. Without it nothing is written',
  }),
  ask: async (given, context) => {
    const { checkpoint } = await opened(String(given.checkpoint), context.signal);
    const title = l10n.t('Forecast drafts for {0}?', nameOf(checkpoint));
    const lines = [l10n.t('Reads {0}.', modelWords(checkpoint)), l10n.t('The model writes text, and drafts read it.')];
    const job = { kind: 'draft', options: given } as const;
    const { out } = given;
    if (typeof out !== 'string') return askComputing(title, lines, job, context);
    // How large the draft is, is only known once the best one is found.
    return askWriting(title, lines, { out, job }, context);
  },
});
