/** What drafts would gain, for an agent. */
import { formatBytes, formatCount, formatNumber, formatPercent } from '../../format/numbers';
import { formatCounted } from '../../format/words';
import { checkpointName } from '../../jobs/titles';
import type { DraftCandidate, DraftResult } from '../../jobs/results/draft';
import { inLine, type Piece } from '../answer';
import type { ResultPage } from '.';

export const draftPage: ResultPage<'draft'> = ({ result }, { checkpoint }) => {
  const { target, runtime, text, perfect, candidates, chosen, why, verdict, out, verified } = result;
  const model = inLine(checkpointName(checkpoint));
  const version = runtime.version === null ? '' : ` ${inLine(runtime.version)}`;
  return [
    out === null
      ? verdict === 'refused'
        ? 'Nothing was written, because it does not pay.'
        : 'Nothing was written: give "out" for the pair.'
      : `Written: ${out}. ${model} itself did not change.`,
    inLine(why),
    `for ${runtime.name}${version}; the model ${target.type === 'stored' ? 'in its own type' : `in ${target.type}`}, ${formatBytes(target.bytes)} of weights`,
    `text: ${formatCount(text.tokens)} tokens that ${model} writes for ${formatCounted(text.prompts, 'prompt')} of ${inLine(text.source)}` +
      (text.heldOut === 0 ? '' : `, ${text.heldOut} of them held out`) +
      (text.temperature === 0 ? '' : `, at temperature ${formatNumber(text.temperature, 3)}`),
    costLine(result),
    ...(perfect === null
      ? []
      : [`a draft that is always right would be ${formatNumber(perfect.speedup, 3)} times as fast`]),
    ...(verified === null
      ? []
      : [
          `run in ${inLine(verified.by)}: ${verified.textsEqual} of ${formatCounted(verified.texts, 'text')} the model’s own, ` +
            `in ${formatCount(verified.rounds)} passes of the model; ${formatNumber(verified.forecastRounds, 4)} were forecast`,
        ]),
    ...(candidates.length === 0 ? [] : table(candidates, chosen?.name)),
  ];
};

function costLine({ costs }: DraftResult): string {
  if (costs === null) return 'what passes cost was not needed';
  const times = costs.rows.map((rows, i) => `${rows}: ${formatNumber(costs.v[i], 3)}`).join(', ');
  const how = costs.measuredIn === null ? 'as given' : `measured in ${inLine(costs.measuredIn)} on this machine`;
  return `time of reading so many rows at once over that of one: ${times} (${how})`;
}

/** Speeds are over the model alone; a length is the most tokens that are proposed at once. */
const table = (candidates: readonly DraftCandidate[], best: string | undefined): Piece[] => [
  'drafts, each with its best length:',
  {
    names: ['draft', '>bytes', '>agrees', '>time of a pass', '>length', '>tokens a pass', '>times as fast'],
    rows: candidates.map(({ name, bytes, agree, c, length, threshold, tokensPerRound, speedup }) => [
      `${inLine(name)}${name === best ? ' (best)' : ''}`,
      formatBytes(bytes),
      formatPercent(agree),
      c === null ? '–' : formatNumber(c, 3),
      threshold === 0 ? String(length) : `${length}, from ${formatPercent(threshold)}`,
      formatNumber(tokensPerRound, 3),
      speedup === null ? '–' : formatNumber(speedup, 3),
    ]),
  },
];
