/** The programs that ran a written file, of exports and verifications, and what came of it in words. */
import { basename } from 'node:path';
import type { JsonObject } from '../../format/json';
import { counted } from '../../format/words';
import type { RanDigest } from './digest-types';
import { finite, objects, text } from './fields';

/** Undefined where no program was tried. */
export function ranOf({ out, consumers }: JsonObject): RanDigest | undefined {
  const programs = objects(consumers).flatMap(({ name, version, of, tokens, equal, firstDifference, failure }) => {
    const [program, compared] = [text(name), finite(tokens)];
    if (program === undefined) return [];
    const same = equal === true ? compared : finite(firstDifference);
    return [
      {
        name: [program, text(version)].filter(Boolean).join(' '),
        of: text(of) ?? '',
        ...(failure !== undefined && { failed: true as const }),
        ...(compared !== null && same !== null && { tokens: compared, same }),
      },
    ];
  });
  return programs.length === 0 ? undefined : { file: basename(text(out) ?? ''), programs };
}

/** "llama.cpp 3.22.1 (16 of 16 tokens the same), transformers.js 4.3.1 on q4 (…)" */
export const ranWords = (programs: RanDigest['programs']): string =>
  programs.map((each) => `${each.name}${placeOf(each)} (${outcomeOf(each)})`).join(', ');

/** A GGUF file has one model. */
const placeOf = ({ of }: RanDigest['programs'][number]): string =>
  of === '' || of.startsWith('gguf') ? '' : ` on ${of}`;

/** Reasons of failures are in the record: they have paths of the machine. */
function outcomeOf({ tokens, same, failed }: RanDigest['programs'][number]): string {
  if (failed) return 'did not run';
  // Tokens that are nearly as likely as others are not compared.
  if (tokens === undefined || same === undefined || tokens === 0) return 'no tokens compared';
  return `${same} of ${counted(tokens, 'token')} the same`;
}
