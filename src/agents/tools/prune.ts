/** Writes a checkpoint without some blocks. */
import { modelSize } from '../../engine/checkpoint/parameters';
import { requireHealable } from '../../engine/heal/healable';
import type { Criterion } from '../../engine/importance/criteria';
import { blocksToRemove } from '../../engine/importance/count';
import { candidatesOf, keepList } from '../../engine/importance/select';
import type { JsonObject } from '../../format/json';
import { JOBS } from '../../jobs/definitions';
import { prunedBytes } from '../../estimates/written-bytes';
import { l10n } from '../../l10n';
import { askWriting, modelWords, nameOf, type Opened, opened } from '../confirm';
import { chosen } from '../input';
import { jobTool } from '../job-tool';
import { type SelectionInput, selectionOf, sizeGoal } from '../selection';
import type { AgentContext } from '../tool';
import { selecting } from './plan';
import { withCalibration } from './score';

type Input = SelectionInput & { readonly checkpoint: string; readonly out: string };

const { options } = JOBS.prune;

export const prune = jobTool({
  name: 'coppice_prune',
  kind: 'prune',
  title: () => l10n.t('Prune Model'),
  description:
    'Writes a new checkpoint without some Transformer blocks. The source never changes, and nothing is overwritten. ' +
    'Choose the blocks as in coppice_plan, which is the dry run: by "blocks", or by "scores" with a size; or give a ' +
    '"criterion" with its calibration text and a size, and the blocks are scored first. "heal" also corrects the weights ' +
    'of the other blocks, which wins back a part of the loss: minutes with texts in "data", much longer where ' +
    'the model writes the text ("self"); the question tells the expected time. Returns the sizes, and the quality ' +
    'before and after if healed. Measure the result with coppice_evaluate.',
  effect: 'writes',
  options: {
    ...chosen(options, { checkpoint: 'the model' }),
    out: { ...options.out, required: true },
    ...selecting,
    ...chosen(options, {
      criterion: 'in place of scores: how to score first',
      calibration: 'with criterion: a text like those that the application sends',
      application: 'in place of calibration and data: the file or folder of the application',
      heal: 'then correct the weights of the other blocks in closed form, without training',
      data: 'with heal: texts for it, or "self" (the model writes the text); default: the calibration text, else self',
      tokens: 'with heal: tokens of that text',
    }),
  },
  given: givenOf,
  ask: async (given, context) => {
    const model = await opened(String(given.checkpoint), context.signal);
    const { checkpoint, architecture } = model;
    if (given.heal === true) requireHealable(architecture); // before anybody is asked
    const removed = expected(model, given);
    const lines = [
      l10n.t('Reads {0}.', modelWords(checkpoint)),
      given.blocks === undefined
        ? l10n.t('Chooses {0} of {1} blocks, and leaves them out.', removed.length, architecture.layers.length)
        : l10n.t('Leaves out {0} of {1} blocks: {2}.', removed.length, architecture.layers.length, removed.join(', ')),
    ];
    const bytes = await prunedBytes(checkpoint, removed, { signal: context.signal });
    const job = { kind: 'prune', options: given } as const;
    const writing = { out: String(given.out), bytes, job };
    return askWriting(l10n.t('Write a shorter {0}?', nameOf(checkpoint)), lines, writing, context);
  },
});

/** Blocks are chosen here where there are scores, and by the job where there is a criterion. */
async function givenOf(input: JsonObject, context: AgentContext) {
  const { checkpoint, targetBytes } = input as unknown as Input;
  if (input.criterion !== undefined && input.blocks === undefined && targetBytes === undefined) {
    return { options: withCalibration(input, context) };
  }
  const model = await opened(checkpoint, context.signal);
  const { removed, choice, warnings } = await selectionOf(model, input, context);
  const { scores: _, count: _count, ratio: _ratio, targetParams: _params, targetBytes: _bytes, ...rest } = input;
  const { keepEnds: _ends, criterion: _criterion, ...others } = rest;
  return { options: { ...others, blocks: removed, choice }, warnings };
}

/** The blocks that go; where they are not chosen yet, the first ones that may. */
function expected({ architecture }: Opened, given: JsonObject): readonly number[] {
  const { blocks, ...input } = given as SelectionInput & { readonly criterion?: Criterion };
  if (blocks !== undefined) return blocks;
  const size = modelSize(architecture);
  const open = candidatesOf([...architecture.layers.keys()], keepList(architecture.layers, input));
  return open.slice(0, blocksToRemove(sizeGoal(input)!, size));
}
