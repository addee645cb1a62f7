/** `coppice take`: what it does, and its page. */
import { formatSeconds } from '../../format/durations';
import { take } from '../../hand-over/take';
import type { OptionsFor } from '../../jobs/kinds';
import { storedDtype } from '../../jobs/options/output';
import type { Outcome, Shell } from '../execute';
import type { CommonOptions } from '../options';
import { facts } from '../terminal/text';

export type TakeOptions = CommonOptions &
  Partial<Pick<OptionsFor<'retrain'>, 'merge' | 'dtype' | 'device' | 'threads' | 'memory'>> &
  Pick<OptionsFor<'retrain'>, 'out'>;

export async function taken(folder: string, given: TakeOptions, shell: Shell): Promise<Outcome> {
  const { out, merge = false, dtype, device = 'auto', threads, memory } = given;
  const start = performance.now();
  const compute = { device, threads, memory };
  const found = await take({ folder, out, merge, dtype: storedDtype(dtype), compute }, shell.job);
  const { before, after, unpruned, likeness, steps, kind } = found;
  return {
    json: found,
    page: facts([
      ['result', kind === 'adapter' ? 'an adapter' : 'a checkpoint'],
      ['steps', steps > 0 ? String(steps) : 'not known'],
      ...(before && after && unpruned
        ? ([
            [
              'held out',
              `perplexity ${before.ppl.toPrecision(4)} → ${after.ppl.toPrecision(4)}, original ${unpruned.ppl.toPrecision(4)}`,
            ],
          ] as [string, string][])
        : []),
      ...(likeness
        ? ([
            ['KL', `${likeness.before.kl.toPrecision(4)} → ${likeness.after.kl.toPrecision(4)} nats from the original`],
            ['same word', `${percent(likeness.before.top1)} → ${percent(likeness.after.top1)}`],
          ] as [string, string][])
        : []),
      ['folder', shell.shown(found.out)],
      ['time', formatSeconds((performance.now() - start) / 1000)],
    ]),
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
