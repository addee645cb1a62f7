/**
 * What VS Code calls inside the extension host: mocha over the bundled files of one suite. The counts go into a file,
 * because an exit code of 0 is also what a host leaves that was ended from within.
 */
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import Mocha from 'mocha';
// @ts-expect-error -- plain JavaScript, shared with the reporter of the other parts
import { watchTimes } from '../../support/test-times.mjs';
// @ts-expect-error -- as above
import { failureOf as tellError } from '../../support/failures.mjs';
import { tellFailure } from './failure';

const TIMEOUT_MS = 60_000;

type TellError = (test: Mocha.Runnable, error: unknown) => string;

/** Of one file. A hook that failed is a failure, the tests that it kept from running are registered only. */
interface Counts {
  registered: number;
  passed: number;
  skipped: number;
  failures: string[];
}

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
    const result = { files: {} as Record<string, Counts>, ended: false, times };
    /** What became of the tests of the file that this test or hook stands in. */
    const counts = ({ file }: Mocha.Runnable): Counts =>
      (result.files[sources.get(file ?? '') ?? ''] ??= { registered: 0, passed: 0, skipped: 0, failures: [] });
    runner.suite.eachTest((test: Mocha.Test) => counts(test).registered++);
    const write = (): void => writeFileSync(resultFile, JSON.stringify(result));
    write();
    runner.on('pass', (test) => counts(test).passed++);
    runner.on('fail', (test, error: unknown) => counts(test).failures.push((tellError as TellError)(test, error)));
    runner.on('pending', (test) => counts(test).skipped++);
    runner.on('end', () => {
      result.ended = true;
      write();
    });
  });
}
