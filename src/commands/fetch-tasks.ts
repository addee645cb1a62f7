/**
 * Downloads of known task sets: what the question before one says, and the download, which begins only with a yes. Does not use
 * VS Code.
 */
import { CancelledError } from '../engine/errors';
import { download, type OpenUrl } from '../engine/evaluate/tasks/download';
import type { DownloadPlan } from '../engine/evaluate/tasks/download-plan';
import { SOURCES } from '../engine/evaluate/tasks/sources';
import type { JobOptions } from '../engine/progress';
import { formatBytes } from '../format/numbers';
import { l10n } from '../l10n';

/** What the user agrees to. */
export interface ConsentQuestion {
  readonly question: string;
  /** Each file with its size, host, licence and digest; lines of plain text. */
  readonly detail: string;
}

/** Shown instead of a whole SHA-256: enough to compare by eye. */
const DIGITS = 16;

export function consentQuestion({ files, bytes, folder }: DownloadPlan, shownFolder = folder): ConsentQuestion {
  const { t } = l10n;
  const missing = files.filter(({ state }) => state === 'missing');
  const hosts = [...new Set(missing.map(({ url }) => new URL(url).host))].join(', ');
  const size = formatBytes(bytes);
  return {
    question:
      missing.length === 1
        ? t('Download 1 file ({0}) from {1}?', size, hosts)
        : t('Download {0} files ({1}) from {2}?', missing.length, size, hosts),
    detail: [
      ...missing.map(({ task, file, url, bytes: own, sha256 }) =>
        [
          `${file} · ${formatBytes(own)} · ${new URL(url).host}`,
          t('  by {0}, license {1}', SOURCES[task].from, SOURCES[task].licence),
          `  SHA-256 ${sha256.slice(0, DIGITS)}…`,
        ].join('\n'),
      ),
      t('The files go to {0}. A file with other bytes is refused.', shownFolder),
    ].join('\n'),
  };
}

export interface Fetching {
  /** Asks the user. */
  readonly consent: (question: ConsentQuestion) => Promise<boolean>;
  /** Runs the download, for example with a progress that the user sees. */
  readonly within?: <T>(run: (job: JobOptions) => Promise<T>) => Promise<T>;
  /** Opens a URL; tests have a server of their own. */
  readonly open?: OpenUrl;
  /** The folder as the user knows it. */
  readonly shownFolder?: string;
}

/**
 * Nothing goes to the network before the consent, and nothing at all if all files are there.
 * @returns paths of the files that were written
 * @throws UserError naming file and address; CancelledError without consent
 */
export async function fetchTasks(
  plan: DownloadPlan,
  { consent, within = (run) => run({}), open, shownFolder }: Fetching,
): Promise<readonly string[]> {
  if (plan.files.every(({ state }) => state !== 'missing')) return [];
  if (!(await consent(consentQuestion(plan, shownFolder)))) throw new CancelledError();
  return within((job) => download(plan, job, open));
}
