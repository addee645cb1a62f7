/**
 * Continuations side by side: every model continues every prompt. The models take turns, so that all texts grow
 * together.
 */
import { l10n } from '../../l10n';
import type { TextEvent } from '../../protocol/jobs';
import type { SamplesResult } from '../../protocol/samples';
import { defineJob, shape } from '../define';
import { flag, list, models, text } from '../option';
import { compute, quantised } from '../options/compute';
import { sampling, writing } from '../options/sampling';
import { textPrecision } from '../options/precision';

export const samples = defineJob({
  kind: 'samples',
  sidecarOnly: true,
  summary: 'write continuations by several models',
  description:
    'Lets several models continue the same prompts: greedily, or sampled from the same seed. ' +
    'Cancelling ends the job and keeps the text written so far.',
  examples: [],
  noun: () => l10n.t('Generating samples'),
  title: (model) => l10n.t('Generating samples with {0}', model),
  options: {
    prompts: list(text('a prompt'), 'texts to continue', { required: true, repeated: true }),
    columns: models('the models', { required: true }),
    chat: flag('format each prompt as a user message with the chat template'),
    ...writing,
    ...sampling,
    precision: textPrecision,
    ...compute,
    ...quantised,
  },
  check: ({ prompts }) =>
    prompts.length > 0
      ? undefined
      : { what: 'Nothing to write', why: 'there is no prompt', action: 'Choose at least one.' },
  result: shape<SamplesResult>(),
  event: shape<TextEvent>(),
});
