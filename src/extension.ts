/** Activates the extension: creates its parts and connects them. */
import { fork } from 'node:child_process';
import * as vscode from 'vscode';
import { registerCommands } from './commands/register';
import { nameOptionsBy } from './engine/option-token';
import { EDITOR_NAMING } from './host/option-names';
import { NotedSidecar } from './host/jobs/history';
import { tellInterrupted } from './host/jobs/interrupted-jobs';
import { JobJournal } from './host/jobs/job-journal';
import { followEnds } from './host/jobs/after';
import { jobsModel } from './host/jobs/jobs-model';
import { FailedJobs } from './host/jobs/failed-jobs';
import { jobFolders, recordFolders } from './host/jobs/record-folders';
import { VisiblePanels } from './host/jobs/visible-panels';
import { JobsView } from './views/jobs/view';
import { takeOldSpeeds } from './host/speeds';
import { did } from './host/tour';
import { openWindows } from './host/windows';
import { askConsent } from './host/cluster/cluster-consent';
import { watchLeftRuns } from './host/cluster/cluster-left';
import { ClusterRuns } from './host/cluster/cluster-runs';
import { Config } from './state/config';
import type { Coppice } from './host/coppice';
import { registerCheckpointEditor } from './editors/checkpoint-editor';
import { registerRecipes } from './editors/recipes';
import { registerResultsPanels } from './editors/results/open-panels';
import { translateBy } from './l10n';
import { levelledLog } from './host/log';
import { registerAgentTools } from './lm';
import { registerMcpServer } from './lm/mcp-provider';
import { RecipeRuns } from './host/recipes/recipe-runs';
import { reportAssets } from './editors/page-html';
import type { JobSpec } from './protocol/jobs';
import type { SidecarClient } from './sidecar/client';
import { RemoteSpeeds } from './sidecar/speeds';
import { BlockDecorations } from './views/decorations';
import { HiddenPaths } from './state/hidden';
import { CheckpointLibrary } from './state/library';
import { Goals } from './state/goals';
import { NamedPlans } from './state/named-plans';
import { Origins } from './state/origins';
import { Plans } from './state/plan';
import { scanState } from './state/scan-state';
import { RunRecords } from './state/run-records';
import { ScoreStore } from './state/scores';
import { watchSidecar } from './host/jobs/sidecar-watch';
import { StatusBar } from './views/status-bar';
import { TogetherJobs } from './state/together';
import { CheckpointTree } from './views/tree';

let sidecar: SidecarClient | undefined;
let journal: JobJournal | undefined;

/** The API for other extensions and for tests. */
export interface CoppiceApi {
  /** Internals, which may change in any version. */
  readonly internal: Coppice;
}

