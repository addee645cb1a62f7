/** Reads the settings `coppice.*`: typed, with defaults for missing and invalid values. */
import { isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import { CRITERIA, type Criterion } from '../engine/importance/criteria';
import { OBJECTIVES, type Objective } from '../engine/importance/objective';
import { DEFAULT_DRAWING, DEFAULT_SEED } from '../engine/importance/drawing';
import { PRECISION_CHOICES, type PrecisionChoice, QUANTIZED_LIMIT } from '../engine/precision';
import { DEVICES } from '../jobs/options/compute';
import type { CompleteSource, Compute } from '../protocol/jobs';
import type { LogLevel } from '../protocol/messages';
import { liesWithin } from './lies-within';
import { type ClusterSettings, clusterSettingsOf } from './cluster-settings';

const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error'];
const MIB = 2 ** 20;

export class Config {
  /** @param bundledCalibration the text to use when the setting is empty */
  constructor(private readonly bundledCalibration: string) {}

  /** Device, threads and memory for jobs. */
  get compute(): Compute {
    const threads = this.count('threads', 0);
    const memory = this.count('memoryLimit', 0) * MIB;
    return {
      device: this.oneOf('device', DEVICES, 'auto'),
      ...(threads > 0 && { threads }),
      ...(memory > 0 && { memory }),
      ...this.quantized,
    };
  }

  /** Precision of models that write text. */
  get textPrecision(): PrecisionChoice {
    return this.oneOf('textPrecision', PRECISION_CHOICES, 'auto');
  }

  /** Where quantized weights are kept. A limit below the smallest one keeps nothing that is worth it. */
  private get quantized(): Pick<Compute, 'quantizedFolder' | 'quantizedLimit'> {
    const folder = this.folder('quantized.folder', '').trim();
    const limit = this.count('quantized.limit', QUANTIZED_LIMIT / MIB) * MIB;
    return {
      ...(folder !== '' && { quantizedFolder: this.inWorkspace(folder) }),
      quantizedLimit: Math.max(limit, MIB),
    };
  }

  get criterion(): Criterion {
    return this.oneOf('criterion', CRITERIA, 'ppl');
  }

  /** What greedy scoring keeps low. */
  get objective(): Objective {
    return this.oneOf('objective', OBJECTIVES, 'ppl');
  }

  /** The application's text, which takes the place of the calibration text; undefined where the workspace has none. */
  get application(): string | undefined {
    const path = this.text('application.path', '').trim();
    return path === '' ? undefined : this.inWorkspace(path);
  }

  get calibration(): CompleteSource {
    const file = this.text('calibration.file', '');
    const { application } = this;
    return {
      file: application ?? (file === '' ? this.bundledCalibration : this.inWorkspace(file)),
      ...(application !== undefined && { share: 'calibration' as const }),
      samples: Math.max(1, this.count('calibration.samples', DEFAULT_DRAWING.samples)),
      length: Math.max(2, this.count('calibration.length', DEFAULT_DRAWING.length)),
      seed: this.count('calibration.seed', DEFAULT_SEED),
    };
  }

  /** Whether the settings name no calibration text, so that the bundled one is used. */
  get usesBundledText(): boolean {
    return this.application === undefined && this.text('calibration.file', '') === '';
  }

  /** Whether the first four blocks and the last two are never suggested for removal. */
  get keepEnds(): boolean {
    return this.read('keepFirstAndLast') !== false;
  }

  /** Further blocks to keep, as the user writes them: "5,12-14"; empty for none. */
  get keep(): string {
    return this.text('keep', '').trim();
  }

  /** Pattern of output folders; see host/ask/output-folder.ts. */
  get outputFolder(): string {
    const pattern = this.text('outputFolder', '').trim();
    return pattern === '' ? '${folder}/${name}-${suffix}' : pattern;
  }

  /** Globs to exclude from the search for checkpoints. */
  get discoveryExclude(): readonly string[] {
    const globs = this.read('discovery.exclude');
    return Array.isArray(globs) ? globs.filter((glob): glob is string => typeof glob === 'string') : [];
  }

  /** Folder of run records, relative to the workspace unless absolute. */
  get runsFolder(): string {
    return this.folder('runsFolder', '.coppice/runs');
  }

  /** Whether jobs may run on a cluster; the value may still be wrong. */
  get hasCluster(): boolean {
    return (this.read('cluster') ?? null) !== null;
  }

  /** How jobs run on a cluster; undefined where there is none. @throws UserError for a value that describes none */
  get cluster(): ClusterSettings | undefined {
    return clusterSettingsOf(this.read('cluster'));
  }

  get idleMs(): number {
    return Math.max(1, this.count('computeProcess.idleMinutes', 10)) * 60_000;
  }

  /** Whether agents in VS Code that know MCP servers get one. */
  get mcpServer(): boolean {
    return this.read('mcpServer') === true;
  }

  get logLevel(): LogLevel {
    return this.oneOf('logLevel', LOG_LEVELS, 'info');
  }

  /** Calls `listener` when one of these settings changes; any setting when `keys` is empty. */
  onChange(keys: readonly string[], listener: () => void): vscode.Disposable {
    return vscode.workspace.onDidChangeConfiguration((event) => {
      const named = keys.length === 0 ? ['coppice'] : keys.map((key) => `coppice.${key}`);
      if (named.some((key) => event.affectsConfiguration(key))) listener();
    });
  }

  private read(key: string): unknown {
    return vscode.workspace.getConfiguration('coppice').get(key);
  }

  private text(key: string, fallback: string): string {
    const value = this.read(key);
    return typeof value === 'string' ? value : fallback;
  }

  /** A folder to write into without a question: what a repository brings with it names none outside of the workspace. */
  private folder(key: string, fallback: string): string {
    const asked = vscode.workspace.getConfiguration('coppice').inspect(key);
    const named = asked?.workspaceFolderValue ?? asked?.workspaceValue;
    const roots = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
    if (typeof named !== 'string' || liesWithin(this.inWorkspace(named.trim()), roots)) return this.text(key, fallback);
    return typeof asked?.globalValue === 'string' ? asked.globalValue : fallback;
  }

  private count(key: string, fallback: number): number {
    const value = this.read(key);
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : fallback;
  }

  private oneOf<T extends string>(key: string, values: readonly T[], fallback: T): T {
    const value = this.read(key);
    return values.find((each) => each === value) ?? fallback;
  }

  /** Relative paths start at the first workspace folder. */
  private inWorkspace(path: string): string {
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    return folder && !isAbsolute(path) ? vscode.Uri.joinPath(folder.uri, path).fsPath : path;
  }
}
