/** What is known of an export, in sentences for its model card. */
import { formatNumber, formatPercent } from '../../format/numbers';
import { inline } from '../../engine/markdown';
import type { ConsumerResult, MeasuredKind, VerifiedResult } from '../results/export';

export function findingsOf(
  verified: VerifiedResult | null,
  measured: readonly MeasuredKind[],
  consumers: readonly ConsumerResult[] = [],
): string[] {
  return [
    ...(verified ? verifiedSentences(verified) : []),
    ...measured.flatMap(measuredSentences),
    ...consumers.map(consumerSentence),
  ];
}

/** "transformers.js 4.3.1 continued a prompt with the same 12 tokens as the file in Coppice (q4)." */
function consumerSentence({ name, version, of, failure, tokens, equal, firstDifference = 0 }: ConsumerResult): string {
  const program = inline(version === undefined ? name : `${name} ${version}`);
  if (failure !== undefined) return `${program} did not run it (${of}): ${inline(failure)}`;
  const same = equal
    ? `with the same ${tokens} tokens`
    : `with other tokens after the first ${firstDifference} of ${tokens}`;
  return `${program} continued a prompt ${same} (${of}); tokens that are nearly as likely as others were not compared.`;
}

/** One for the file, or one for each kind of an ONNX folder. */
function verifiedSentences({ kinds, weights, ...all }: VerifiedResult): string[] {
  if (kinds) return kinds.map((result) => comparedSentence(result, `${result.kind}: it`));
  const compared = weights ? ` All ${weights.tensors} tensors were compared.` : '';
  return [comparedSentence(all, 'It', compared)];
}

type Compared = Pick<VerifiedResult, 'positions' | 'maxDifference' | 'meanKl' | 'top1' | 'exact' | 'greedy'>;

/** "It has the numbers of the model. On 128 positions …" */
function comparedSentence(
  { positions, maxDifference, meanKl, top1, exact, greedy }: Compared,
  subject: string,
  after = '',
): string {
  const same = exact ? 'has the numbers of the model' : 'has rounded numbers';
  return (
    `${subject} ${same}.${after} On ${positions} positions of fixed rows its logits differ by at most ${formatNumber(Number(maxDifference), 3)}, ` +
    `the mean KL divergence is ${formatNumber(Number(meanKl), 3)} nats, and the most likely token is the same at ` +
    `${formatPercent(top1)}. ${continued(greedy)}`
  );
}

function continued({ tokens, equal, firstDifference = 0 }: VerifiedResult['greedy']): string {
  if (equal) return `A continuation of ${tokens} tokens is the same.`;
  return `A continuation is the same for ${firstDifference} of ${tokens} tokens.`;
}

function measuredSentences({ type, perplexity, tokensPerSecond }: MeasuredKind): string[] {
  return [
    ...(perplexity
      ? [
          `${type}: perplexity ${formatNumber(Number(perplexity.ppl), 5)} on ${perplexity.tokens} tokens of the text that was given.`,
        ]
      : []),
    ...(tokensPerSecond === undefined
      ? []
      : [`${type}: ${formatNumber(Number(tokensPerSecond), 3)} tokens a second on the machine of the export.`]),
  ];
}
