/** Where the view "Jobs" gets its lines from. */
import * as vscode from 'vscode';
import type { JobsModel } from '../../views/jobs/view';
import type { SidecarClient } from '../../sidecar/client';
import type { CheckpointLibrary } from '../../state/library';
import type { ClusterRuns } from '../cluster/cluster-runs';
import type { FailedJobs } from './failed-jobs';
import type { JobJournal } from './job-journal';
import { isResumed } from './resumed';

interface Parts {
  readonly sidecar: SidecarClient;
  readonly library: CheckpointLibrary;
  readonly cluster: ClusterRuns;
  readonly journal: JobJournal;
  readonly failed: FailedJobs;
  /** Folders of records. */
  readonly folders: () => readonly string[];
}

export function jobsModel({ sidecar, library, cluster, journal, failed, folders }: Parts): JobsModel {
  return {
    sources: () => ({
      jobs: sidecar.jobs,
      isBehind: (id) => sidecar.isBehind(id),
      specOf: (id) => sidecar.specOf(id),
      trainings: library.trainings(),
      stopped: [
        ...journal.stopped.map((spec) => ({ spec, resumes: isResumed(spec) })),
        ...journal.cancelled.map((spec) => ({ spec, resumes: isResumed(spec), cancelled: true })),
      ],
      elsewhere: journal.elsewhere,
      parts: cluster.left.filter((run) => run.failed),
      failed: failed.all,
    }),
    folders,
    onChange: (listener) =>
      vscode.Disposable.from(
        sidecar.onJobs(listener),
        sidecar.onEnded(listener),
        library.onDidChange(listener),
        journal.onChange(listener),
        failed.onChange(listener),
      ),
    onProgress: (listener) => sidecar.onProgress(listener),
  };
}
