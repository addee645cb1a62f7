/** Output of `coppice retrain`: before it starts, at the end, and after it was stopped. */
import { quotedHere } from '../../format/shell';
import { existsSync } from 'node:fs';
import { formatCounted } from '../../format/words';
import type { RetrainSummary, StepSummary } from '../../engine/retrain/report';
import { healedFile } from '../../jobs/heals-first';
import type { RetrainResult } from '../../jobs/results/retrain';
import { selfDataFileOf, stateFileOf } from '../../engine/retrain/loop/workspace';
import type { TrainingStartEvent } from '../../protocol/training';
import type { OptionsFor } from '../../jobs/kinds';
import type { Page } from './page';
import type { Style } from '../terminal/style';
import { formatSeconds } from '../../format/durations';
import { formatCount, formatNumber, formatPercent } from '../../format/numbers';
import { facts } from '../terminal/text';

/** Of a run in 8-bit integers. */
const PRECISION: [string, string] = [
  'precision',
  'int8 per row in products of frozen weights, in training and on held-out records; all else float32',
];

/** Number of steps at each end of the run to average losses over. */
const ENDS = 5;

export const retrainPage: Page<'retrain'> = ({ checkpoint, out, width, heal }, { note, style, shown }) => ({
  onEvent: (event) => {
    if (event.type === 'start') startLines(event).forEach(note);
  },
  onCancelled: () => keptLines(out),
  page: (result) => resultPage(result, trainedOn({ checkpoint, width, heal }), style, shown),
});

/** The model that was trained, as a command names it. */
function trainedOn({ checkpoint, width, heal }: Pick<OptionsFor<'retrain'>, 'checkpoint' | 'width' | 'heal'>): string {
  const files = Object.entries({ width, heal: healedFile(heal) }).flatMap(([name, file]) =>
    file ? [`--${name} ${quotedHere(file)}`] : [],
  );
  return [quotedHere(checkpoint), ...files].join(' ');
}

/** What a cancelled run to `out` has kept. */
function keptLines(out: string): string[] {
  if (existsSync(stateFileOf(out))) return [`stopped; to continue: ${resumeCommand(process.argv.slice(2))}`];
  return existsSync(selfDataFileOf(out))
    ? ['stopped; the text written so far is kept and the same command continues it']
    : [];
}

export function startLines(start: TrainingStartEvent): string[] {
  const { parameters, steps, learningRate, warmup, data, rows, resumed, idle } = start;
  const { train, heldOut, dropped, truncated } = data;
  const looked = heldOut.looked < heldOut.examples ? `, ${formatCount(heldOut.looked)} of them evaluated` : '';
  const [least, most] = rows;
  const lines = [
    `${formatCounted(train.examples, 'example')} (${formatCounted(train.tokens, 'token')}, ${formatCount(train.targets)} to learn), ` +
      `${formatCount(heldOut.examples)} held out${looked}`,
    `${formatCount(parameters)} parameters, ${formatCounted(steps, 'step')} of ${least < most ? `${least} to ` : ''}${formatCounted(most, 'row')}, ` +
      `learning rate ${learningRate} after ${formatCounted(warmup, 'step')} of warm-up`,
  ];
  if (dropped > 0)
    lines.push(`${formatCounted(dropped, 'record')} left out: nothing to learn within ${data.length} tokens`);
  if (truncated > 0) lines.push(`${formatCounted(truncated, 'record')} cut at ${data.length} tokens`);
  if (idle.length > 0) {
    const options = idle.map((name) => (name === 'patience' ? '--patience' : '--eval-every')).join(' and ');
    lines.push(`nothing is held out, so ${options} ${idle.length > 1 ? 'have' : 'has'} no effect`);
  }
  if (resumed) lines.push('continuing the run that was stopped');
  return lines;
}

