/** Calibration text, and how rows are drawn from it. */
import { DEFAULT_DRAWING, DEFAULT_SEED } from '../../engine/importance/drawing';
import { file, seed, whole } from '../define';

const { samples, length } = DEFAULT_DRAWING;

export const calibration = {
  calibration: file('text, JSONL with "text", or JSON {"rows": [[ids]]} (needs no tokenizer)', {
    setting: 'coppice.calibration.file',
  }),
  samples: whole(`calibration rows (default: ${samples}; of a file of rows: all)`, {
    setting: 'coppice.calibration.samples',
  }),
  length: whole(`tokens per row (default: ${length}; of a file of rows: all)`, {
    setting: 'coppice.calibration.length',
  }),
  seed: seed('seed of the sampling', { default: DEFAULT_SEED, setting: 'coppice.calibration.seed' }),
};
