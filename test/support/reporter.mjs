/**
 * Mocha's `spec` reporter that also leaves its counts in the file COPPICE_TEST_RESULT, where test/run.mjs adds them up, and how
 * long what took. A test that was registered but never ran (its hook failed, the process died) is told apart from one that was
 * skipped.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers';
import Mocha from 'mocha';
import { sourceOf } from './bundle.mjs';
import { failureOf } from './failures.mjs';
import { watchTimes } from './test-times.mjs';

/** How long a finished part may stay alive; what keeps it alive then is a leak of the code or of its tests. */
const GRACE_MS = 20_000;

/** Where the tests are that test/run.mjs has bundled. */
const bundle = process.env.COPPICE_TEST_BUNDLE;

/** Gives everything in a suite the file that it was bundled from. */
function nameSources(suite) {
  for (const each of [...suite.suites, ...suite.tests]) each.file = sourceOf(bundle, each.file);
  suite.suites.forEach(nameSources);
}

export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.COPPICE_TEST_RESULT;
    if (file === undefined) return;
    if (bundle !== undefined) nameSources(runner.suite);
    const result = {
      registered: runner.total,
      passed: 0,
      skipped: 0,
      failures: [],
      files: [],
      ended: false,
      leaked: [],
    };
    result.times = watchTimes(runner);
    const files = new Set();
    runner.suite.eachTest((test) => files.add(test.file));
    result.files = [...files];
    const write = () => writeFileSync(file, JSON.stringify(result));
    write(); // so that a crash half-way still tells how many tests there should have been

    runner.on('pass', () => result.passed++);
    runner.on('fail', (test, error) => result.failures.push(failureOf(test, error))); // hooks too
    runner.on('pending', () => result.skipped++);
    runner.on('suite end', write);
    runner.on('end', () => {
      result.ended = true;
      write();
      const timer = setTimeout(() => {
        result.leaked = process.getActiveResourcesInfo();
        write();
        process.exit(1);
      }, GRACE_MS);
      timer.unref(); // fires only if something else keeps the process alive
    });
  }
}
