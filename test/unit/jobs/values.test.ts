/** Values of options, read from the text of the command line. */
import assert from 'node:assert/strict';
import { InvalidValue, parseBytes, parseNumber, parseValue, parseWhole } from '../../../src/jobs/values';
import type { ValueKind } from '../../../src/jobs/option';
import { JOBS } from '../../../src/jobs/definitions';

const parseMemory = parseBytes;
const parseCount = (text: string): number => parseWhole(text);
const parseSeed = (text: string): number => parseWhole(text, 0, 0xffffffff);
const parsePositive = (text: string): number => parseNumber(text, { above: 0 });
const parseFraction =
  (open: boolean) =>
  (text: string): number =>
    parseNumber(text, { above: 0, ...(open ? { below: 1 } : { max: 1 }) });
const parseIds = (text: string): unknown => parseValue(JOBS.generate.options.ids.kind, text);

function assertRefuses(parse: (text: string) => unknown, ...texts: string[]): void {
  for (const text of texts) assert.throws(() => parse(text), InvalidValue, JSON.stringify(text));
}

describe('options of jobs: values', () => {
  it('reads sizes in decimal and binary units', () => {
    assert.equal(parseMemory('2GB'), 2e9);
    assert.equal(parseMemory('2g'), 2e9);
    assert.equal(parseMemory('1.5GiB'), 1.5 * 2 ** 30);
    assert.equal(parseMemory('800MiB'), 800 * 2 ** 20);
    assert.equal(parseMemory('1000000'), 1e6);
    assertRefuses(parseMemory, '', '0', '999kB', '-1GB', '2 GB or so', 'GB', '1e9', '99999999999TB', '5iB');
  });

  it('reads counts and seeds', () => {
    assert.equal(parseCount('12'), 12);
    assertRefuses(parseCount, '0', '-1', '1.5', '', 'six', '1e3', '99999999999999999');
    assert.equal(parseSeed('0'), 0);
    assert.equal(parseSeed('4294967295'), 4294967295);
    assertRefuses(parseSeed, '4294967296', '-1', 'x');
  });

  it('says which numbers are valid', () => {
    const { weightDecay, betas, dropout, lr } = JOBS.retrain.options;
    const valid: readonly (readonly [kind: ValueKind, words: RegExp])[] = [
      [lr.kind, /^It must be a number above 0\.$/],
      [weightDecay.kind, /^It must be a number of at least 0\.$/],
      [dropout.kind, /^It must be at least 0 and below 1\.$/],
      [betas.kind, /two numbers of at least 0 and below 1, such as 0\.9,0\.999\.$/],
    ];
    for (const [kind, message] of valid) assert.throws(() => parseValue(kind, '-1'), { name: 'InvalidValue', message });
  });

  it('reads fractions and positive numbers', () => {
    assert.equal(parsePositive('0.7'), 0.7);
    assert.equal(parsePositive('.5'), 0.5);
    assertRefuses(parsePositive, '0', '-1', 'Infinity', 'NaN', '', '0x10');
    assert.equal(parseFraction(false)('1'), 1);
    assertRefuses(parseFraction(true), '1', '0', '1.2');
  });

  it('reads token ids', () => {
    assert.deepEqual(parseIds('1, 403,0'), [1, 403, 0]);
    assertRefuses(parseIds, '', '1,', '1 2', '-1');
  });
});
