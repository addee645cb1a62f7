/**
 * How long the tests of a mocha run take: each file with its hooks, and each test without them. Parts run side by side, so
 * that seconds of the processors say more than those of the clock.
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/** Shorter tests are not told apart. */
const LEAST_MS = 500;

/** What the kernel counts in. */
const TICK_MS = 10;

/** @returns milliseconds of the processors that this process has taken, with its children that have ended (on Linux) */
function processorMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000 + childrenMs();
}

function childrenMs() {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[13]) + Number(fields[14])) * TICK_MS;
  } catch {
    return 0; // another system
  }
}

/** @returns what tells how much time has gone by, in milliseconds: of the clock, and of the processors */
function watch() {
  const [clock, processors] = [performance.now(), processorMs()];
  return () => ({ ms: performance.now() - clock, cpu: processorMs() - processors });
}

/**
 * Watches a run from its beginning.
 * @returns what is filled as it goes: milliseconds until the first test, of each file, and of each test that takes a while
 */
export function watchTimes(runner) {
  const times = { loading: performance.now(), loadingCpu: processorMs(), files: {}, tests: [] };
  const began = new Map();
  runner.on('suite', (suite) => began.set(suite, watch()));
  runner.on('suite end', (suite) => {
    if (!suite.parent?.root) return;
    const { ms, cpu } = began.get(suite)();
    const sum = (times.files[suite.file] ??= { ms: 0, cpu: 0 });
    sum.ms += ms;
    sum.cpu += cpu;
  });
  let took;
  runner.on('test', () => (took = watch()));
  runner.on('pass', (test) => {
    const { cpu } = took?.() ?? { cpu: 0 };
    if (test.duration >= LEAST_MS)
      times.tests.push({ file: test.file, title: test.fullTitle(), ms: test.duration, cpu });
  });
  return times;
}
