/**
 * Results are those of the command line, whose types have names for numbers that JSON has no notation for: "Infinity". In a
 * process every number is a number, and the library's types say so.
 */
import assert from 'node:assert/strict';
import type { Kind, ResultFor } from '../../../src/jobs/kinds';
import type { RunResult } from '../../../src/jobs/runs';
import { sourcesIn, textOf } from '../house/repository';

type Name = 'Infinity' | '-Infinity' | 'NaN';
type WithNumbers<T> = T extends Name ? never : T extends object ? { [N in keyof T]: WithNumbers<T[N]> } : T;

/** Jobs whose runs do not use the types of the command line: the compiler checks that their numbers are numbers. */
type Own = 'score' | 'curve' | 'iterate' | 'retrain' | 'merge' | 'bench' | 'grid' | 'tasks';
/** A healing before it is a job of its own. */
type WithoutHealing<T> = T extends { healing?: unknown } ? Omit<T, 'healing'> : T;
const NUMBERS: {
  readonly [K in Own & Kind]: WithoutHealing<RunResult<K>> extends WithNumbers<WithoutHealing<ResultFor<K>>>
    ? true
    : never;
} = {
  score: true,
  curve: true,
  iterate: true,
  retrain: true,
  merge: true,
  bench: true,
  grid: true,
  tasks: true,
};

describe('results of the library', () => {
  it('have numbers where JSON has their names', () => {
    assert.ok(Object.values(NUMBERS).every(Boolean));
    // Of the other jobs: what computes neither writes such a name nor takes one from a file as it is.
    const computing = [...sourcesIn('src/engine'), ...sourcesIn('src/jobs')].filter(
      (file) => !/^src\/(engine\/records|jobs\/digest)\//.test(file), // what is shown of records has names
    );
    const parsing = /value === 'Infinity' \|\| value === '-Infinity' \|\| value === 'NaN' \? Number\(value\) : value/g;
    const named = computing.filter((file) =>
      /['"`]-?(Infinity|NaN)['"`]|\bjsonNumber\b/.test(textOf(file).replace(parsing, '')),
    );
    assert.deepEqual(named, []);
    assert.match(textOf('src/format/json.ts'), /'Infinity'/);
  });
});
