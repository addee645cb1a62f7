/** The model card (README.md) of a pruned checkpoint: what was done to which model, and its licence. */
import { readSmallFile } from '../files/regular-file';
import { isGgufCheckpoint } from '../checkpoint/gguf/name';
import type { Checkpoint } from '../checkpoint/types';
import { openGguf } from '../formats/gguf/file';
import { inline, table } from '../markdown';
import { modelName } from '../records/record';
import { type Choice, choiceSentence } from '../importance/choice';
import { describeReduction, type Reduction } from '../checkpoint/reduction';
import { type Loading, loadingOf, widthSentence } from './loading';
import { isKnownToOthers, mergekitRecipe, pruneLayersCommand } from './recipes';
import { join } from 'node:path';

/** Fields of the source's card about licence and language, which apply to the pruned model too. */
export type InheritedFields = readonly string[];

/** Even cards with thousands of lines of results are smaller than this. */
const MAX_CARD_BYTES = 4_000_000;
const INHERITED = /^(license|license_name|license_link|language): *(\S.*)$/;
const LIST_ITEM = /^ *- +[\w-]+ *$/;

/** Reads the inherited fields of the source's card, or of a GGUF file's metadata, as lines of YAML; none without either. */
export async function inheritedFields(checkpoint: Checkpoint): Promise<InheritedFields> {
  if (isGgufCheckpoint(checkpoint)) return licenceOf(checkpoint);
  const { folder } = checkpoint;
  let text: string;
  try {
    text = (await readSmallFile(join(folder, 'README.md'), MAX_CARD_BYTES)).toString('utf8');
  } catch {
    return []; // the card is optional: without one, nothing is inherited
  }
  const front = /^---\r?\n([\s\S]*?)\r?\n---/.exec(text)?.[1] ?? '';
  const fields: string[] = [];
  let inList = false;
  for (const line of front.split(/\r?\n/)) {
    if (INHERITED.test(line)) fields.push(line.trimEnd());
    if (line.trimEnd() === 'language:') fields.push('language:');
    else if (inList && LIST_ITEM.test(line)) fields.push(line.trimEnd());
    inList = line.trimEnd() === 'language:' || (inList && LIST_ITEM.test(line));
  }
  return fields;
}

async function licenceOf({ home: file }: Checkpoint): Promise<InheritedFields> {
  const { metadata } = await openGguf(file);
  return ['license', 'license.name', 'license.link'].flatMap((key) => {
    const value = metadata.get(`general.${key}`)?.value;
    return typeof value === 'string' ? [`${key.replace('.', '_')}: ${JSON.stringify(value)}`] : [];
  });
}

/** The YAML front matter of a card, which the hub reads. */
export function cardFront(
  checkpoint: Checkpoint,
  tags: readonly string[],
  inherited: InheritedFields,
  { isStock }: Pick<Loading, 'isStock'>,
): string {
  const name = modelName(checkpoint);
  const fields = [
    ...(isStock ? ['library_name: transformers'] : []),
    'pipeline_tag: text-generation',
    // Only a Hugging Face cache shows reliably that a name is a repository's.
    ...(name.includes('/') ? [`base_model: ${JSON.stringify(name)}`] : []),
    ...inherited,
    'tags:',
    ...new Set([...tags, ...(checkpoint.narrowing ? ['pruned', 'width-pruning'] : [])].map((tag) => `- ${tag}`)),
  ];
  return `---\n${fields.join('\n')}\n---\n`;
}

/** Content of a card in addition to the reduction. */
export interface CardFacts {
  /** How the blocks were chosen; not mentioned when undefined. */
  readonly choice?: Choice;
  /** The settings of the run record. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly inherited: InheritedFields;
}

/** How the weights of the source are in the new checkpoint. */
function howKept(checkpoint: Checkpoint): string {
  if (isGgufCheckpoint(checkpoint)) return 'number for number, where it has quantized blocks in float32';
  return checkpoint.narrowing ? 'number for number' : 'byte for byte';
}

/** The text of the card. */
export function modelCard(
  checkpoint: Checkpoint,
  reduction: Reduction,
  { choice, settings, inherited }: CardFacts,
): string {
  const name = modelName(checkpoint);
  const shown = inline(name);
  const before = reduction.kept.length + reduction.removed.length;
  const loading = loadingOf(checkpoint, reduction.kept);
  const narrower = widthSentence(checkpoint);
  return `${cardFront(checkpoint, ['pruned', 'depth-pruning', 'coppice'], inherited, loading)}
# ${shown}, ${reduction.kept.length} of ${before} blocks

This is ${shown} without ${reduction.removed.length} of its ${before} Transformer blocks, made by Coppice. All weights that are left
are the original's, ${howKept(checkpoint)}; none was retrained. The blocks were renumbered and the config follows.${narrower === undefined ? '' : `\n${narrower}`}

\`\`\`
${describeReduction(reduction).join('\n')}
\`\`\`

Expect worse text than the original's; the more blocks are removed, the worse. Measure before you use it. ${loading.sentence}
\`coppice.json\` is the record of the run that made it.

${settingsTable('How the blocks were chosen', settings, choice && choiceSentence(choice, reduction.removed))}${otherTools(checkpoint, name, reduction)}The method is that of *Shortened LLaMA: A Simple Depth Pruning for Large Language Models* (Kim et al., 2024,
arXiv:2402.02834).
`;
}

/** How other tools remove the same blocks; empty for a model that they do not know. */
function otherTools(checkpoint: Checkpoint, name: string, { slices, removed }: Reduction): string {
  if (!isKnownToOthers(checkpoint)) return '';
  return `## The same with other tools

mergekit:

\`\`\`yaml
${mergekitRecipe(name, slices, checkpoint).trimEnd()}
\`\`\`

llama.cpp, from a GGUF of the original:

\`\`\`sh
${pruneLayersCommand(removed)}
\`\`\`

`;
}

/** A section with a row for every setting, after the sentence `intro`; empty if there is neither. */
export function settingsTable(title: string, settings: Readonly<Record<string, unknown>>, intro?: string): string {
  const rows = Object.entries(settings)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]);
  const parts = [
    ...(intro === undefined ? [] : [intro]),
    ...(rows.length === 0 ? [] : [table(['setting', 'value'], rows)]),
  ];
  return parts.length === 0 ? '' : `## ${title}\n\n${parts.join('\n\n')}\n\n`;
}
