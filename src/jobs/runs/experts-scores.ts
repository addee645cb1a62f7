/** Scores of experts from an earlier run: its record, or what it printed with --json. */
import { basename } from 'node:path';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { UserError } from '../../engine/errors';
import { readTextFile } from '../../engine/files/text-file';
import type { ExpertCriterion } from '../../engine/importance/experts/criteria';
import { expertScores } from '../../engine/importance/experts/select';
import { option, set } from '../../engine/option-token';
import { fileInput } from '../../engine/records/details';
import { refusePart } from '../../engine/records/part';
import type { RunInput } from '../../engine/records/record';
import { isObject, parseNumbers } from '../../format/json';
import { readAs } from '../read-result';
import { expertsResult } from '../results/experts';
import type { ExpertPlan } from '../../engine/importance/experts/plan';

/** What is known of the experts of one block. */
export interface BlockExperts {
  readonly index: number;
  readonly scores: readonly number[];
  readonly tokens: readonly number[];
  readonly gateMean: readonly number[];
}

export interface ReadExperts {
  readonly blocks: readonly BlockExperts[];
  readonly input: RunInput;
  /** Name of the text that was routed. */
  readonly text?: string;
}

const MAX_BYTES = 64 * 2 ** 20;

/**
 * @throws UserError for a file without such scores, scores of another model or of other blocks, and those of another criterion
 *   that do not tell this one's
 */
export async function readExperts(
  path: string,
  checkpoint: Checkpoint,
  { blocks: wanted, count, removed }: ExpertPlan,
  criterion: ExpertCriterion,
): Promise<ReadExperts> {
  const refuse = (
    why: string,
    action = `Give the record of a run of the job experts, or its output in JSON.`,
  ): UserError => new UserError(`${path} cannot be used as scores of experts`, why, action);
  const { text, sha256 } = await readTextFile(path, MAX_BYTES, 'Scores have a few megabytes at most.');
  let value: unknown;
  try {
    value = parseNumbers(text);
  } catch (error) {
    throw new UserError(`${path} cannot be used as scores of experts`, 'it is not JSON', 'Give another file.', {
      cause: error,
    });
  }
  refusePart(value, `${path} cannot be used as scores of experts`);
  const results = isObject(value) && isObject(value.results) ? value.results : value;
  const read = readAs(expertsResult, results) ?? {};
  if (read.criterion === undefined || read.blocks === undefined) throw refuse('it has no scores of experts');
  if (read.model?.identity !== checkpoint.identity)
    throw refuse('they are the scores of another model', 'Score this checkpoint.');
  const other = (read.removed ?? []).join(', ');
  if (other !== removed.join(', ')) {
    const without = other === '' ? 'no block' : `the blocks ${other}`;
    throw refuse(
      `they are of the model with ${without} left out`,
      `Give the same ${option('remove')}, or score again.`,
    );
  }
  if (read.criterion !== criterion && criterion === 'reap')
    throw refuse(`they are by ${read.criterion}`, `Score again, or ${set('criterion', read.criterion)}.`);
  const byIndex = new Map(read.blocks.map((block) => [block.index, block]));
  const blocks = wanted.map(({ block }): BlockExperts => {
    const { scores = [], tokens = [], gateMean = [] } = byIndex.get(block) ?? {};
    const numbers = [scores, tokens, gateMean].map((list) => list.map(Number).filter(Number.isFinite));
    if (numbers.some(({ length }) => length !== count)) throw refuse(`it has no ${count} scores for block ${block}`);
    const own = { index: block, scores: numbers[0], tokens: numbers[1], gateMean: numbers[2] };
    return read.criterion === criterion ? own : { ...own, scores: byTokens(own, criterion) };
  });
  return { blocks, input: fileInput('scores', path, sha256), text: read.calibration?.name ?? basename(path) };
}

/** Scores that need no more than how many tokens each expert has. */
const byTokens = ({ index, tokens }: Pick<BlockExperts, 'index' | 'tokens'>, criterion: ExpertCriterion): number[] => {
  const none = new Float64Array(tokens.length);
  return expertScores({ block: index, tokens: Float64Array.from(tokens), gates: none, norms: none }, criterion);
};
