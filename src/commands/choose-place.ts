/** The list of places for a model: those that are here first, the others with the reason in place of their path. */
import * as vscode from 'vscode';
import { CancelledError } from '../engine/errors';
import { shortText, toast } from '../host/toast';
import { around } from '../places/add';
import { type ModelKind, nameOf, type PlacedModel } from '../places/model';
import type { Absent, Place } from '../places/place';
import { PLACES } from '../places/places';

interface Item extends vscode.QuickPickItem {
  readonly place?: Place;
  /** Why it cannot be chosen, and what to do. */
  readonly absent?: Absent;
}

/** Choosing one that is not here says what to do. @throws CancelledError */
export async function choosePlace(
  model: PlacedModel,
  folderFor: (place: Place) => string | undefined,
  title: string,
): Promise<Place> {
  const items = await itemsFor(model, folderFor);
  const placeHolder = vscode.l10n.t('Select where {0} goes', nameOf(model.path));
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder, matchOnDescription: true });
  if (!picked?.place) throw new CancelledError();
  if (picked.absent) {
    void explain(picked.place, picked.absent, model);
    throw new CancelledError();
  }
  return picked.place;
}

async function itemsFor(model: PlacedModel, folderFor: (place: Place) => string | undefined): Promise<Item[]> {
  const all = await Promise.all(
    Object.values(PLACES).map(async (place): Promise<Item> => {
      const { title: label, takes } = place;
      if (takes !== model.kind) {
        const why = vscode.l10n.t('it loads {0}', kindWords(takes));
        return { label: `$(circle-slash) ${label}`, description: why, place, absent: { why, todo: exportWords() } };
      }
      const found = await place.find(around(folderFor(place)));
      if (found.at !== undefined) return { label, description: shortText(found.at), place };
      return { label: `$(circle-slash) ${label}`, description: shortText(found.why), place, absent: found };
    }),
  );
  const [here, absent] = [all.filter((item) => !item.absent), all.filter((item) => item.absent)];
  const separator: Item = { label: vscode.l10n.t('not here'), kind: vscode.QuickPickItemKind.Separator };
  return absent.length === 0 ? here : [...here, separator, ...absent];
}

const exportWords = (): string => vscode.l10n.t('Export the model in that format: “Export for an Application…”.');

function kindWords(kind: ModelKind): string {
  switch (kind) {
    case 'gguf':
      return vscode.l10n.t('GGUF files');
    case 'onnx':
      return vscode.l10n.t('ONNX folders');
    case 'checkpoint':
      return vscode.l10n.t('folders of checkpoints');
  }
}

/** With the lines to run elsewhere, where the place has some. */
async function explain({ title, takes, byHand }: Place, { why, todo }: Absent, model: PlacedModel): Promise<void> {
  const text = vscode.l10n.t('{0}: {1}. {2}', title, why, todo);
  if (!byHand || takes !== model.kind) {
    void toast.info(text);
    return;
  }
  const copy = vscode.l10n.t('Copy the Modelfile and the Line');
  if ((await toast.info(text, copy)) !== copy) return;
  const { file, line } = await byHand(model, nameOf(model.path));
  await vscode.env.clipboard.writeText(`# ${file.name}\n${file.text}\n# ${line}\n`);
}
