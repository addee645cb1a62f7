/** What a forecast of speculative decoding came to, in words: a line for the verdict and one for each draft. */
import { formatNumber, formatPercent } from '../../format/numbers';
import { formatCounted } from '../../format/words';
import type { DraftDigest, DraftRowDigest } from './draft-digest';

/** Undefined values are unknown. */
export function draftFacts(found: DraftDigest | undefined): [name: string, value: string | undefined][] {
  if (!found) return [];
  const { title, version, type, text, drafts, chosen, heldOutSpeedup, why, written, verified } = found;
  return [
    ['program of the draft', version === undefined ? title : `${title} ${version}`],
    ['type of the model in it', type],
    ['text that was forecast', `${formatCounted(text.tokens, 'token')} for ${formatCounted(text.prompts, 'prompt')}`],
    ['verdict on drafts', why],
    ['best draft', chosen],
    [
      'times as fast on prompts that decided nothing',
      heldOutSpeedup === undefined ? undefined : formatNumber(heldOutSpeedup, 3),
    ],
    ...drafts.map((each): [string, string] => [`with the draft ${each.name}`, draftWords(each)]),
    ['pair', written],
    [
      'texts of the pair that are the model’s own',
      verified && `${verified.textsEqual} of ${verified.texts}, in ${verified.rounds} passes of the model`,
    ],
  ];
}

/** "1.5 times as fast (1.4–1.6), 3.6 tokens a pass, agrees on 93 %, at most 4 tokens at once" */
const draftWords = ({ speedup, range, tokensPerRound, agree, length }: DraftRowDigest): string =>
  [
    ...(speedup === null ? [] : [`${formatNumber(speedup, 3)} times as fast${rangeWords(range)}`]),
    `${formatNumber(tokensPerRound, 3)} tokens a pass`,
    `agrees on ${formatPercent(agree)}`,
    `at most ${formatCounted(length, 'token')} at once`,
  ].join(', ');

const rangeWords = (range: DraftRowDigest['range']): string =>
  range === undefined ? '' : ` (${range.map((each) => formatNumber(each, 3)).join('–')})`;
