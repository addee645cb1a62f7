/** `coppice submit`: writes the folder of a run, and hands it to a scheduler. */
import { relative } from 'node:path';
import { completeCut, prepareRun, type PreparedRun, type RunRequest, submitRun } from '../../cluster/submit';
import { guessedTime } from '../../estimates/words';
import { formatBytes } from '../../format/numbers';
import { isShared } from '../../jobs/parts/part-record';
import type { Outcome, Shell } from '../execute';
import { asUsage } from '../failure';
import { facts } from '../terminal/text';

export async function submitted(request: RunRequest, onlyWrite: boolean, shell: Shell): Promise<Outcome> {
  asUsage(() => completeCut(request.kind, request.options));
  if (onlyWrite) {
    const prepared = await prepareRun(request);
    return { json: jsonOf(prepared), page: pageOf(prepared, shell) };
  }
  const done = await submitRun(request);
  const { id, gather } = done.submission;
  return {
    json: { ...jsonOf(done), submission: done.submission },
    page: [...pageOf(done, shell), ...facts([['jobs', [id, ...(gather === undefined ? [] : [gather])].join(', ')]])],
  };
}

const jsonOf = ({ folder, run, files }: PreparedRun): object => ({
  folder,
  kind: run.kind,
  parts: run.parts,
  scheduler: run.scheduler,
  ...(run.estimate && { estimate: run.estimate }),
  files,
});

function pageOf({ folder, run, files }: PreparedRun, { shown }: Shell): string[] {
  const { estimate } = run;
  const short = (path: string): string => shown(relative(process.cwd(), path) || '.');
  return facts([
    ['run', `${run.kind} in ${run.parts} parts`],
    ['folder', short(folder)],
    ['scripts', files.map(short).join(', ')],
    ...(estimate === undefined
      ? []
      : [
          [
            'a part',
            `an estimate: ${guessedTime(estimate.seconds)}${isShared(run.kind) ? ' at most' : ''}, ${formatBytes(estimate.memoryBytes)} of memory`,
          ] as [string, string],
        ]),
    ...(estimate?.folderBytes === undefined
      ? []
      : [
          ['on disk', `an estimate: up to ${formatBytes(estimate.folderBytes)} in the folder while it runs`] as [
            string,
            string,
          ],
        ]),
  ]);
}
