/** Runs kubectl, which knows the cluster and who the user is there. */
import { execFile } from 'node:child_process';
import { UserError } from '../../engine/errors';

/** A cluster that says nothing for so long is not reached. */
const TIMEOUT_MS = 60_000;
/** Pods of 10 000 parts have some 5 KB each. */
const MAX_OUTPUT = 256 * 2 ** 20;

/** What kubectl says where it reaches no cluster. */
const UNREACHABLE = /dial tcp|connection to the server|no such host|unable to connect|i\/o timeout|no configuration/i;

/** kubectl, or the cluster behind it, cannot be asked from here. */
export class NoKubectl extends UserError {}

/**
 * @param args after `kubectl`
 * @returns what it prints
 * @throws NoKubectl when kubectl is not installed, or does not answer in time
 * @throws UserError with its own words when it refuses
 */
export function kubectl(args: readonly string[], what: string): Promise<string> {
  return new Promise((done, fail) => {
    execFile(
      'kubectl',
      args,
      { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT, encoding: 'utf8', windowsHide: true },
      (error, stdout, stderr) => {
        if (!error) done(stdout);
        else fail(failureOf(error, stderr, what));
      },
    );
  });
}

function failureOf(
  error: Error & { readonly code?: unknown; readonly killed?: boolean },
  stderr: string,
  what: string,
): UserError {
  const cause = { cause: error };
  if (error.code === 'ENOENT') {
    const action =
      'Install kubectl, or only write the manifest (--write) and hand it over from a machine that has kubectl.';
    return new NoKubectl(what, 'kubectl is not on this machine', action, cause);
  }
  if (error.killed) {
    const why = `kubectl had no answer in ${TIMEOUT_MS / 1000} seconds`;
    return new NoKubectl(what, why, 'Try `kubectl get jobs` here.', cause);
  }
  const said = stderr
    .trim()
    .split('\n')
    .at(-1)!
    .replace(/^error: /i, '');
  // What it advises against a cluster that is not there would not help.
  const why = (said === '' ? error.message : said).split('; if you choose')[0];
  if (UNREACHABLE.test(stderr)) return new NoKubectl(what, why, 'Try `kubectl get jobs` here.', cause);
  return new UserError(what, why, 'Do what kubectl says, and try again.', cause);
}
