/** A dry run of pruning: what would go, and what that saves. Writes nothing. */
import { isQuantizedGguf } from '../../engine/checkpoint/gguf/name';
import { checkpointReduction, describeReduction } from '../../engine/checkpoint/reduction';
import { choiceSentence } from '../../engine/importance/choice';
import { type ConfigEdit, configEdits } from '../../engine/write/config';
import { isObject } from '../../format/json';
import { formatBytes, formatFactor } from '../../format/numbers';
import { JOBS } from '../../jobs/definitions';
import { bytes, text } from '../../jobs/option';
import { planEffect } from '../../jobs/plan-effect';
import { prunedBytes } from '../../estimates/written-bytes';
import { l10n } from '../../l10n';
import { answerText, type Piece } from '../answer';
import { opened, type Opened } from '../confirm';
import { chosen, inputSchema, readInput } from '../input';
import { warningLine } from '../job-answer';
import { type Selection, type SelectionInput, selectionOf } from '../selection';
import type { AgentTool } from '../tool';

const NAME = 'coppice_plan';

const CHOSEN_BY_SIZE = ['blocks', 'count', 'ratio', 'targetParams'];

/** What chooses the blocks, of the tools that plan and write. */
export const selecting = {
  ...chosen(JOBS.prune.options, { blocks: 'remove exactly these blocks, numbered from 0: [10, 12, 13]' }),
  scores: text('choose by these scores: id of a finished coppice_score job ("score-1"), or the path of its record', {
    conflicts: ['blocks', 'criterion'],
  }),
  ...chosen(JOBS.prune.options, {
    count: true,
    ratio: 'remove at most this share of all parameters: 0.25 for a quarter',
    targetParams: 'keep at least this many parameters: 110000000',
  }),
  targetBytes: bytes('remove as few blocks as make the written weights at most this large, in bytes: 100000000', {
    conflicts: CHOSEN_BY_SIZE,
  }),
  ...chosen(JOBS.prune.options, {
    keep: 'more blocks that must stay, numbered from 0',
    keepEnds:
      'keep the first four blocks and the last two, which matter most; leave it on unless the model is very short',
  }),
};

const options = { ...chosen(JOBS.prune.options, { checkpoint: 'the model' }), ...selecting };

export const plan: AgentTool = {
  name: NAME,
  title: () => l10n.t('Plan Pruning'),
  description:
    'Says what pruning would do, without writing anything: the blocks that would go, parameters and bytes before and ' +
    'after, the expected speed, changes of config.json. Choose blocks by "scores" (from coppice_score) with one of ' +
    '"count", "ratio", "targetParams" and "targetBytes"; or name them in "blocks". Show the plan to the user before ' +
    'coppice_prune.',
  input: inputSchema(options),
  effect: 'reads',
  async run(input, context) {
    const given = (await readInput(NAME, options, input, context.paths)) as unknown as SelectionInput & {
      readonly checkpoint: string;
    };
    const model = await opened(given.checkpoint, context.signal);
    return answerText(await planPage(model, await selectionOf(model, given, context)), context.budget);
  },
};

async function planPage(
  { checkpoint, architecture }: Opened,
  { removed, choice, warnings }: Selection,
): Promise<Piece[]> {
  const { speedup, kept } = planEffect(checkpoint, removed);
  const reduction = checkpointReduction(checkpoint, removed);
  const pruned = await prunedBytes(checkpoint, removed);
  const edits = configEdits(checkpoint.config ?? {}, architecture, kept);
  return [
    ...warnings.map(warningLine),
    ...describeReduction(reduction),
    isQuantizedGguf(checkpoint)
      ? `size        ${formatBytes(reduction.bytesAfter)} exported as GGUF with its types; ` +
        `coppice_prune converts to float32: ${formatBytes(pruned)}, for retraining`
      : `size        ${formatBytes(pruned)}`,
    `speed       about ${formatFactor(speedup)} as fast at writing text, by the weights read for a token (not measured)`,
    `choice      ${choiceSentence(choice, removed)}`,
    `config.json ${edits.map((edit) => editWords(edit, checkpoint.config ?? {})).join('; ') || 'no change'}`,
    `Nothing was written. To write it: coppice_prune with "blocks": [${removed.join(', ')}], or with the same input, and "out".`,
  ];
}

/** "num_hidden_layers 12 → 9" */
function editWords(edit: ConfigEdit, config: Readonly<Record<string, unknown>>): string {
  const path = edit.path.join('.');
  switch (edit.kind) {
    case 'set':
      return `${path} ${JSON.stringify(valueAt(config, edit.path)) ?? '(absent)'} → ${JSON.stringify(edit.value)}`;
    case 'remove':
      return `${path} goes`;
    case 'keep':
      return `${path} keeps ${edit.indices.length} entries, those of the kept blocks`;
    case 'renumber':
      return `${path} becomes ${JSON.stringify(edit.value)}`;
  }
}

const valueAt = (config: unknown, path: readonly string[]): unknown =>
  path.reduce((value: unknown, key) => (isObject(value) ? value[key] : undefined), config);
