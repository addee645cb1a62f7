/**
 * What the results panels need from activation on: they are restored after a reload, and what happens before one is opened
 * is noted. A panel itself is loaded with the first that is opened (panel.ts).
 */
import * as vscode from 'vscode';
import { messageOf } from '../../engine/errors';
import { isObject } from '../../format/json';
import type { Coppice } from '../../host/coppice';
import { failureOf, logError } from './failures';
import { follow, open, PANEL } from './panel-list';
import { PlanHistories } from './plan-history';
import { Trainings } from './trainings';

/** Restores panels that were open when the window closed, and follows trainings for panels that are opened later. */
export function registerResultsPanels(coppice: Coppice): vscode.Disposable {
  const trainings = new Trainings(
    coppice.sidecar,
    (error) => failureOf(error, (fault) => logError(coppice, fault)),
    () => coppice.library.trainings(),
  );
  const histories = new PlanHistories(coppice.plans, coppice.context.workspaceState);
  follow({ trainings, histories });
  return vscode.Disposable.from(
    trainings,
    histories,
    vscode.window.registerWebviewPanelSerializer(PANEL, {
      async deserializeWebviewPanel(panel, state: unknown) {
        const path = isObject(state) ? state.checkpoint : undefined;
        if (typeof path !== 'string') {
          panel.dispose(); // it was closed before it showed a checkpoint
          return;
        }
        try {
          const { OpenPanel } = await import('./panel');
          await new OpenPanel(coppice, panel, path).show();
        } catch (error) {
          coppice.log.warn(`a results panel was not restored: ${messageOf(error)}`);
          panel.dispose();
        }
      },
    }),
    coppice.library.onDidChange((path) => {
      for (const [shown, panel] of open) {
        if (path === undefined) void panel.filesMoved();
        else if (path === shown) void panel.reload();
      }
    }),
    coppice.speeds.onChange(() => {
      for (const { session } of open.values()) session?.speedsChanged();
    }),
    coppice.config.onChange([], () => {
      for (const { session } of open.values()) session?.settingsChanged();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      for (const { session } of open.values()) session?.trusted();
    }),
    { dispose: () => open.clear() },
  );
}
