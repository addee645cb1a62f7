/** Scores how much each block matters. */
import { JOBS } from '../../jobs/definitions';
import { l10n } from '../../l10n';
import { chosen } from '../input';
import { jobTool } from '../job-tool';

export const score = jobTool({
  name: 'coppice_score',
  kind: 'score',
  title: () => l10n.t('Score Blocks'),
  description:
    'Scores every Transformer block of a checkpoint: how much worse the model gets without it. Use it before ' +
    'coppice_plan or coppice_prune, which choose blocks by the scores. "criterion": ppl (the default; runs the model on a ' +
    'calibration text, the most reliable), kl, taylor, magnitude (no text, seconds, less reliable). Returns a table of the ' +
    'blocks and their order from least to most important. May take minutes: then it returns the id of a job for ' +
    'coppice_job_result. Writes nothing but a record of the run.',
  effect: 'computes',
  options: chosen(JOBS.score.options, {
    checkpoint: 'folder, .safetensors file, index or .gguf file of the model',
    criterion: true,
    calibration: 'a text like those that the application sends: UTF-8, JSONL with "text", or JSON {"rows": [[ids]]}',
    samples: true,
    length: true,
    seed: true,
    count: 'greedy, search: number of blocks to remove',
  }),
});
