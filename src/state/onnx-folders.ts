/**
 * Folders of ONNX models that Coppice exported, by the record in them. They are no checkpoints, but what an application loads:
 * each has a line below the model that it was written from. Those outside the workspace are remembered.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { entries } from '../engine/records/fields';
import { readRecord, RECORD_NAME, type RunRecord } from '../engine/records/record';
import { UserError } from '../engine/errors';
import type { Memento } from './memento';
import { madeAs } from './words/made-words';

export interface OnnxFolder {
  readonly path: string;
  /** The model that it was written from. */
  readonly identity: string;
  readonly name: string;
  /** Of its models: "q8", "fp32, q4". */
  readonly types: string;
  /** Of all files. */
  readonly bytes: number;
  /** Blocks that were left out, ascending. */
  readonly removed: readonly number[];
  /** ISO 8601, UTC. */
  readonly finished: string;
}

const REMEMBERED = 'openedExports';

export class OnnxFolders {
  private readonly known = new Map<string, { readonly stamp: string; readonly folder?: OnnxFolder }>();

  constructor(private readonly state: Memento) {}

  private get remembered(): readonly string[] {
    const paths = this.state.get(REMEMBERED);
    return Array.isArray(paths) ? paths.filter((path) => typeof path === 'string') : [];
  }

  /** Lists a folder outside the workspace too, from now on. */
  async remember(path: string): Promise<void> {
    if (!this.remembered.includes(path)) await this.state.update(REMEMBERED, [...this.remembered, path]);
  }

  /** Each record is read once. @param found folders of the workspace with ONNX models */
  async list(found: readonly string[]): Promise<OnnxFolder[]> {
    const paths = [...new Set([...found, ...this.remembered])];
    const folders = await Promise.all(paths.map((path) => this.read(path)));
    return folders.filter((folder) => folder !== undefined);
  }

  private async read(path: string): Promise<OnnxFolder | undefined> {
    const file = join(path, RECORD_NAME);
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile()) return undefined;
    const stamp = `${found.size} ${found.mtimeMs}`;
    const before = this.known.get(path);
    if (before?.stamp === stamp) return before.folder;
    const folder = await folderAt(path, file);
    this.known.set(path, { stamp, ...(folder && { folder }) });
    return folder;
  }
}

/** Undefined without a readable record of an export, as in folders of other programs. */
async function folderAt(path: string, file: string): Promise<OnnxFolder | undefined> {
  try {
    return factsOf(path, await readRecord(file));
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function factsOf(path: string, { kind, inputs, settings, results, finished }: RunRecord): OnnxFolder | undefined {
  const model = inputs.find(({ role }) => role === 'model');
  if (madeAs(kind) !== 'exported' || settings.format !== 'onnx' || typeof model?.identity !== 'string')
    return undefined;
  const { type } = settings;
  const { bytes } = results;
  return {
    path,
    identity: model.identity,
    name: model.name,
    types: typeof type === 'string' ? type.split(',').join(', ') : 'fp32',
    bytes: typeof bytes === 'number' ? bytes : 0,
    removed: entries(results.removed).filter((block) => typeof block === 'number'),
    finished,
  };
}
