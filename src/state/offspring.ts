/** Children of checkpoints and blocks. Nodes stay the same until the files change. */
import type { Checkpoint } from '../engine/checkpoint/types';
import type { CheckpointLibrary } from './library';
import type { NamedPlans } from './named-plans';
import type { BlockNode, CheckpointNode, NamedPlanNode, Node, PartNode, PlanNode, VocabularyNode } from './nodes';
import { expertsOf, tensorsByPlace } from './model-tensors';
import { subjectOf } from './subject';

export class Offspring {
  private readonly blocks = new WeakMap<CheckpointNode, readonly BlockNode[]>();
  private readonly plans = new WeakMap<CheckpointNode, PlanNode>();
  private readonly vocabularies = new WeakMap<CheckpointNode, VocabularyNode>();

  constructor(
    private readonly library: Pick<CheckpointLibrary, 'load'>,
    private readonly namedPlans: NamedPlans,
  ) {}

  /**
   * Returns nothing for a checkpoint that cannot be opened.
   * @param made what was made from it, which comes before its many blocks
   */
  async ofCheckpoint(node: CheckpointNode, made: readonly Node[]): Promise<Node[]> {
    const checkpoint = await this.library.load(node.entry.path).catch(() => undefined);
    if (!checkpoint) return [];
    const { embedding, norm, head, other } = tensorsByPlace(checkpoint);
    const part = (name: PartNode['name'], of: PartNode['part']): PartNode[] =>
      of.tensors.length === 0 ? [] : [{ kind: 'part', name, part: of, parent: node, checkpoint }];
    return [
      ...(checkpoint.architecture ? [this.planOf(node, checkpoint)] : []),
      ...this.namedPlansOf(node, checkpoint),
      ...made,
      ...(checkpoint.architecture ? [this.vocabularyOf(node, checkpoint)] : []),
      ...part('embedding', embedding),
      ...this.blocksOf(node, checkpoint),
      ...part('norm', norm),
      ...part('head', head),
      ...part('other', other),
    ];
  }

  ofBlock(node: BlockNode): Node[] {
    const { block, checkpoint } = node;
    const modules = (['attention', 'ffn', 'other'] as const).map((name) => {
      return { kind: 'part' as const, name, part: block[name], parent: node, checkpoint };
    });
    return modules.filter(({ part }) => part.tensors.length > 0);
  }

  /** The experts of an FFN are one line among its tensors. */
  ofPart(node: PartNode): Node[] {
    const { name, part, checkpoint } = node;
    const experts = name === 'ffn' ? expertsOf(part) : undefined;
    const tensors =
      experts === undefined ? part.tensors : part.tensors.filter((each) => !experts.tensors.includes(each));
    return [
      ...tensors.map((tensor) => ({ kind: 'tensor' as const, tensor, parent: node })),
      ...(experts
        ? [{ kind: 'part' as const, name: 'experts' as const, part: experts, parent: node, checkpoint }]
        : []),
    ];
  }

  /** A plan has a line even while it is empty: lines must not move under the pointer that clears the first checkbox. */
  private planOf(parent: CheckpointNode, checkpoint: Checkpoint): PlanNode {
    const before = this.plans.get(parent);
    if (before?.checkpoint === checkpoint) return before;
    const node = { kind: 'plan' as const, parent, checkpoint };
    this.plans.set(parent, node);
    return node;
  }

  private vocabularyOf(parent: CheckpointNode, checkpoint: Checkpoint): VocabularyNode {
    const before = this.vocabularies.get(parent);
    if (before?.checkpoint === checkpoint) return before;
    const node = { kind: 'vocabulary' as const, parent, checkpoint };
    this.vocabularies.set(parent, node);
    return node;
  }

  private namedPlansOf(parent: CheckpointNode, checkpoint: Checkpoint): NamedPlanNode[] {
    const subject = subjectOf(parent.entry.path, checkpoint);
    const plans = subject ? this.namedPlans.of(subject) : [];
    return plans.map((plan) => ({ kind: 'namedPlan', plan, parent, checkpoint }));
  }

  private blocksOf(parent: CheckpointNode, checkpoint: Checkpoint): readonly BlockNode[] {
    const before = this.blocks.get(parent);
    if (before?.[0]?.checkpoint === checkpoint) return before;
    const blocks = tensorsByPlace(checkpoint).blocks.map((block) => ({
      kind: 'block' as const,
      block,
      parent,
      checkpoint,
    }));
    this.blocks.set(parent, blocks);
    return blocks;
  }
}
