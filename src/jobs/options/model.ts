/** The model of a job: a checkpoint, or a view of it, with or without healed weights and an adapter. */
import { command, option, value } from '../../engine/option-token';
import { checkpoint, file, flag, folder, parts } from '../option';
import { l10n } from '../../l10n';

export const source = {
  checkpoint: checkpoint('folder, .safetensors file, index or .gguf file', { argument: true, required: true }),
};

export const adapter = {
  adapter: folder(
    'apply a LoRA adapter without writing anything; also leaves out the blocks that it was trained without',
    { noun: () => l10n.t('an adapter'), placeholder: 'dir' },
  ),
  otherBase: flag('use the adapter although it was trained on other files: the same model in another form'),
};

export const healed = {
  heal: file(
    'use the healed weights of this file without writing anything; also leaves out the blocks that they were found without',
    { noun: () => l10n.t('a file of healed weights') },
  ),
};

export const width = {
  width: file(
    `use only the heads and neurons that this file keeps (${command('width', option('save'))}), without writing anything`,
    {
      noun: () => l10n.t('a file of a width'),
    },
  ),
};

export const remove = {
  remove: parts(
    `leave out blocks without writing anything: ${value('parts', '10,12-14')} or ${value('parts', '10.attention,12.ffn')}`,
    {
      noun: () => l10n.t('the plan'),
      placeholder: 'list',
    },
  ),
};

/** A checkpoint without some of its parts, with healed weights and an adapter. */
export const model = { ...source, ...remove, ...width, ...healed, ...adapter };
