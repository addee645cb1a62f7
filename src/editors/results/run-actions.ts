/** The actions on the ticked runs of the panel's list. */
import type { Checkpoint } from '../../engine/checkpoint/types';
import { compareRuns } from '../../engine/records/compare';
import { recordAt } from '../../engine/records/in-gguf';
import { modelCard } from '../../engine/records/model-card';
import { reportHtml } from '../../engine/records/report';
import type { PanelMessage, PanelState } from '../../protocol/panel';
import type { RunList } from './run-list';
import type { PanelCheckpoint, PanelHost } from './services';

/** A separate file next to README.md, from which the user copies. */
const CARD_NAME = 'MODEL_CARD.md';

export type RunMessage = Extract<PanelMessage, { type: `runs/${string}` }>;

export const isRunMessage = (message: PanelMessage): message is RunMessage => message.type.startsWith('runs/');

/** @returns the new parts of the panel's state; after deleting, the caller reads the list again */
export async function actOnRuns(
  message: RunMessage,
  list: RunList,
  host: PanelHost,
  { path, checkpoint }: PanelCheckpoint,
): Promise<Partial<Pick<PanelState, 'comparison'>>> {
  const chosen = list.pick('ids' in message ? message.ids : [message.id]);
  const digests = chosen.map(({ digest }) => digest);
  switch (message.type) {
    case 'runs/compare':
      return { comparison: compareRuns(digests) };
    case 'runs/delete':
      if (await host.confirmDeletion(message.ids.length)) await list.remove(message.ids);
      return {};
    case 'runs/open':
      for (const { file } of chosen) await host.open(file);
      return {};
    case 'runs/report': {
      const changed = chosen.map(({ id }) => list.changed(id));
      await host.save('report.html', { text: reportHtml(digests, await host.reportAssets(), changed) });
      return {};
    }
    case 'runs/card':
      await host.save(CARD_NAME, { text: modelCard(digests) }, await ownFolder(checkpoint));
      return {};
    case 'runs/recipe':
      host.saveRecipe(path, chosen.length === 0 ? undefined : message.ids);
      return {};
  }
}

/** The proposed folder for a card: the checkpoint's, if Coppice wrote it. Coppice proposes no files in other checkpoints. */
const ownFolder = async ({ home, folder }: Checkpoint): Promise<string | undefined> =>
  (await recordAt(home)) ? folder : undefined;
