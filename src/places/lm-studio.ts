/**
 * LM Studio: MODELS/PUBLISHER/MODEL/FILE.gguf, as its page "Import Models" says. Its home is named in ~/.lmstudio-home-pointer, which
 * its own library reads first; before version 0.3.6 it was ~/.cache/lm-studio.
 */
import { isAbsolute, join } from 'node:path';
import { readTextFile } from '../engine/files/text-file';
import { isObject } from '../format/json';
import { l10n } from '../l10n';
import { folderThere, isFolder } from './folder-there';
import { type Around, type Place, PUBLISHER } from './place';

const MOST_BYTES = 2 ** 20;

export const lmStudio: Place = {
  name: 'lm-studio',
  title: 'LM Studio',
  takes: 'gguf',
  hasFolder: true,
  async find(around) {
    const home = await homeOf(around);
    const words = { title: 'LM Studio', todo: l10n.t('Install LM Studio from {0}, and start it once.', 'lmstudio.ai') };
    return folderThere(around, await modelsIn(home), home, words);
  },
  plan: (model, at, name) =>
    Promise.resolve({
      name: `${PUBLISHER}/${name}`,
      model,
      change: { kind: 'folder', out: join(at, PUBLISHER, name), files: model.files },
      notes: [],
      copies: `lms load ${name}`,
      use: l10n.t('LM Studio lists it under My Models; `lms load {0}` loads it.', name),
    }),
};

async function homeOf({ home }: Around): Promise<string> {
  const named = await textOf(join(home, '.lmstudio-home-pointer'));
  if (named !== undefined && isAbsolute(named)) return named;
  const older = join(home, '.cache', 'lm-studio');
  return (await isFolder(older)) ? older : join(home, '.lmstudio');
}

/** The user can move the folder; the settings say where it is then. */
async function modelsIn(home: string): Promise<string> {
  const usual = join(home, 'models');
  const text = await textOf(join(home, 'settings.json'));
  if (text === undefined) return usual;
  try {
    const settings: unknown = JSON.parse(text);
    const folder = isObject(settings) ? settings.downloadsFolder : undefined;
    return typeof folder === 'string' && isAbsolute(folder) ? folder : usual;
  } catch {
    return usual;
  }
}

const textOf = (file: string): Promise<string | undefined> =>
  readTextFile(file, MOST_BYTES, '').then(
    ({ text }) => text.trim(),
    () => undefined,
  );
