/** What `coppice retrain` says on the terminal: before it starts, at the end, and when it was stopped. */
import type { RetrainResult } from '../../engine/retrain/report';
import type { RetrainStart } from '../../engine/retrain/retrain';
import type { TraceEntry } from '../../engine/retrain/training-state';
import type { Style } from '../terminal/style';
import { facts, formatCount, formatNumber, formatSeconds } from '../terminal/text';

/** Steps at either end of the run whose losses are averaged. */
const ENDS = 5;

export function startLines({ parameters, options, data, resumed }: RetrainStart): string[] {
  const { steps, batch, learningRate, warmup } = options;
  const { train, heldOut, dropped, truncated } = data;
  const lines = [
    `${formatCount(train.examples)} examples (${formatCount(train.tokens)} tokens, ${formatCount(train.targets)} to learn), ` +
      `${formatCount(heldOut.examples)} held out`,
    `${formatCount(parameters)} parameters, ${formatCount(steps)} steps of ${batch} rows, ` +
      `learning rate ${learningRate} after ${warmup} steps of warm-up`,
  ];
  if (dropped > 0)
    lines.push(`${formatCount(dropped)} records left out: nothing to learn within ${data.length} tokens`);
  if (truncated > 0) lines.push(`${formatCount(truncated)} records cut at ${data.length} tokens`);
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
  const pairs: [string, string][] = [
    ['steps', `${formatCount(steps)}, loss ${meanLoss(trace.slice(0, ENDS))} → ${meanLoss(trace.slice(-ENDS))}`],
  ];
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

const meanLoss = (entries: readonly TraceEntry[]): string =>
  entries.length === 0 ? '–' : formatNumber(entries.reduce((sum, { loss }) => sum + loss, 0) / entries.length, 4);

/** The command that goes on with the one of these arguments. */
export function resumeCommand(args: readonly string[]): string {
  return ['coppice', ...args, ...(args.includes('--resume') ? [] : ['--resume'])].map(quoted).join(' ');
}

/** As a shell reads it. */
function quoted(argument: string): string {
  return /^[\w@%+=:,./\\~-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