export function activate(context: vscode.ExtensionContext): CoppiceApi {
  translateBy(vscode.l10n.t, vscode.env.language);
  nameOptionsBy(EDITOR_NAMING);
  const file = (...parts: string[]): string => vscode.Uri.joinPath(context.extensionUri, ...parts).fsPath;
  const log = vscode.window.createOutputChannel('Coppice', { log: true });
  const config = new Config(file('media', 'sample', 'calibration.txt'));
  const library = new CheckpointLibrary(config, context.workspaceState, log);
  const { shared, windows } = openWindows(context, log);
  const plans = new Plans(shared);
  const scores = new ScoreStore(shared);
  const hidden = new HiddenPaths(context.workspaceState);
  const namedPlans = new NamedPlans(shared);
  const records = new RunRecords(() => recordFolders({ config, context }));
  const origins = new Origins();
  const goals = new Goals(shared);
  const shown = { library, plans, namedPlans, scores, hidden, config, origins, records, goals, log };
  const tree = new CheckpointTree(shown);
  const history: Coppice['history'] = {};
  const options = {
    program: file('dist', 'sidecar.cjs'),
    fork,
    log: levelledLog(log, () => config.logLevel),
    idleMs: () => config.idleMs,
    logLevel: () => config.logLevel,
  };
  const note = (spec: JobSpec): void => {
    history.last = spec;
    void vscode.commands.executeCommand('setContext', 'coppice.hasHistory', true);
  };
  const stopped = (journal = new JobJournal(shared, windows));
  const client = (sidecar = new NotedSidecar(options, note, stopped));
  const failed = new FailedJobs(shared);
  const store = context.workspaceState;
  const { fsPath: ownFolder } = context.extensionUri;
  const cluster = new ClusterRuns({ sidecar: client, store, ownFolder, agrees: askConsent, log });
  const folders = (): readonly string[] => jobFolders({ config, context });
  const model = jobsModel({ sidecar: client, library, cluster, journal: stopped, failed, folders });
  const speeds = new RemoteSpeeds(client, () => (vscode.workspace.isTrusted ? config.compute : undefined));
  void takeOldSpeeds(context.globalState, speeds);
  const coppice: Coppice = {
    context,
    config,
    log,
    library,
    plans,
    namedPlans,
    records,
    goals,
    scores,
    hidden,
    sidecar: client,
    together: new TogetherJobs(),
    speeds,
    tree,
    history,
    recipes: new RecipeRuns({
      sidecar: client,
      config,
      library,
      log,
      speeds,
      assets: () => reportAssets(context.extensionUri),
    }),
    cluster,
    journal: stopped,
    failed,
    jobs: new JobsView(model, log),
    panels: new VisiblePanels(),
  };
  context.subscriptions.push(
    log,
    library,
    tree,
    new StatusBar(client),
    watchSidecar(client, tree),
    followEnds(coppice),
    coppice.jobs,
    vscode.window.registerFileDecorationProvider(new BlockDecorations()),
    config.onChange(['logLevel'], () => client.setLogLevel(config.logLevel)),
    followScan(library, hidden),
    registerCheckpointEditor(coppice),
    registerResultsPanels(coppice),
    registerMcpServer({ program: file('dist', 'cli.cjs'), version: versionOf(context), config }),
    registerRecipes(coppice),
    coppice.cluster,
    followCluster(config),
    ...registerCommands(coppice),
    ...registerAgentTools(coppice),
  );
  tellInterrupted(coppice, stopped.interrupted);
  context.subscriptions.push(stopped.onInterrupted((jobs) => tellInterrupted(coppice, jobs)));
  if (vscode.workspace.isTrusted) watchLeftRuns(coppice);
  library.rescan().catch((error: unknown) => log.error(`The search for checkpoints failed: ${String(error)}`));
  return { internal: coppice };
}

const versionOf = ({ extension }: vscode.ExtensionContext): string =>
  (extension.packageJSON as { readonly version: string }).version;

export async function deactivate(): Promise<void> {
  journal?.close(); // before the jobs end
  await sidecar?.dispose();
}

/** Offers the commands for a cluster where there is one; in Restricted Mode there is none. */
function followCluster(config: Config): vscode.Disposable {
  const tell = (): void => {
    const has = vscode.workspace.isTrusted && config.hasCluster;
    void vscode.commands.executeCommand('setContext', 'coppice.hasCluster', has);
  };
  tell();
  return vscode.Disposable.from(config.onChange(['cluster'], tell), vscode.workspace.onDidGrantWorkspaceTrust(tell));
}

/** Sets the context keys about the search, now and on every change. They outlive a restarted extension host. */
function followScan(library: CheckpointLibrary, hidden: HiddenPaths): vscode.Disposable {
  const tell = (): void => {
    for (const [key, value] of Object.entries(scanState(library, hidden))) {
      void vscode.commands.executeCommand('setContext', key, value);
    }
    // With a checkpoint in the list, the walkthrough's first step is done.
    if (library.entries().length > 0) void did('coppice.did.open');
  };
  tell();
  return vscode.Disposable.from(library.onDidChange(tell), library.onDidLoad(tell), hidden.onChange(tell));
}
