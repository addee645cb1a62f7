/** Writes a checkpoint with a LoRA adapter in its weights. */
import { command } from '../../engine/option-token';
import { l10n } from '../../l10n';
import { writtenWords } from '../about';
import { defineJob } from '../define';
import { file, folder } from '../option';
import { acceptedCompute } from '../options/compute';
import { adapter, healed, source, width } from '../options/model';
import { dtype, out } from '../options/output';
import { mergeResult } from '../results/prune';

export const merge = defineJob({
  kind: 'merge',
  summary: 'write a checkpoint with an adapter in its weights',
  description:
    'Adds a LoRA adapter to the weights, W + (α/r) B A, and writes an ordinary checkpoint. The blocks that the adapter was ' +
    'trained without are left out. The source never changes. The new checkpoint has the record of the run, coppice.json.',
  examples: [
    './SmolLM2-135M --adapter ./adapter --out ./SmolLM2-24-retrained',
    './SmolLM2-24 --adapter ./adapter --out ./SmolLM2-24-retrained --dtype f32',
  ],
  noun: () => l10n.t('Merging'),
  title: (model) => l10n.t('Merging an adapter into {0}', model),
  done: (model) => l10n.t('Merged an adapter into {0}', model),
  icon: 'git-merge',
  made: {
    as: 'trained',
    icon: 'git-merge',
    words: ({ adapter: name }) => (name === undefined ? l10n.t('adapter merged') : l10n.t('{0} merged', name)),
  },
  makes: () => true,
  step: 'merged',
  about: writtenWords,
  options: {
    ...source,
    adapter: folder(`folder of the adapter, written by ${command('retrain')} or PEFT`, {
      noun: () => l10n.t('an adapter'),
      required: true,
    }),
    width: file('the width that the adapter was trained on', { noun: width.width.noun }),
    heal: file('the healed weights that the adapter was trained on', { noun: healed.heal.noun }),
    otherBase: adapter.otherBase,
    out: out('folder of the new checkpoint; it must not exist'),
    dtype,
    ...acceptedCompute,
  },
  result: mergeResult,
});
