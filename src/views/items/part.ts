/** The lines of modules, of the parts outside the blocks, and of single tensors. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { expertsIn } from '../../engine/checkpoint/kinds/parts';
import type { Checkpoint } from '../../engine/checkpoint/types';
import type { TensorInfo } from '../../engine/formats/tensor';
import { tensorPlace } from '../../engine/formats/tensor-place';
import type { Node, PartNode } from '../../state/nodes';
import { type BlockTensors, nameInModule, type TensorGroup } from '../../state/model-tensors';
import { formatBytes, formatCount, formatShare, shortCount } from '../../format/numbers';

const ICONS: Readonly<Record<PartNode['name'], string>> = {
  embedding: 'symbol-array',
  norm: 'symbol-ruler',
  head: 'symbol-key',
  other: 'symbol-misc',
  attention: 'eye',
  ffn: 'symbol-operator',
  experts: 'type-hierarchy',
};

export function partItem({ name, part, parent, checkpoint }: PartNode): vscode.TreeItem {
  const item = new vscode.TreeItem(partLabel(name), vscode.TreeItemCollapsibleState.Collapsed);
  const block = blockOf(parent);
  const at = block ? `${block.index}` : '';
  item.id = `part:${checkpoint.path}:${checkpoint.identity}:${at}:${name}`;
  item.contextValue = 'part';
  item.iconPath = new vscode.ThemeIcon(ICONS[name]);
  const tied = name === 'embedding' && checkpoint.architecture?.tied === true;
  const size = [shortCount(part.parameters), formatBytes(part.bytes)];
  const of = name === 'experts' && block ? expertWords(checkpoint, block, part) : [];
  item.description = [...size, ...of, ...(tied ? [vscode.l10n.t('tied')] : [])].join(' · ');
  const amount = [formatCount(part.parameters), formatBytes(part.bytes)];
  const facts =
    part.tensors.length === 1
      ? vscode.l10n.t('{0} parameters, {1}, 1 tensor', ...amount)
      : vscode.l10n.t('{0} parameters, {1}, {2} tensors', ...amount, part.tensors.length);
  item.tooltip = tied ? `${facts}\n${vscode.l10n.t('Tied: also used as the LM head.')}` : facts;
  return item;
}

/** The block that a module, or a part of one, belongs to. */
function blockOf(parent: Node): BlockTensors | undefined {
  if (parent.kind === 'part') return blockOf(parent.parent);
  return parent.kind === 'block' ? parent.block : undefined;
}

/** How many experts there are, how many a token uses, and what share of the block they are. */
function expertWords({ architecture }: Checkpoint, block: BlockTensors, { bytes }: TensorGroup): string[] {
  const layer = architecture?.layers[block.index];
  const experts = layer && expertsIn(layer);
  const share = vscode.l10n.t('{0} of the block', formatShare(bytes, block.bytes));
  return [...(experts ? [vscode.l10n.t('{0} of {1} for a token', experts.chosen, experts.count)] : []), share];
}

export function tensorItem(tensor: TensorInfo): vscode.TreeItem {
  const { name, dtype, shape, bytes } = tensor;
  const { file, firstByte } = tensorPlace(tensor);
  const item = new vscode.TreeItem(nameInModule(name));
  item.id = `tensor:${file}:${firstByte}:${name}`;
  item.contextValue = 'tensor';
  item.iconPath = new vscode.ThemeIcon('symbol-numeric');
  item.description = `${dtype} · ${shape.join(' × ') || vscode.l10n.t('scalar')} · ${formatBytes(bytes)}`;
  item.tooltip = [
    name,
    `${dtype} [${shape.join(', ')}], ${bytes === 1 ? vscode.l10n.t('1 byte') : vscode.l10n.t('{0} bytes', formatCount(bytes))}`,
    vscode.l10n.t('{0}, from byte {1}', basename(file), formatCount(firstByte)),
  ].join('\n');
  return item;
}

function partLabel(name: PartNode['name']): string {
  switch (name) {
    case 'embedding':
      return vscode.l10n.t('Embedding');
    case 'norm':
      return vscode.l10n.t('Final norm');
    case 'head':
      return vscode.l10n.t('LM head');
    case 'other':
      return vscode.l10n.t('Other tensors');
    case 'attention':
      return vscode.l10n.t('Attention');
    case 'ffn':
      return vscode.l10n.t('FFN');
    case 'experts':
      return vscode.l10n.t('Experts');
  }
}