/** @param model as a command names it */
function resultPage(result: RetrainResult, model: string, style: Style, shown: (text: string) => string): string[] {
  const { trace, evaluations, best, unpruned, likeness, steps, removed, kind, out, seconds, healing } = result;
  const [first, last] = [evaluations[0], best].map((look) => look?.ppl);
  const pairs: [string, string][] = [
    ...(healing ? [healedPair(healing)] : []),
    ['steps', `${formatCount(steps)}, loss ${lossOverTime(trace)}`],
  ];
  if (best && first !== undefined && last !== undefined) {
    const when = best.step === steps ? '' : `, best at step ${best.step}`;
    const outcome =
      best.step === 0
        ? `${formatNumber(first, 4)}, and no step lowered it: try another --lr, or more data`
        : `${formatNumber(first, 4)} → ${style.bold(formatNumber(last, 4))}${when}`;
    const whole = unpruned ? `; the original: ${formatNumber(unpruned.ppl, 4)}` : '';
    pairs.push(['held out', `perplexity ${outcome}${whole}`]);
    if (unpruned && last !== undefined && last < unpruned.ppl) {
      pairs.push(['', 'lower than the original’s, as both texts are of one kind; on other text it need not be']);
    }
  }
  if (likeness) pairs.push(['', likenessWords(likeness)]);
  pairs.push(
    ['removed', removed.join(', ') || 'nothing'],
    ['speed', `${formatNumber(result.tokensPerSecond, 3)} tokens/s on ${result.device}`],
    ...(result.precision === 'int8' ? [PRECISION] : []),
    [kind, `${shown(out)} in ${formatSeconds(seconds)}`],
  );
  const look =
    kind === 'adapter'
      ? [
          `coppice eval ${model} --adapter ${quotedHere(out)} --text FILE`,
          `coppice merge ${model} --adapter ${quotedHere(out)} --out ${quotedHere(`${out}-merged`)}`,
        ]
      : [`coppice eval ${quotedHere(out)} --text FILE`];
  return [...facts(pairs), '', 'Next:', ...look.map((line) => `  ${shown(line)}`)];
}

/** "KL divergence 0.513 → 0.31 nats from the original, same next token 51 % → 60 %" */
function likenessWords({ before, after }: NonNullable<RetrainSummary['likeness']>): string {
  const [from, to] = [before.kl, after.kl].map((kl) => formatNumber(kl, 3));
  const agreement = [before, after].map(({ top1 }) => formatPercent(top1)).join(' → ');
  return `KL divergence ${from} → ${to} nats from the original, same next token ${agreement}`;
}

/** "healed first  KL divergence 0.57 → 0.29 nats from the original, in 30 s" */
function healedPair({ heldOut, fit, weights, seconds }: NonNullable<RetrainResult['healing']>): [string, string] {
  if (weights === 'plain') return ['healed first', 'healing did not help, so the plain weights were trained'];
  const { before, rounded } = heldOut ?? fit;
  const [from, to] = [before.kl, rounded.kl].map((kl) => formatNumber(Number(kl), 3));
  return ['healed first', `KL divergence ${from} → ${to} nats from the original, in ${formatSeconds(seconds)}`];
}

/** From the first steps to the last ones; the two never overlap. */
function lossOverTime(trace: readonly StepSummary[]): string {
  const end = Math.min(ENDS, Math.floor(trace.length / 2));
  return end === 0 ? meanLoss(trace) : `${meanLoss(trace.slice(0, end))} → ${meanLoss(trace.slice(-end))}`;
}

const meanLoss = (entries: readonly StepSummary[]): string =>
  entries.length === 0 ? '–' : formatNumber(entries.reduce((sum, { loss }) => sum + loss, 0) / entries.length, 4);

/** The command that resumes the command with these arguments. */
export function resumeCommand(args: readonly string[]): string {
  return ['coppice', ...args, ...(args.includes('--resume') ? [] : ['--resume'])].map(quotedHere).join(' ');
}
