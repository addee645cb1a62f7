/**
 * What VS Code calls inside the extension host: mocha over the bundled files of one suite. The counts go into a file,
 * because an exit code of 0 is also what a host leaves that was ended from within.
 */
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import Mocha from 'mocha';
// @ts-expect-error -- plain JavaScript, shared with the reporter of the other parts
import { watchTimes } from '../../support/test-times.mjs';
import { tellFailure } from './failure';

const TIMEOUT_MS = 60_000;

export async function run(): Promise<void> {
  const { COPPICE_HOST_TESTS: tests, COPPICE_HOST_BUILT: built } = process.env;
  const resultFile = process.env.COPPICE_HOST_RESULT!;
  const files = JSON.parse(process.env.COPPICE_HOST_FILES!) as string[];
  const mocha = new Mocha({ ui: 'bdd', color: false, timeout: TIMEOUT_MS, forbidOnly: true });
  mocha.suite.afterEach(async function () {
    if (this.currentTest?.state === 'failed') await tellFailure(this.currentTest.fullTitle());
  });
  const sources = new Map<string, string>();
  for (const source of files) {
    const bundled = join(built!, `${relative(tests!, source).slice(0, -'.ts'.length)}.cjs`);
    sources.set(bundled, source);
    mocha.addFile(bundled);
  }
  await new Promise<void>((resolve, reject) => {
    const runner = mocha.run((failures) => (failures > 0 ? reject(new Error(`${failures} failed`)) : resolve()));
    const times = (watchTimes as (runner: Mocha.Runner) => object)(runner);
    const loaded = new Set<string>();
    runner.suite.eachTest((test: Mocha.Test) => loaded.add(sources.get(test.file ?? '') ?? ''));
    const result = {
      registered: runner.total,
      passed: 0,
      failed: 0,
      skipped: 0,
      files: [...loaded],
      ended: false,
      times,
    };
    const write = (): void => writeFileSync(resultFile, JSON.stringify(result));
    write();
    runner.on('pass', () => result.passed++);
    runner.on('fail', () => result.failed++);
    runner.on('pending', () => result.skipped++);
    runner.on('end', () => {
      result.ended = true;
      write();
    });
  });
}
