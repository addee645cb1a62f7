/** One continuation of a prompt. */
import { option, set } from '../../engine/option-token';
import { l10n } from '../../l10n';
import type { GenerateResult, TextEvent } from '../../protocol/jobs';
import { defineJob, shape } from '../define';
import { flag, list, text, whole } from '../option';
import { compute } from '../options/compute';
import { adapter, healed, remove, source } from '../options/model';
import { sampling, writing } from '../options/sampling';

const options = {
  ...source,
  prompt: text('the text to continue', { noun: () => l10n.t('the prompt'), conflicts: ['ids'] }),
  ids: list(whole('a token id', { min: 0 }), 'the prompt as token ids: 1,403,12', {
    noun: () => l10n.t('token ids'),
    expected: 'token ids separated by commas, such as 1,403,12',
  }),
  chat: flag('format the prompt as a user message with the chat template', { conflicts: ['ids'] }),
  ...writing,
  ...sampling,
  ...remove,
  ...healed,
  ...adapter,
  ...compute,
};

export const generate = defineJob({
  kind: 'generate',
  summary: 'continue a prompt',
  description: 'Continues a prompt. Greedy by default; any sampling option makes it sample.',
  examples: [
    './SmolLM2-135M --prompt "Once upon a time" --max-new-tokens 100',
    './SmolLM2-135M --prompt "Why is the sky blue?" --chat',
    './SmolLM2-135M --prompt "The sea" --temperature 0.8 --top-p 0.95 --seed 7',
    './SmolLM2-135M --prompt "The sea" --adapter ./adapter',
    './SmolLM2-135M --ids 504,3685 --remove 10,12-14 --json',
  ],
  noun: () => l10n.t('Generating text'),
  title: (model) => l10n.t('Generating text with {0}', model),
  options,
  check: ({ prompt, ids }) =>
    prompt !== undefined || ids !== undefined
      ? undefined
      : {
          what: 'There is nothing to continue',
          why: `neither ${option('prompt')} nor ${option('ids')} is given`,
          action: `${set('prompt', '"Once upon a time"', 'add')}.`,
        },
  result: shape<GenerateResult>(),
  event: shape<TextEvent>(),
});
