/** Scores how much each block matters. */
import { type Criterion, needsCalibration } from '../../engine/importance/criteria';
import type { JsonObject } from '../../format/json';
import { JOBS } from '../../jobs/definitions';
import { l10n } from '../../l10n';
import { askComputing, modelWords, nameOf, opened } from '../confirm';
import { chosen } from '../input';
import { jobTool } from '../job-tool';
import type { AgentContext } from '../tool';

const { score: job } = JOBS;

export const score = jobTool({
  name: 'coppice_score',
  kind: 'score',
  title: () => l10n.t('Score Blocks'),
  description:
    'Scores every Transformer block of a model: how much worse the model gets without it. Use it before coppice_plan ' +
    'and coppice_prune, which choose blocks by the scores of its job id. "criterion": ppl (the default; runs the model on ' +
    'a calibration text, the most reliable), kl, taylor, magnitude (no text, seconds, less reliable), greedy (one block ' +
    'after another, for "count" blocks, the best choice and the slowest). Returns a table of the blocks and their order ' +
    'from least to most important. May take minutes: then it returns the id of a job for coppice_job_result. Writes ' +
    'nothing but a record of the run.',
  effect: 'computes',
  options: chosen(job.options, {
    bos: true,
    checkpoint: 'the model: folder, .safetensors file, index or .gguf file',
    criterion: true,
    calibration:
      'a text like those that the application sends: UTF-8, JSONL with "text", or JSON {"rows": [[ids]]}; without ' +
      'one, the calibration text of the settings is taken, if there is one',
    application: 'in place of calibration: the file or folder with the chats, prompts or documents of the application',
    samples: true,
    length: true,
    seed: true,
    count: 'greedy, search, energy: number of blocks to remove',
  }),
  given: (input, context) => ({ options: withCalibration(input, context, 'ppl') }),
  ask: async (given, context) => {
    const { checkpoint } = await opened(String(given.checkpoint), context.signal);
    const title = l10n.t('Score the blocks of {0}?', nameOf(checkpoint));
    const lines = [l10n.t('Reads {0}.', modelWords(checkpoint))];
    return askComputing(title, lines, { kind: 'score', options: given }, context);
  },
});

/** The same with the text of the settings, where one is needed and none is given. */
export function withCalibration(
  input: JsonObject,
  { calibration }: Pick<AgentContext, 'calibration'>,
  usual?: Criterion,
): JsonObject {
  const criterion = (input.criterion as Criterion | undefined) ?? usual;
  const takes =
    criterion !== undefined && needsCalibration(criterion) && (input.calibration ?? input.application) === undefined;
  return takes && calibration !== undefined ? { ...input, calibration } : input;
}
