/** The nodes of the tree. */
import { isObject } from '../format/json';
import type { Checkpoint } from '../engine/checkpoint/types';
import type { TensorInfo } from '../engine/formats/tensor';
import type { StoppedTraining } from '../engine/retrain/loop/stopped';
import type { Entry } from './library';
import type { KeptPlan } from './named-plans';
import type { OnnxFolder } from './onnx-folders';
import type { BlockTensors, TensorGroup } from './model-tensors';

export interface CheckpointNode {
  readonly kind: 'checkpoint';
  readonly entry: Entry;
}

/** A part outside the blocks, a module of a block, or the experts of an FFN. */
export interface PartNode {
  readonly kind: 'part';
  readonly name: 'embedding' | 'norm' | 'head' | 'other' | 'attention' | 'ffn' | 'experts';
  readonly part: TensorGroup;
  readonly parent: Node;
  readonly checkpoint: Checkpoint;
}

export interface BlockNode {
  readonly kind: 'block';
  readonly block: BlockTensors;
  readonly parent: CheckpointNode;
  readonly checkpoint: Checkpoint;
}

export interface TensorNode {
  readonly kind: 'tensor';
  readonly tensor: TensorInfo;
  readonly parent: Node;
}

/** The line of a checkpoint's plan, with its result. */
export interface PlanNode {
  readonly kind: 'plan';
  readonly parent: CheckpointNode;
  readonly checkpoint: Checkpoint;
}

/** The line of a checkpoint's vocabulary. */
export interface VocabularyNode {
  readonly kind: 'vocabulary';
  readonly parent: CheckpointNode;
  readonly checkpoint: Checkpoint;
}

/** A plan with a name, below the plan's line. */
export interface NamedPlanNode {
  readonly kind: 'namedPlan';
  readonly plan: KeptPlan;
  readonly parent: CheckpointNode;
  readonly checkpoint: Checkpoint;
}

export interface AdapterNode {
  readonly kind: 'adapter';
  /** Folder. */
  readonly path: string;
}

/** The group of checkpoints that can only be inspected. */
export interface InspectionNode {
  readonly kind: 'inspection';
}

/** An exported folder of ONNX models. */
export interface ExportNode {
  readonly kind: 'export';
  readonly folder: OnnxFolder;
}

/** A stopped training. */
export interface TrainingNode {
  readonly kind: 'training';
  readonly training: StoppedTraining;
}

export type Node =
  | (CheckpointNode | PlanNode | NamedPlanNode | VocabularyNode | PartNode | BlockNode | TensorNode)
  | (AdapterNode | ExportNode | TrainingNode | InspectionNode);

const KINDS: Readonly<Record<Node['kind'], true>> = {
  checkpoint: true,
  plan: true,
  namedPlan: true,
  vocabulary: true,
  part: true,
  block: true,
  tensor: true,
  adapter: true,
  export: true,
  training: true,
  inspection: true,
};

/** The path of the checkpoint that a node belongs to; undefined if it belongs to none. */
export function checkpointPathOf(node: Node): string | undefined {
  let at = node;
  while ('parent' in at) at = at.parent;
  return at.kind === 'checkpoint' ? at.entry.path : undefined;
}

/** The file or folder of a line. */
export function filePathOf(node: Node): string | undefined {
  if (node.kind === 'export') return node.folder.path;
  return node.kind === 'adapter' ? node.path : checkpointPathOf(node);
}

/** A key that is the same for the same line, also for a new node. */
export function keyOf(node: Node): string {
  switch (node.kind) {
    case 'inspection':
      return node.kind;
    case 'checkpoint':
      return `${node.kind}:${node.entry.path}`;
    case 'adapter':
      return `${node.kind}:${node.path}`;
    case 'export':
      return `${node.kind}:${node.folder.path}`;
    case 'training':
      return `${node.kind}:${node.training.out}`;
    case 'plan':
    case 'vocabulary':
      return `${node.kind}:${keyOf(node.parent)}`;
    case 'namedPlan':
      return `${node.kind}:${node.plan.name}:${keyOf(node.parent)}`;
    case 'block':
      return `${node.kind}:${node.block.index}:${keyOf(node.parent)}`;
    case 'part':
      return `${node.kind}:${node.name}:${keyOf(node.parent)}`;
    case 'tensor':
      return `${node.kind}:${node.tensor.name}:${keyOf(node.parent)}`;
  }
}

/** Whether an argument of a command is a node of the tree. */
export function isNode(value: unknown): value is Node {
  return isObject(value) && Object.hasOwn(KINDS, String(value.kind));
}
