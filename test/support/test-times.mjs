/** How long the tests of a mocha run take: each file with its hooks, and each test without them. */
import { performance } from 'node:perf_hooks';

/** Shorter tests are not told apart. */
const LEAST_MS = 500;

/**
 * Watches a run from its beginning.
 * @returns what is filled as it goes: milliseconds until the first test, of each file, and of each test that takes a while
 */
export function watchTimes(runner) {
  const times = { loading: performance.now(), files: {}, tests: [] };
  const began = new Map();
  runner.on('suite', (suite) => began.set(suite, performance.now()));
  runner.on('suite end', (suite) => {
    if (!suite.parent?.root) return;
    times.files[suite.file] = (times.files[suite.file] ?? 0) + performance.now() - began.get(suite);
  });
  runner.on('pass', (test) => {
    if (test.duration >= LEAST_MS) times.tests.push({ file: test.file, title: test.fullTitle(), ms: test.duration });
  });
  return times;
}
