/**
 * Records that an earlier version wrote are shown as that version showed them. Each file of the folder beside has a record and
 * its digest, both made by the program of before results were declared.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRecord } from '../../../src/engine/records/record';
import { digestRecord } from '../../../src/jobs/digest/digest';
import { isObject } from '../../../src/format/json';

const folder = join(import.meta.dirname, 'earlier');

/** What `now` has in the places of `then`: a later version may show more. */
function sameParts(now: unknown, then: unknown): unknown {
  if (Array.isArray(now) && Array.isArray(then) && now.length === then.length)
    return now.map((each, i) => sameParts(each, then[i]));
  if (!isObject(now) || !isObject(then)) return now;
  return Object.fromEntries(Object.entries(then).map(([name, value]) => [name, sameParts(now[name], value)]));
}

describe('records of an earlier version', () => {
  for (const file of readdirSync(folder)) {
    it(`${file} is shown as before`, () => {
      const { record, digest } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
        readonly record: RunRecord;
        readonly digest: object;
      };
      const shown: unknown = JSON.parse(JSON.stringify(digestRecord(record)));
      assert.deepEqual(sameParts(shown, digest), digest);
    });
  }
});
