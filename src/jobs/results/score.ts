/** The results of "score" and "curve". */
import { FEED_FORWARD_KINDS, MIXER_KINDS } from '../../engine/checkpoint/block-kinds';
import { CRITERIA } from '../../engine/importance/criteria';
import { MODULE_COSTS } from '../../engine/importance/module-cost';
import { OBJECTIVES } from '../../engine/importance/objective';
import { PRECISIONS } from '../../engine/precision';
import { BOS_MODES } from '../../format/bos';
import { ALL_SHARES } from '../../format/text-share';
import {
  either,
  flag,
  list,
  nullable,
  number,
  oneOf,
  optional,
  real,
  seconds,
  shape,
  text,
  whole,
  type ValueOf,
} from '../result';
import {
  computed,
  device,
  half,
  kl,
  meanNll,
  measuredText,
  modelRead,
  paired,
  ppl,
  precision,
  removed,
  removedBlocks,
  top1,
} from './common';

const criterion = oneOf(CRITERIA, 'the criterion');

/** What a score comes with. */
const scored = {
  score: real('how much it matters', { better: 'more' }),
  ppl: optional({ ...ppl, words: 'of ppl and kl: perplexity of the model without it' }),
  meanNll: optional({ ...meanNll, words: 'of ppl and kl: mean loss of the model without it' }),
  kl: optional({ ...kl, words: 'of kl: the same as the score' }),
  low: optional(real('of ppl and kl: lower end of a 95 % bootstrap interval of the score')),
  high: optional(real('its upper end')),
  pairedLow: optional(real('of ppl and kl: lower end of a 95 % interval beside the original on the same rows')),
  pairedHigh: optional(real('its upper end')),
  jointLow: optional(real('of ppl and kl: lower end of the interval that holds for all parts at once')),
  jointHigh: optional(real('its upper end')),
  precision: optional({ ...precision, words: 'of ppl and kl: the arithmetic of these numbers' }),
  margin: optional(real('of a screened part: how far its number in float32 may be from this one', { unit: 'nats' })),
  readRows: optional(
    whole('of a part that dropped out of a race: rows it was measured on; its numbers are estimates for all'),
  ),
};

const race = shape(
  {
    confidence: number('the probability, at least, that the wanted parts are those of all rows'),
    wanted: whole('how many of the least important parts are wanted; in turn, in each round'),
    dropped: whole('parts that dropped out, of all rounds'),
    read: number('rows that were read, as a share of the rows of all parts'),
  },
  'where parts dropped out of a race: they are certainly not among the wanted ones',
);

const block = shape({ index: whole('the block'), ...scored }, 'the score of a block');
const halves = {
  block: whole('the block'),
  part: half,
};

const kinds = shape(
  {
    block: whole('the block'),
    attention: oneOf(MIXER_KINDS, 'the kind of its mixer, which results call attention whatever it is'),
    ffn: oneOf(FEED_FORWARD_KINDS, 'the kind of its FFN'),
    halves: optional(list(oneOf(MIXER_KINDS, 'a kind'), 'of a parallel mixer: what computes side by side')),
  },
  'the kinds of a block',
);

export const calibration = shape(
  {
    source: text('name of the text'),
    sha256: text('SHA-256 of the file'),
    samples: whole('rows'),
    length: whole('tokens of a row'),
    seed: whole('seed of their choice'),
    share: optional(oneOf(ALL_SHARES, 'the share of the text; all of it when absent')),
    method: oneOf(['documents', 'windows', 'rows'], 'how rows are drawn'),
    bos: optional(oneOf(BOS_MODES, 'where the begin-of-text token is; absent for rows of ids')),
    usualBos: optional(flag('that is where auto has it')),
  },
  'the calibration text',
);
export type CalibrationInfo = ValueOf<typeof calibration>;

const set = {
  blocks: { ...removedBlocks, words: 'the set, ascending' },
  kl: { ...kl, words: 'its KL divergence' },
  meanNll: { ...meanNll, words: 'its mean loss' },
};

const course = {
  ppl: { ...ppl, words: 'its perplexity' },
  trajectory: list(
    shape({ generation: whole('the generation'), kl }, 'a generation'),
    'KL divergence of the best set after each generation',
  ),
  sets: whole('sets that were measured'),
  seconds: seconds('seconds after the start'),
  ended: oneOf(['time', 'generations', 'cancelled', 'exhausted'], 'what ended it'),
};

const search = shape({ ...set, ...course, start: shape(set, 'where it started') }, 'of search: the set that it found');

const moduleSet = {
  removed,
  saves: real('what it saves, in bytes, or in seconds over some rows'),
  kl: set.kl,
  meanNll: set.meanNll,
};

const moduleSearch = shape(
  { ...moduleSet, ...course, start: shape(moduleSet, 'where it started') },
  'of search by module: the set that it found, which no checkpoint can be written without',
);

const finalist = {
  ...set,
  energy: real('its energy: KL divergence to the second order, from single blocks and pairs', { unit: 'nats' }),
  healed: optional({ ...kl, words: 'KL divergence after a quick healing, on rows that were not fitted' }),
};

const energy = shape(
  {
    ...finalist,
    ppl: { ...ppl, words: 'its perplexity' },
    ranked: nullable(
      whole('sets whose energy was compared: all of that size; null where annealing looked for the best'),
    ),
    pairs: shape({ rows: whole('rows'), precision }, 'how single blocks and pairs were measured for the energy'),
    finalists: list(shape(finalist, 'a set'), 'the nearest of the sets of least energy, the nearest first'),
  },
  'of energy: the set that was chosen',
);

