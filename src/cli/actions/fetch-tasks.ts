/**
 * `coppice fetch-tasks`: gets the files of the zero-shot tasks. It first says what it would fetch, and fetches only what
 * the user agrees to.
 */
import { formatBytes } from '../../format/numbers';
import { counted } from '../../format/words';
import { TASK_NAMES, type TaskName } from '../../engine/evaluate/tasks/catalogue';
import { download } from '../../engine/evaluate/tasks/download';
import { type DownloadPlan, planDownload, type PlannedFile } from '../../engine/evaluate/tasks/download-plan';
import { SOURCES } from '../../engine/evaluate/tasks/sources';
import type { Outcome, Shell } from '../execute';
import { UsageError } from '../failure';
import type { CommonOptions } from '../options';
import { agrees } from '../terminal/consent';

export interface FetchOptions extends CommonOptions {
  readonly tasks?: readonly TaskName[];
  readonly yes?: true;
}

export async function fetchTasks(
  folder: string,
  { tasks = TASK_NAMES, yes, json }: FetchOptions,
  shell: Shell,
): Promise<Outcome> {
  const plan = await planDownload(folder, tasks, shell.job);
  shell.print(...planLines(plan, shell));
  const missing = plan.files.filter(({ state }) => state === 'missing').length;
  const agreed = missing === 0 || yes === true || (await agreesTo(missing, plan.bytes, json === true, shell));
  const written = agreed ? await download(plan, shell.job) : [];
  return {
    json: {
      folder,
      fetched: written.length,
      files: plan.files.map(({ task, file, url, bytes, sha256, path, state }) => ({
        ...{ task, file, url, licence: SOURCES[task].licence, bytes, sha256 },
        state: written.includes(path) ? 'fetched' : state,
      })),
      byHand: plan.byHand,
      found: plan.found,
    },
    page: [agreed ? `${counted(written.length, 'file')} fetched.` : 'Nothing was fetched.'],
    run: { inputs: [], settings: { tasks } },
  };
}

/** What is there, what would be fetched, and what is to be done by hand. */
function planLines(
  { folder, files, byHand, found }: DownloadPlan,
  { shown, style }: Pick<Shell, 'shown' | 'style'>,
): string[] {
  const of = (wanted: PlannedFile['state']): readonly PlannedFile[] => files.filter(({ state }) => state === wanted);
  const names = [...of('there').map(({ file }) => file), ...found];
  return [
    ...(names.length === 0 ? [] : [`In ${shown(folder)}: ${names.join(', ')}`, '']),
    ...of('other').map(({ file }) => `${file} is there and is another file; it is kept. Rename it to fetch this one.`),
    ...of('missing').flatMap(({ task, file, url, bytes, sha256, member }) => [
      `${style.bold(file)}  ${formatBytes(bytes)}`,
      `  from     ${url}${member === undefined ? '' : ` (${member} in it)`}`,
      `  by       ${SOURCES[task].from}`,
      `  license  ${SOURCES[task].licence}`,
      `  SHA-256  ${sha256}`,
    ]),
    ...byHand.flatMap(({ title, from, licence, byHand: how }) => [
      `${style.bold(title)}  by hand`,
      `  by       ${from}`,
      `  license  ${licence}`,
      `  how      ${how}`,
    ]),
    ...(byHand.length > 0 || of('missing').length > 0 ? [''] : []),
  ];
}

/** @throws UsageError without a terminal; CancelledError */
function agreesTo(files: number, bytes: number, json: boolean, { job: { signal } }: Shell): Promise<boolean> {
  const what = `${counted(files, 'file')} (${formatBytes(bytes)})`;
  const why = `fetching ${what} needs your consent`;
  const refusal = new UsageError('Nothing was fetched', why, 'Add --yes if you agree to the licenses.');
  return agrees(`Fetch ${what}?`, refusal, { json, signal });
}
