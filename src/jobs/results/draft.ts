/** The result of "draft": what a draft would do for a model, forecast from one pass over the model's own text. */
import { PAIR_TYPES, RUNTIMES } from '../../engine/draft/runtimes';
import {
  flag,
  list,
  nullable,
  number,
  numbers,
  oneOf,
  optional,
  pair,
  real,
  seconds,
  shape,
  text,
  whole,
  type ValueOf,
} from '../result';
import { removed } from './common';

const type = oneOf([...PAIR_TYPES, 'stored'], 'type of the weights; stored: each as the model has it');
const speedup = nullable(number('times as fast as the model alone; null where no cost is known', { better: 'more' }));

const setting = shape(
  {
    length: whole('the most tokens that are proposed at once'),
    rounds: number('passes of the model', { better: 'less' }),
    accepted: number('proposed tokens that it takes', { better: 'more' }),
    drafted: number('proposed tokens'),
    tokensPerRound: number('tokens of a pass of the model', { better: 'more' }),
    speedup,
  },
  'what comes of a length, without a threshold',
);

const candidateFields = {
  name: text('its type, the blocks that it lacks, or the name of another model'),
  model: nullable(text('another model, as it was given; null for the model itself')),
  removed,
  type,
  healed: flag('whether its weights are healed'),
  trivial: flag('whether it is the model itself, in fewer bits'),
  bytes: whole('bytes of its weights', { unit: 'bytes', better: 'less' }),
  c: nullable(number('time of its pass over that of the model’s; null where it is not known', { better: 'less' })),
  agree: number('mean chance that its token is taken', { better: 'more' }),
  overlap: real<number>('mean share of probability that both models have in common', { better: 'more' }),
  length: whole('the best length: the most tokens that are proposed at once'),
  threshold: number('a token that the draft finds less likely ends what it proposes; 0 for no such limit'),
  tokensPerRound: number('tokens of a pass of the model, with these two', { better: 'more' }),
  speedup,
  range: optional(pair(number('times as fast'), 'the speed-up as far as the measured times vary')),
  byLength: list(setting, 'what comes of every length'),
};
const candidate = shape(candidateFields, 'a draft, and what comes of it');

export const BLAMES = ['agreement', 'draftCost', 'rows', 'vocabulary'] as const;

export const pairVerified = shape(
  {
    by: text('the program that ran the pair'),
    texts: whole('texts that it wrote'),
    textsEqual: whole('those that are the model’s own', { better: 'more' }),
    textsOther: optional(
      whole('texts that the model itself writes otherwise in that program; their passes are in neither number'),
    ),
    rounds: whole('passes of the model that it took'),
    forecastRounds: whole('passes that were forecast'),
  },
  'what the written pair did',
);

export const draftResult = shape(
  {
    target: shape(
      { path: text('the model'), type, bytes: whole('bytes of its weights', { unit: 'bytes' }) },
      'the model whose text it is',
    ),
    runtime: shape(
      { name: oneOf(RUNTIMES, 'its name'), version: nullable(text('its version; null where it was not run')) },
      'the program that would run both',
    ),
    text: shape(
      {
        prompts: whole('prompts'),
        heldOut: whole('those of them that decide nothing, and are judged at the end'),
        tokens: whole('tokens that the model wrote'),
        source: text('name of the file of prompts'),
        temperature: number('0: the most likely token each time'),
        rule: oneOf(['greedy', 'match', 'rejection'], 'when a proposed token is taken'),
      },
      'the text that is forecast',
    ),
    costs: nullable(
      shape(
        {
          rows: numbers('rows that the model reads at once'),
          v: numbers('its time for them, over that for one row'),
          headShare: number('share of the head in the bytes that a pass reads'),
          runs: whole('measurements of each; 0 where they were given'),
          measuredIn: nullable(text('the program that was timed; null where the costs were given')),
        },
        'what passes cost',
      ),
    ),
    perfect: nullable(
      shape(
        { length: whole('its length'), speedup: number('times as fast') },
        'a draft of the cheapest kind that is always right: more than any can gain',
      ),
    ),
    candidates: list(candidate, 'the drafts, in the order in which they were asked for'),
    chosen: nullable(
      shape(
        {
          ...candidateFields,
          speedupHeldOut: nullable(number('the same on the prompts held out; null without any', { better: 'more' })),
        },
        'the best draft; null if none was forecast',
      ),
    ),
    verdict: oneOf(
      ['pays', 'written', 'refused'],
      'pays: it gains, and nothing was to be written; written; refused: it does not gain enough',
    ),
    blame: nullable(oneOf(BLAMES, 'the number that is to blame for a refusal')),
    why: text('the verdict in a sentence or two'),
    out: nullable(text('the folder of the pair, absolute')),
    files: list(text('a file of the pair'), 'the files of the pair'),
    verified: nullable(pairVerified),
    seconds: seconds('seconds of the whole job'),
  },
  'what a draft would do',
);
export type DraftResult = ValueOf<typeof draftResult>;
export type DraftCandidate = ValueOf<typeof candidate>;
export type PairVerified = ValueOf<typeof pairVerified>;
