/** A forecast of speculative decoding for display. */
import { basename } from 'node:path';
import { RUNTIME_FACTS } from '../../engine/draft/runtimes';
import type { DraftDigest, DraftRowDigest } from '../../engine/records/draft-digest';
import { defined } from '../../format/defined';
import { type Read, readAs } from '../read-result';
import { type DraftCandidate, type DraftResult, draftResult } from '../results/draft';

/** Undefined for a result without its main numbers. */
export function draftOf(results: unknown): DraftDigest | undefined {
  const { target, runtime, text, costs, perfect, ...more } = readAs(draftResult, results) ?? {};
  const { verdict, why = '', chosen, candidates = [], out } = more;
  // A later version may know more programs.
  if (runtime?.name === undefined || !Object.hasOwn(RUNTIME_FACTS, runtime.name) || verdict === undefined)
    return undefined;
  const rows = candidates.flatMap(rowOf);
  const best = chosen ? rowOf(chosen) : [];
  // The best may be a draft that was measured again, under a name of its own.
  const drafts = [...rows, ...best.filter(({ name }) => rows.every((row) => row.name !== name))];
  return defined({
    ...{ program: runtime.name, title: RUNTIME_FACTS[runtime.name].title, version: runtime.version ?? undefined },
    ...{ type: target?.type ?? 'stored', bytes: target?.bytes },
    text: {
      ...{ source: text?.source ?? '', prompts: text?.prompts ?? 0, heldOut: text?.heldOut ?? 0 },
      ...{ tokens: text?.tokens ?? 0, temperature: text?.temperature ?? 0 },
    },
    costs: costsOf(costs),
    perfect: perfectOf(perfect),
    drafts,
    chosen: best.at(0)?.name,
    heldOutSpeedup: chosen?.speedupHeldOut ?? undefined,
    ...{ verdict, why },
    written: typeof out === 'string' ? basename(out) : undefined,
    verified: verifiedOf(more.verified),
  });
}

/** One without its name or a number of its curve is left out. */
function rowOf(candidate: Read<DraftCandidate>): DraftRowDigest[] {
  const { name, agree, length, tokensPerRound, byLength = [], ...more } = candidate;
  if (name === undefined || agree === undefined || length === undefined || tokensPerRound === undefined) return [];
  const { trivial = false, healed = false, bytes, c = null, overlap, threshold = 0, speedup = null, range } = more;
  const [low, high] = range ?? [];
  const points = byLength.flatMap((each) =>
    each.length === undefined || each.tokensPerRound === undefined
      ? []
      : [{ length: each.length, tokensPerRound: each.tokensPerRound, speedup: each.speedup ?? null }],
  );
  return [
    defined({
      ...{ name, trivial, healed, bytes, c, agree, overlap, length, threshold, tokensPerRound, speedup },
      // Times that were given do not vary.
      range: low === undefined || high === undefined || low === high ? undefined : ([low, high] as const),
      byLength: points.sort((a, b) => a.length - b.length),
    }),
  ];
}

function costsOf(costs: Read<DraftResult['costs']> | undefined): DraftDigest['costs'] {
  const { rows = [], v = [], measuredIn, runs = 0 } = costs ?? {};
  if (rows.length === 0 || rows.length !== v.length) return undefined;
  return defined({ rows, v, measuredIn: measuredIn ?? undefined, runs: runs > 0 ? runs : undefined });
}

function perfectOf(perfect: Read<DraftResult['perfect']> | undefined): DraftDigest['perfect'] {
  const { length, speedup } = perfect ?? {};
  return length === undefined || speedup === undefined ? undefined : { length, speedup };
}

function verifiedOf(verified: Read<DraftResult['verified']> | undefined): DraftDigest['verified'] {
  const { by = '', texts, textsEqual, rounds, forecastRounds } = verified ?? {};
  if (texts === undefined || textsEqual === undefined) return undefined;
  return { by, texts, textsEqual, rounds: rounds ?? 0, forecastRounds: forecastRounds ?? 0 };
}
