/** The models that a command can compare with a checkpoint: those that its results panel lists, its base model first. */
import { type Column, columnsOf } from '../editors/results/columns';
import { ADAPTERS, FittingList, PATCHES, WIDTHS } from '../editors/results/fitting-list';
import { Origins } from '../state/origins';
import { Relatives } from '../editors/results/relatives';
import type { Chosen } from '../host/ask/choose-checkpoint';
import type { Coppice } from '../host/coppice';

export async function relativesOf(
  { library }: Coppice,
  { path, checkpoint }: Pick<Chosen, 'path' | 'checkpoint'>,
): Promise<Relatives> {
  if (!library.isScanned) await library.rescan();
  const relatives = new Relatives({ path, checkpoint }, (other) => library.load(other), new Origins());
  await relatives.refresh(library.entries().map((entry) => entry.path));
  return relatives;
}

export async function comparableModels(coppice: Coppice, chosen: Chosen): Promise<Column[]> {
  const { library, plans } = coppice;
  const { checkpoint, subject } = chosen;
  const relatives = await relativesOf(coppice, chosen);
  const [adapters, patches, widths] = [ADAPTERS, PATCHES, WIDTHS].map((kind) => new FittingList(checkpoint, kind));
  await Promise.all([
    adapters.refresh(library.adapters()),
    patches.refresh(library.patches()),
    widths.refresh(library.widths()),
  ]);
  const changes = { adapters: adapters.fitting, patches: patches.fitting, widths: widths.fitting };
  const columns = columnsOf(plans.removed(subject), changes, relatives);
  const base = relatives.parent && `checkpoint:${relatives.parent.path}`;
  return [...columns.filter(({ id }) => id === base), ...columns.filter(({ id }) => id !== base)];
}
