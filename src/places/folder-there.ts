/** Finds the folder of a place: the one that the user names, else the usual one, where its program has been. */
import { stat } from 'node:fs/promises';
import { l10n } from '../l10n';
import type { Around, Found } from './place';

export const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/**
 * @param usual the folder of the models; it may not be there yet
 * @param sign a folder that the program makes when it starts
 */
export async function folderThere(
  { folder, home }: Around,
  usual: string,
  sign: string,
  { title, todo }: { readonly title: string; readonly todo: string },
): Promise<Found> {
  if (folder !== undefined) {
    if (await isFolder(folder)) return { at: folder };
    return {
      why: l10n.t('there is no folder {0}', folder),
      todo: l10n.t('Name the folder in which {0} looks for models.', title),
    };
  }
  if (await isFolder(sign)) return { at: usual };
  const shown = sign.startsWith(home) ? `~${sign.slice(home.length)}` : sign;
  return { why: l10n.t('there is no folder {0}, which {1} makes when it starts', shown, title), todo };
}
