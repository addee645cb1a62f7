/** Calibration text, and the sampling of rows from it. */
import { DEFAULT_DRAWING, DEFAULT_SEED } from '../../engine/importance/drawing';
import type { CalibrationSource } from '../../protocol/jobs';
import { ALL_SHARES, type TextShare } from '../../format/text-share';
import { l10n } from '../../l10n';
import { choice, file, type Option, seed, whole } from '../option';

const { samples, length } = DEFAULT_DRAWING;

/** Not in `calibration` alone: whatever reads a text takes it. */
export const share: Option<TextShare, 'optional'> = choice(
  ALL_SHARES,
  'read one part of the text only: choose, its first 70 %, where blocks are chosen or weights fitted; judge, the rest; ' +
    "or one of the four splits of an application's text",
  { noun: () => l10n.t('the share of the text'), placeholder: 'part' },
);

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
  share,
};

/** The options of a job for these calibration rows. */
export const drawnOptions = ({
  file: text,
  ...drawn
}: CalibrationSource): { readonly calibration: string } & Omit<CalibrationSource, 'file'> => ({
  calibration: text,
  ...drawn,
});
