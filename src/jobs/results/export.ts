/** The results of "export" and "verify". */
import { EXPORT_FORMATS } from '../../engine/write/formats';
import {
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
import { computed, meanNll, ppl, removedBlocks, sizes } from './common';
import { pairVerified } from './draft';

const tokens = {
  tokens: whole('tokens of a continuation'),
  equal: flag("all are the model's own"),
  firstDifference: optional(whole('the first token that differs, from 0; absent if all are equal')),
};

const compared = {
  positions: whole('compared positions'),
  maxDifference: real('largest difference of two logits', { better: 'less' }),
  relative: real('length of the difference beside that of the logits', { better: 'less' }),
  meanKl: real('mean KL divergence', { unit: 'nats', better: 'less' }),
  top1: number('share of positions with the same next token', { better: 'more' }),
  greedy: shape(tokens, "a continuation beside the model's own"),
};

const verdict = {
  exact: flag('the file has the numbers of the model, so that the logits must be the same'),
  tolerance: number('the largest difference that is accepted: of two logits if exact, else the relative one'),
  passed: flag('it is accepted'),
  why: optional(text('what is wrong')),
};

const kind = shape({ kind: text('the kind'), ...compared, ...verdict }, 'a kind of an ONNX folder');

const verified = shape(
  {
    ...compared,
    weights: optional(
      shape(
        {
          tensors: whole('compared tensors'),
          maxDifference: real('largest difference of two numbers', { better: 'less' }),
          wrong: optional(text('the first tensor that is off')),
        },
        'all weights; absent for ONNX',
      ),
    ),
    ...verdict,
    kinds: optional(list(kind, 'each kind of an ONNX folder; the numbers beside are the worst of them')),
    files: optional(
      shape(
        { checked: whole('files that the record names'), changed: list(text('a name'), 'those with another SHA-256') },
        'the files',
      ),
    ),
  },
  'how the written model compares with its source',
);
export type VerifiedResult = ValueOf<typeof verified>;

const measured = shape(
  {
    type: text('type, or kind of an ONNX model'),
    perplexity: optional(
      shape(
        { ppl: { ...ppl, gate: { limit: 'maxPpl', needs: 'text', of: 'worst' } }, meanNll, tokens: whole('tokens') },
        'of a text',
      ),
    ),
    tokensPerSecond: optional(real('speed of greedy decoding', { unit: 'tokens/s', better: 'more' })),
  },
  'what a written file says to a text, and how fast it writes',
);
export type MeasuredKind = ValueOf<typeof measured>;

const consumer = shape(
  {
    name: text('the program'),
    version: optional(text('its version')),
    of: text('kind of an ONNX model, file name of a GGUF'),
    tokens: optional(tokens.tokens),
    equal: optional(tokens.equal),
    firstDifference: tokens.firstDifference,
    seconds: seconds('seconds that it ran'),
    failure: optional(text('why it did not run; absent if it did')),
  },
  'another program that ran the file',
);
export type ConsumerResult = ValueOf<typeof consumer>;

const format = oneOf(EXPORT_FORMATS, 'the format');
const out = text('the file or folder, absolute');

const exported = shape(
  {
    name: text("below the folder, or the file's own name"),
    bytes: whole('its size', { unit: 'bytes' }),
    sha256: optional(text('SHA-256, of the files of a folder')),
  },
  'a file',
);
export type ExportedFile = ValueOf<typeof exported>;

const finer = shape(
  {
    matrices: whole('matrices'),
    bytes: whole('how many bytes more they have together', { unit: 'bytes' }),
    types: list(
      shape({ from: text('type before'), to: text('type now'), matrices: whole('matrices') }, 'a change'),
      'from what to what',
    ),
  },
  'changed matrices of a GGUF file that are kept in finer types than they had',
);

const imatrix = shape(
  {
    from: text('"auto", or the name of the file'),
    matrices: whole('matrices whose columns it weighs'),
    rows: optional(whole('rows that were read; absent for a file')),
    tokens: optional(whole('tokens of these rows')),
    saved: optional(text('the file that it was kept in, absolute')),
  },
  'the importance matrix that guided the quantizing',
);
export type ImatrixResult = ValueOf<typeof imatrix>;

export const exportResult = shape(
  {
    format,
    type: text('"q8_0", "fp32,q4"; "stored" where each weight keeps its type'),
    out,
    bytes: whole('bytes of all files', { unit: 'bytes', better: 'less' }),
    files: list(exported, 'the files'),
    finer: optional(finer),
    imatrix: optional(imatrix),
    removed: removedBlocks,
    ...sizes,
    verified: nullable(verified),
    measured: optional(list(measured, 'each type or kind')),
    consumers: optional(list(consumer, 'programs that ran it')),
    seconds: computed.seconds,
  },
  'what was written, and how it compares with the model',
);
export type ExportResult = ValueOf<typeof exportResult>;

export const verifyResult = shape(
  {
    format,
    out,
    against: text('the model that it was compared with'),
    removed: removedBlocks,
    verified,
    pair: optional(nullable(pairVerified)),
    consumers: list(consumer, 'programs that ran it'),
    seconds: computed.seconds,
  },
  'how an exported model compares with the model that it was written from',
);
export type VerifyResult = ValueOf<typeof verifyResult>;
