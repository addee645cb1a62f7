/** Trims a vocabulary to what an application's texts need. */
import { JOBS } from '../../jobs/definitions';
import { l10n } from '../../l10n';
import { askComputing, askWriting, modelWords, nameOf, opened } from '../confirm';
import { chosen } from '../input';
import { jobTool } from '../job-tool';

export const trimVocabulary = jobTool({
  name: 'coppice_vocabulary',
  kind: 'vocabulary',
  title: () => l10n.t('Trim Vocabulary'),
  description:
    'Keeps only the tokens that the texts of an application use, with all that these are made of: the rows of the embedding and the head ' +
    'that belong to other tokens go. Nothing is trained; texts whose tokens all stay get the same tokens and logits. Worth it for small ' +
    'models with large vocabularies (Gemma 3 270M: half of its parameters). Without "out" it only says what would stay, how small the ' +
    'model would be, and what text that was not counted would cost in bits per byte; call it so first, and give all texts that the ' +
    'application has. With "out" it writes the model, unless that cost is above the limit. Perplexities of the two models do not compare.',
  effect: 'writes',
  options: chosen(JOBS.vocabulary.options, {
    checkpoint: 'the model',
    texts: true,
    application: 'in place of texts: the file or folder of the application',
    heldOut: true,
    min: true,
    keep: true,
    keepLanguages: true,
    maxBitsGrowth: true,
    out: 'the new GGUF file for a GGUF model, the new folder for a folder; it must not exist. Without it nothing is written',
  }),
  ask: async (given, context) => {
    const { checkpoint, architecture } = await opened(String(given.checkpoint), context.signal);
    const title = l10n.t('Trim the vocabulary of {0}?', nameOf(checkpoint));
    const lines = [
      l10n.t('Reads {0}.', modelWords(checkpoint)),
      l10n.t('Keeps those of its {0} tokens that the texts use.', architecture.vocabulary),
    ];
    const job = { kind: 'vocabulary', options: given } as const;
    const { out } = given;
    if (typeof out !== 'string') return askComputing(title, lines, job, context);
    // At most: how much goes is only known once the texts are counted.
    return askWriting(title, lines, { out, bytes: checkpoint.size.all, job }, context);
  },
});
