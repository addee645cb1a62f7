/** What `coppice retrain` says on the terminal: before it starts, at the end, and when it was stopped. */
import { formatCounted } from '../../format/words';
import { REMEDY } from '../../engine/retrain/loop/explosion';
import type { RetrainResult } from '../../engine/retrain/report';
import type { RetrainStart } from '../../engine/retrain/retrain';
import type { TraceEntry } from '../../engine/retrain/loop/training-state';
import type { Style } from '../terminal/style';
import { formatSeconds } from '../../format/durations';
import { formatCount, formatNumber } from '../../format/numbers';
import { facts } from '../terminal/text';

/** Steps at either end of the run whose losses are averaged. */
const ENDS = 5;

export function startLines({ parameters, options, data, rows, resumed, idle }: RetrainStart): string[] {
  const { steps, learningRate, warmup } = options;
  const { train, heldOut, dropped, truncated } = data;
  const looked = heldOut.looked < heldOut.examples ? `, ${formatCount(heldOut.looked)} of them looked at` : '';
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
    lines.push(`nothing is held out, so ${options} ${idle.length > 1 ? 'make' : 'makes'} no difference`);
  }
  if (resumed) lines.push('going on with the run that was stopped');
  return lines;
}

export function resultPage(
  result: RetrainResult,
  path: string,
  style: Style,
  shown: (text: string) => string,
): string[] {
  const { trace, evaluations, best, steps, removed, kind, out, seconds } = result;
  const [first, last] = [evaluations[0], best].map((look) => look && Math.exp(look.loss));
  const pairs: [string, string][] = [['steps', `${formatCount(steps)}, loss ${lossOverTime(trace)}`]];
  if (best && first !== undefined && last !== undefined) {
    const when = best.step === steps ? '' : `, best at step ${best.step}`;
    const outcome =
      best.step === 0
        ? `${formatNumber(first, 4)}, and no step made it lower: try another --lr, or more data`
        : `${formatNumber(first, 4)} → ${style.bold(formatNumber(last, 4))}${when}`;
    pairs.push(['held out', `perplexity ${outcome}`]);
  }
  pairs.push(
    ['removed', removed.join(', ') || 'nothing'],
    ['speed', `${formatNumber(result.tokensPerSecond, 3)} tokens/s on ${result.device.provider}`],
    [kind, `${shown(out)} in ${formatSeconds(seconds)}`],
  );
  const look =
    kind === 'adapter'
      ? [
          `coppice eval ${quoted(path)} --adapter ${quoted(out)} --text FILE`,
          `coppice merge ${quoted(path)} --adapter ${quoted(out)} --out ${quoted(`${out}-merged`)}`,
        ]
      : [`coppice eval ${quoted(out)} --text FILE`];
  return [...facts(pairs), '', 'Next:', ...look.map((line) => `  ${shown(line)}`)];
}

/** From the first steps to the last ones; the two never overlap. */
function lossOverTime(trace: readonly TraceEntry[]): string {
  const end = Math.min(ENDS, Math.floor(trace.length / 2));
  return end === 0 ? meanLoss(trace) : `${meanLoss(trace.slice(0, end))} → ${meanLoss(trace.slice(-end))}`;
}

const meanLoss = (entries: readonly TraceEntry[]): string =>
  entries.length === 0 ? '–' : formatNumber(entries.reduce((sum, { loss }) => sum + loss, 0) / entries.length, 4);

/** What became of a run whose loss exploded. */
export function stoppedLine({ step, why, kept }: NonNullable<RetrainResult['stopped']>): string {
  return `training stopped at step ${step}: ${why}. What it had come to after step ${kept} was kept. ${REMEDY}`;
}

/** The command that goes on with the one of these arguments. */
export function resumeCommand(args: readonly string[]): string {
  return ['coppice', ...args, ...(args.includes('--resume') ? [] : ['--resume'])].map(quoted).join(' ');
}

/** As a shell reads it. */
function quoted(argument: string): string {
  return /^[\w@%+=:,./\\~-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
