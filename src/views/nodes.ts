/** What the lines of the tree stand for. */
import type { Checkpoint, TensorInfo } from '../engine/checkpoint/types';
import type { Entry } from './library';
import type { BlockPart, Part } from './parts';

export interface CheckpointNode {
  readonly kind: 'checkpoint';
  readonly entry: Entry;
}

/** A part outside the blocks, or a module of a block. */
export interface PartNode {
  readonly kind: 'part';
  readonly name: 'embedding' | 'norm' | 'head' | 'other' | 'attention' | 'ffn';
  readonly part: Part;
  readonly parent: Node;
  readonly checkpoint: Checkpoint;
}

export interface BlockNode {
  readonly kind: 'block';
  readonly block: BlockPart;
  readonly parent: CheckpointNode;
  readonly checkpoint: Checkpoint;
}

export interface TensorNode {
  readonly kind: 'tensor';
  readonly tensor: TensorInfo;
  readonly parent: Node;
}

export interface AdapterNode {
  readonly kind: 'adapter';
  /** Folder. */
  readonly path: string;
}

export type Node = CheckpointNode | PartNode | BlockNode | TensorNode | AdapterNode;

/** The path of the checkpoint that a node belongs to; undefined for an adapter. */
export function checkpointPathOf(node: Node): string | undefined {
  for (let at: Node = node; ;) {
    if (at.kind === 'checkpoint') return at.entry.path;
    if (at.kind === 'adapter') return undefined;
    at = at.parent;
  }
}

/** Whether a value that a command was given is a node of the tree. */
export function isNode(value: unknown): value is Node {
  const kinds: unknown[] = ['checkpoint', 'part', 'block', 'tensor', 'adapter'];
  return typeof value === 'object' && value !== null && 'kind' in value && kinds.includes(value.kind);
}
