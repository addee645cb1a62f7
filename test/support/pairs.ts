/** Pairs for tests: the reference's drafts of the shared toy model, and how a job's context writes them. */
import { readFileSync } from 'node:fs';
import { partRunner } from '../../src/jobs/run-job';
import type { JobContext } from '../../src/jobs/run';
import { shared } from './shared';

/** A forecast of the reference. */
interface GoldenForecast {
  readonly length: number;
  readonly threshold: number;
  /** Of each text. */
  readonly rounds: readonly number[];
}

export interface GoldenDraft {
  readonly removed: readonly number[];
  readonly bits: string | null;
  readonly forecast: readonly GoldenForecast[];
}

export interface GoldenDrafts {
  readonly prompts: readonly { readonly prompt: readonly number[]; readonly ids: readonly number[] }[];
  readonly drafts: readonly GoldenDraft[];
}

export const goldenDrafts = (): GoldenDrafts =>
  JSON.parse(readFileSync(shared('golden/drafts/drafts.json'), 'utf8')) as GoldenDrafts;

/** The texts of the model, and the passes that the reference forecasts for a draft. */
export function goldenTexts(removed: readonly number[], bits: string | null, length: number, threshold = 0) {
  const { prompts, drafts } = goldenDrafts();
  const draft = drafts.find((each) => each.removed.join() === removed.join() && each.bits === bits);
  const found = draft?.forecast.find((each) => each.length === length && each.threshold === threshold);
  if (!found) throw new Error(`the reference has no draft without ${removed.join()}, ${bits}, of ${length}`);
  return prompts.map(({ prompt, ids }, i) => ({ prompt, ids, rounds: found.rounds[i] }));
}

/** The context of a job in this process. */
export function contextOf(): JobContext & { readonly notes: string[] } {
  const notes: string[] = [];
  const whole = {
    job: {},
    hooks: {},
    note: (text: string) => notes.push(text),
    warn: (text: string) => notes.push(text),
  };
  return { ...whole, emit: () => undefined, started: new Date(), run: partRunner(whole), notes };
}
