/** Measures files of several types, without several numbers of blocks: which is the better buy for a size. */
import { JOBS } from '../../jobs/definitions';
import { l10n } from '../../l10n';
import { askComputing, modelWords, nameOf, opened } from '../confirm';
import { chosen } from '../input';
import { jobTool } from '../job-tool';

export const compareSizes = jobTool({
  name: 'coppice_frontier',
  kind: 'frontier',
  title: () => l10n.t('Compare Size Against Perplexity'),
  description:
    'Measures perplexity against megabytes: GGUF files of several types, with all blocks and without several numbers of them, healed. ' +
    'Call it when the user names a size in bytes ("fit"), or asks whether to remove blocks or to take fewer bits. It keeps no file: it ' +
    'names the commands that write the best. The text that measures also chooses, so judge the chosen file on another text. Where ' +
    'intervals hold zero, say that the text does not tell the files apart. It takes long for large models.',
  effect: 'computes',
  options: chosen(JOBS.frontier.options, {
    checkpoint: 'the model',
    fit: 'the size of the file at most, in bytes',
    types: true,
    counts: true,
    text: 'text to measure on (UTF-8); not the one that chooses the blocks',
    application: 'in place of text and calibration: the file or folder of the application',
    limit: true,
    window: true,
    calibration: 'text that chooses the blocks and heals',
    scores: true,
    criterion: true,
    heal: true,
    bos: true,
  }),
  ask: async (given, context) => {
    const { checkpoint } = await opened(String(given.checkpoint), context.signal);
    const title = l10n.t('Compare sizes of {0}?', nameOf(checkpoint));
    const lines = [
      l10n.t('Reads {0}.', modelWords(checkpoint)),
      l10n.t('Files are written to the folder for temporary files, one at a time, and removed again.'),
    ];
    return askComputing(title, lines, { kind: 'frontier', options: given }, context);
  },
});
