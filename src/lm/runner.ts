/** Runs jobs of agents in the sidecar, as commands do: with the settings, in the status bar, with what they find in the view. */
import { defined } from '../format/defined';
import { onApplication } from '../host/ask/application-text';
import type { Coppice } from '../host/coppice';
import { keepGivenFiles } from '../host/given-files';
import { showAgentsEnd } from '../host/jobs/after';
import type { JobRunner } from '../jobs/runner';
import type { JobSpec } from '../protocol/jobs';

export function sidecarRunner(coppice: Coppice): JobRunner {
  return async (spec, { signal, onProgress } = {}) => {
    const complete = onApplication(coppice, { ...coppice.config.compute, ...spec } as JobSpec);
    void keepGivenFiles(coppice, complete);
    const outcome = await coppice.sidecar.run(complete, {
      ...defined({ signal, onProgress }),
    });
    await showAgentsEnd(coppice, complete, outcome);
    return outcome; // of this kind, which the client's type does not say of a spec of any kind
  };
}
