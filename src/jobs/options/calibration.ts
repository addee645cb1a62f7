/** Calibration text, and the sampling of rows from it. */
import { DEFAULT_DRAWING, DEFAULT_SEED } from '../../engine/importance/drawing';
import type { CalibrationSource } from '../../protocol/jobs';
import { file, seed, whole } from '../option';

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
  seed: seed('random seed', { default: DEFAULT_SEED, setting: 'coppice.calibration.seed' }),
};

/** The options of a job for these calibration rows. */
export const drawnOptions = ({
  file: text,
  ...drawn
}: CalibrationSource): { readonly calibration: string } & Omit<CalibrationSource, 'file'> => ({
  calibration: text,
  ...drawn,
});
