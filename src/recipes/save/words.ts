/** What a run gave, in a line of a comment: numbers with the text that they were measured on, and their precision. */
import type { ComparedDigest, LikenessDigest, RunDigest } from '../../engine/records/digest-types';
import { ranWords } from '../../engine/records/ran';
import { precisionWords } from '../../format/arithmetic';
import { type JsonNumber, numeric, parseJsonNumber } from '../../format/json';
import { formatBytes, formatCount, formatPercent, shortNumber } from '../../format/numbers';

const number = (value: JsonNumber | undefined): string => shortNumber(numeric(value), 6);

/** "perplexity 41.5077 on prose.txt; float32 on cpu". */
export function gaveWords(digest: RunDigest): string {
  const facts = factsOf(digest);
  const { precision, device } = digest;
  const arithmetic = device === null ? [] : [`${precisionWords(precision)} on ${device}`];
  return [...facts, ...arithmetic].join('; ');
}

function factsOf(digest: RunDigest): string[] {
  const { score, curve, training, heal, iterative, tasks, quality = [], grid, narrower, cost = [], ran } = digest;
  if (score) return scoreFacts(score);
  if (curve) return curveFacts(curve);
  if (training) return trainingFacts(training);
  if (iterative) return iterativeFacts(iterative);
  if (tasks) return tasks.models.map(({ label, average, tasks: each }) => accuracyWords(label, average, each));
  if (grid)
    return [`${grid.models.length} models, ${grid.batches.join(', ')} texts of ${grid.newTokens.join(', ')} tokens`];
  if (narrower) return [`${narrower.method}, perplexity ${number(narrower.ppl)} on the calibration rows`];
  if (ran) return [ranWords(ran.programs)];
  return [...(heal ? healFacts(heal) : []), ...quality.map(qualityWords), ...cost.slice(-1).map(costWords)].filter(
    (words) => words !== '',
  );
}

function scoreFacts({ full, fullKl, text, set, removals, blocks }: NonNullable<RunDigest['score']>): string[] {
  const on = text === undefined ? '' : ` on ${text}`;
  const whole = full === undefined ? [] : [`perplexity ${number(full)} of the original${on}`];
  const divergence = fullKl === undefined ? [] : [`KL divergence${on}`];
  const order = blocks.toSorted((a, b) => (parseJsonNumber(a.score) ?? NaN) - (parseJsonNumber(b.score) ?? NaN));
  const first = removals ?? set?.blocks ?? order.slice(0, 6).map(({ index }) => index);
  const least = first.length === 0 ? [] : [`least important: ${first.join(', ')}`];
  return [...whole, ...divergence, ...least];
}

const curveFacts = ({ points, text }: NonNullable<RunDigest['curve']>): string[] => {
  const shown = points.map(({ count, ppl }) => `${count}: ${number(ppl)}`);
  return [`perplexity on ${text} by the number of removed blocks: ${shown.join(', ')}`];
};

function trainingFacts({ evaluations, steps }: NonNullable<RunDigest['training']>): string[] {
  const [first, last] = [evaluations.at(0), evaluations.at(-1)];
  const held = first && last ? [`held-out perplexity ${number(first.ppl)} → ${number(last.ppl)}`] : [];
  return [`${formatCount(steps.at(-1)?.step ?? 0)} steps`, ...held];
}

function iterativeFacts({ rounds, text, full }: NonNullable<RunDigest['iterative']>): string[] {
  const last = rounds.at(-1);
  const end = last ? [`perplexity ${number(full.ppl)} → ${number(last.healed.ppl)} on ${text}`] : [];
  return [`${rounds.length} rounds`, ...end];
}

type Tasks = NonNullable<RunDigest['tasks']>['models'][number]['tasks'];

function accuracyWords(label: string, average: number | null, tasks: Tasks): string {
  const each = tasks.map(
    ({ name, value, items }) => `${name} ${value === null ? '–' : formatPercent(value)} of ${items}`,
  );
  return `${label}: accuracy ${average === null ? '–' : formatPercent(average)} (${each.join(', ')})`;
}

function healFacts({ heldOut, fit, text, tokens, weights }: NonNullable<RunDigest['heal']>): string[] {
  const stages = heldOut ?? fit;
  if (!stages) return [];
  const rows = heldOut ? 'held-out rows' : 'fitted rows';
  const after = stages.rounded ?? stages.after;
  const of = text === undefined ? '' : ` of ${text === 'self' ? 'text of its own' : text}`;
  const amount = tokens === null ? '' : ` (${formatCount(tokens)} tokens were fitted)`;
  const kept = weights === 'plain' ? ['the plain weights were kept'] : [];
  return [`${likeness(stages.before)} → ${likeness(after)} on ${rows}${of}${amount}`, ...kept];
}

const likeness = ({ ppl, kl }: LikenessDigest): string => `perplexity ${number(ppl)}, KL ${number(kl)}`;

function qualityWords({ ppl, text, tokens, ...compared }: NonNullable<RunDigest['quality']>[number]): string {
  const on = text === undefined || text === '' ? '' : ` on ${text}`;
  const amount = tokens === undefined ? '' : ` (${formatCount(tokens)} tokens)`;
  return `perplexity ${number(ppl)}${on}${amount}${comparedWords(compared)}`;
}

function comparedWords({ kl, top1 }: ComparedDigest): string {
  if (kl === undefined) return '';
  const same = parseJsonNumber(top1);
  return `, KL ${number(kl)} from the original${same === undefined ? '' : `, same next token ${formatPercent(same)}`}`;
}

function costWords({
  parameters,
  bytes,
  decodeTokensPerSecond,
  speed,
}: NonNullable<RunDigest['cost']>[number]): string {
  const size = [
    ...(parameters === null ? [] : [`${formatCount(parameters)} parameters`]),
    ...(bytes === null ? [] : [formatBytes(bytes)]),
  ];
  const pace =
    speed === undefined || decodeTokensPerSecond === null ? [] : [`${number(decodeTokensPerSecond)} tokens/s`];
  return [...size, ...pace].join(', ');
}
