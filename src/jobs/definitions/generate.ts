/** One continuation of a prompt, or those of a file of prompts. */
import { option, set, value } from '../../engine/option-token';
import { l10n } from '../../l10n';
import type { TextEvent } from '../../protocol/jobs';
import { countedIn } from '../about';
import { defineJob, events } from '../define';
import { file, flag, list, text, whole } from '../option';
import { begin } from '../options/bos';
import { compute, quantized } from '../options/compute';
import { drafting } from '../options/draft';
import { adapter, healed, remove, source, width } from '../options/model';
import { sampling, system, writing } from '../options/sampling';
import { textPrecision } from '../options/precision';
import { generateResult } from '../results/generate';

/** Enough to read the weights seldom, few enough for the memory of a small machine. */
const BATCH = 16;

const options = {
  ...source,
  prompt: text('the text to continue', { noun: () => l10n.t('the prompt'), conflicts: ['ids', 'prompts'] }),
  ids: list(whole('a token id', { min: 0 }), `the prompt as token ids: ${value('numbers', '1,403,12')}`, {
    noun: () => l10n.t('token ids'),
    expected: 'token ids separated by commas, such as 1,403,12',
  }),
  prompts: file('continue every prompt of a file: one a line, a JSON list, or JSON lines', {
    noun: () => l10n.t('a file of prompts'),
    conflicts: ['ids'],
  }),
  out: file(`with ${option('prompts')}: write the continuations to this file, as JSON (.json) or JSON lines`, {
    writes: true,
    noun: () => l10n.t('output file'),
    needs: 'prompts',
  }),
  batch: whole(`with ${option('prompts')}: texts that are written side by side`, { default: BATCH }),
  chat: flag('format the prompt as a user message with the chat template', { conflicts: ['ids'] }),
  ...system,
  ...drafting,
  draft: { ...drafting.draft, conflicts: ['prompts'] },
  ...begin,
  ...writing,
  ...sampling,
  ...remove,
  ...width,
  ...healed,
  ...adapter,
  precision: textPrecision,
  ...compute,
  ...quantized,
};

export const generate = defineJob({
  kind: 'generate',
  summary: 'continue a prompt',
  description:
    'Continues a prompt, or every prompt of a file. Greedy by default; any sampling option makes it sample. ' +
    'Prompts of a file are continued side by side; each gets the text that it gets alone.',
  examples: [
    './SmolLM2-135M --prompt "Once upon a time" --max-new-tokens 100',
    './SmolLM2-135M --prompt "Why is the sky blue?" --chat',
    './SmolLM2-135M --prompt "Why is the sky blue?" --chat --system "Answer in one sentence."',
    './SmolLM2-135M --prompt "The sea" --temperature 0.8 --top-p 0.95 --seed 7',
    './SmolLM2-135M --prompt "The sea" --adapter ./adapter',
    './SmolLM2-135M --prompt "Once upon a time" --draft int4',
    './SmolLM2-135M --prompts questions.txt --out answers.jsonl',
    './SmolLM2-135M --ids 504,3685 --remove 10,12-14 --json',
  ],
  noun: () => l10n.t('Generating text'),
  title: (model) => l10n.t('Generating text with {0}', model),
  done: (model) => l10n.t('Generated text with {0}', model),
  icon: 'comment',
  measures: true,
  lane: ({ prompts }) => (prompts === undefined ? 'short' : 'long'),
  isPassing: () => true,
  step: 'texts',
  about: ({ texts, text }) => (texts === undefined ? excerpt(text) : countedIn(texts, 'text')),
  options,
  check: ({ prompt, ids, prompts }) =>
    prompt !== undefined || ids !== undefined || prompts !== undefined
      ? undefined
      : {
          what: 'There is nothing to continue',
          why: `none of ${option('prompt')}, ${option('prompts')} and ${option('ids')} is given`,
          action: `${set('prompt', '"Once upon a time"', 'add')}.`,
        },
  result: generateResult,
  event: events<TextEvent>(),
});

function excerpt(text: unknown): string {
  if (typeof text !== 'string') return '';
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
