/**
 * Continuations side by side: every model continues every prompt. The models take turns, so that all texts grow
 * together.
 */
import { l10n } from '../../l10n';
import type { TextEvent } from '../../protocol/jobs';
import type { ChatTurn } from '../../protocol/jobs';
import { isObject } from '../../format/json';
import { defineJob, events } from '../define';
import { data, flag, list, models, text } from '../option';
import { begin } from '../options/bos';
import { compute, quantized } from '../options/compute';
import { drafting } from '../options/draft';
import { sampling, system, writing } from '../options/sampling';
import { textPrecision } from '../options/precision';
import { samplesResult } from '../results/generate';

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
  done: (model) => l10n.t('Generated samples with {0}', model),
  icon: 'comment-discussion',
  lane: () => 'short',
  isPassing: () => true,
  options: {
    prompts: list(text('a prompt'), 'texts to continue', { required: true, repeated: true }),
    columns: models('the models', { required: true }),
    chat: flag('format each prompt as a user message with the chat template'),
    ...system,
    ...begin,
    earlier: data<readonly (readonly ChatTurn[])[]>('for each model, the turns before the prompt, oldest first'),
    ...writing,
    ...sampling,
    ...drafting,
    precision: textPrecision,
    ...compute,
    ...quantized,
  },
  check: ({ prompts, columns, earlier }) => {
    if (prompts.length === 0)
      return { what: 'Nothing to write', why: 'there is no prompt', action: 'Choose at least one.' };
    if (earlier === undefined || (earlier.length === columns.length && earlier.every(areTurns))) return undefined;
    return {
      what: 'The conversation cannot go on',
      why: 'its earlier turns are not a list of roles and texts for each model',
      action: 'Start a new chat.',
    };
  },
  result: samplesResult,
  event: events<TextEvent>(),
});

/** What a program gives is checked like what a user gives. */
const areTurns = (turns: unknown): boolean =>
  Array.isArray(turns) &&
  turns.every((turn) => isObject(turn) && typeof turn.role === 'string' && typeof turn.content === 'string');