const within = shape(
  {
    maxKl: number('the limit', { unit: 'nats' }),
    count: whole('blocks that can go'),
    removed: removedBlocks,
    kl: { ...kl, words: 'what their removal costs' },
  },
  'as many blocks as keep KL divergence under a limit',
);

const share = shape(
  {
    ratio: number('the share that was asked for'),
    removed,
    parameters: whole('parameters that are left'),
  },
  'the least important parts that are at most a share of all parameters',
);
export type ShareInfo = ValueOf<typeof share>;

const file = (words: string) => shape({ name: text('its name'), sha256: optional(text('SHA-256 of the file')) }, words);

const fit = { begins: flag('a begin-of-text token is before each row'), ppl: number('perplexity') };

export const scoreResult = shape(
  {
    criterion,
    model: modelRead,
    kinds: optional(list(kinds, 'what each block of the model is made of')),
    removed: optional(removed),
    adapter: optional(file('the adapter')),
    patch: optional(file('healed weights')),
    width: optional(file('the width that is kept')),
    full: nullable(
      shape(
        { ppl, meanNll, kl: optional(kl), tokens: whole('tokens that were predicted') },
        'the model with nothing removed; null if it was not measured',
      ),
    ),
    unfit: optional(
      shape(
        {
          rows: whole('rows that were measured'),
          ppl: number('their perplexity'),
          other: optional(shape(fit, 'the same tokens with the other beginning')),
          limit: number('above this, the model does not know the text'),
        },
        'only where the original does not fit the text, so that the scores mean little',
      ),
    ),
    blocks: optional(list(block, 'scores of blocks')),
    modules: optional(list(shape({ ...halves, ...scored }, 'the score of a half'), 'scores of attention and FFN')),
    order: optional(
      either(
        list(whole('a block'), 'blocks'),
        list(shape(halves, 'half of a block'), 'halves of blocks'),
        'from least to most important',
      ),
    ),
    windows: optional(
      list(
        shape({ start: whole('its first block'), size: whole('its blocks'), score: scored.score }, 'a run of blocks'),
        'of angular: runs of blocks that go together',
      ),
    ),
    removals: optional(
      list(
        shape(
          {
            block: whole('the block'),
            part: optional({
              ...halves.part,
              words: 'where modules are removed: which half of it; absent for all of it',
            }),
            meanNll,
            ppl,
            kl: optional(kl),
            saves: optional(real('by module: what it saves, in bytes, or in seconds over some rows')),
          },
          'a removal',
        ),
        'of criteria that remove in turn: in the order of removal',
      ),
    ),
    objective: optional(oneOf(OBJECTIVES, 'of greedy: what the removals keep low')),
    cost: optional(oneOf(MODULE_COSTS, 'by module, in turn or as a set: what the choice saves')),
    leftOut: optional({
      ...removed,
      words: 'by module, in turn or as a set: all that is left out in the end, as the option `--remove` takes it',
    }),
    search: optional(search),
    moduleSearch: optional(moduleSearch),
    energy: optional(energy),
    screen: optional(
      shape(
        {
          precision,
          exact: whole('how many of the least important parts are certain'),
          confirmed: whole('how many were computed in float32'),
          margin: optional(real("bound of the screen's error near the exact part", { unit: 'nats' })),
        },
        'where the model was screened: what is certain',
      ),
    ),
    race: optional(race),
    tensors: optional(
      list(
        shape({ block: whole('the block'), name: text('the tensor'), score: scored.score }, 'a tensor'),
        "of taylor: what each block's score is the sum of",
      ),
    ),
    temporaryBytes: optional(whole('of taylor: size of a temporary file of hidden states', { unit: 'bytes' })),
    zeroStates: optional(whole('hidden states of zeros')),
    calibration: nullable(calibration),
    within: optional(within),
    shares: optional(list(share, 'where shares were given: what makes them up')),
    seconds: computed.seconds,
    device,
    precision: optional(oneOf([...PRECISIONS, 'mixed'], 'the arithmetic; "mixed": parts say their own')),
    peakRssBytes: whole('peak memory of the process', { unit: 'bytes', better: 'less' }),
  },
  'how much every block matters; which fields there are depends on the criterion',
);
export type ScoreResult = ValueOf<typeof scoreResult>;

const taskAccuracy = shape(
  { name: text('the task'), accuracy: real('its reported metric', { better: 'more' }) },
  'a task',
);

const point = shape(
  {
    count: whole('removed blocks'),
    removed: removedBlocks,
    ppl,
    meanNll,
    parameters: whole('parameters that are left'),
    kl: optional(kl),
    top1: optional(top1),
    accuracy: optional(real('of the measure tasks: the average accuracy', { better: 'more' })),
    difference: optional(
      shape(
        {
          difference: { ...real(paired.difference.words), better: 'more' },
          interval: nullable(real(paired.interval.words)),
        },
        'its difference to the first point on the same items',
      ),
    ),
    tasks: optional(list(taskAccuracy, 'the tasks')),
  },
  'the model without so many blocks',
);

export const curveResult = shape(
  {
    criterion,
    model: modelRead,
    points: list(point, 'one for each number of removed blocks, from 0'),
    within: optional(within),
    text: measuredText,
    parametersRead: whole('parameters of the original that are read for a token'),
    ...computed,
  },
  'perplexity against the number of removed blocks',
);
export type CurveResult = ValueOf<typeof curveResult>;
