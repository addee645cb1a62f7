/** `coppice hand-over`: what it does, and its page. */
import { join, relative } from 'node:path';
import { formatSeconds } from '../../format/durations';
import { counted } from '../../format/words';
import { handOver, type HandOverRequest } from '../../hand-over/hand-over';
import { completeOptions } from '../../jobs/complete';
import { JOBS } from '../../jobs/definitions';
import { partRunner } from '../../jobs/run-job';
import type { Outcome, Shell } from '../execute';
import { asUsage } from '../failure';
import { facts } from '../terminal/text';

export async function handedOver(request: HandOverRequest, shell: Shell): Promise<Outcome> {
  const { given } = request;
  asUsage(() => completeOptions(JOBS.retrain, { ...given, teacher: given.teacher ?? given.checkpoint }));
  const start = performance.now();
  const { job, note, warn, shown } = shell;
  const run = partRunner({ job, hooks: {}, note, warn });
  const { out, manifest } = await handOver(request, { job, run, warn });
  const { plan, data, firstLoss, teacher } = manifest;
  const seconds = (performance.now() - start) / 1000;
  return {
    json: { out, ...manifest, seconds },
    page: [
      ...facts([
        ['model', shown(plan.model)],
        ['left out', plan.removed.length > 0 ? plan.removed.join(', ') : 'nothing more'],
        ['teacher', shown(teacher.place)],
        ['rows', `${data.train.examples} to learn, ${data.heldOut.examples} held out`],
        ['first loss', `${firstLoss.loss.toFixed(6)} on ${counted(firstLoss.rows, 'row')}`],
        ['folder', shown(relative(process.cwd(), out) || '.')],
        ['time', formatSeconds(seconds)],
      ]),
      '',
      `Where it is to be trained: python check.py, then accelerate launch train.py. ${shown(join(relative(process.cwd(), out), 'README.md'))} says more.`,
    ],
  };
}
