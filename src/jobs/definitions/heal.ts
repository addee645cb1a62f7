/** Heals a model after blocks were left out: corrects its weights in closed form, without training. */
import type { Choice } from '../../engine/importance/choice';
import { option, value } from '../../engine/option-token';
import { isObject, type JsonObject } from '../../format/json';
import { l10n } from '../../l10n';
import { joined, numberIn, removedWords } from '../about';
import { type Complete, defineJob, excluding, type Fault } from '../define';
import { changeFact, field, nats, removedFact } from '../facts';
import { data, file, folder } from '../option';
import { application } from '../options/application';
import { begin } from '../options/bos';
import { calibration, share } from '../options/calibration';
import { compute } from '../options/compute';
import { healing, healingText } from '../options/healing';
import { adapter, remove, source, width } from '../options/model';
import { healResult } from '../results/heal';

const options = {
  ...source,
  remove: {
    ...remove.remove,
    help: `blocks and modules to leave out: ${value('parts', '10,12-14')} or ${value('parts', '10.attention,12.ffn')}`,
  },
  ...width,
  choice: data<Choice>('how the blocks were chosen, for the record and the model card (default: by hand)'),
  ...healing,
  application: application('its healing rows', 'calibration', 'data'),
  calibration: excluding(calibration.calibration, 'data'),
  ...healingText,
  seed: calibration.seed,
  share,
  ...begin,
  ...adapter,
  adapter: {
    ...adapter.adapter,
    help: 'heal the model with this LoRA adapter, which the new weights then include; also leaves out the blocks that it was trained without',
  },
  out: folder('folder of the new checkpoint; it must not exist', {
    writes: true,
    usual: 'alone',
    noun: () => l10n.t('output folder'),
  }),
  patch: file(
    `file of the new weights alone, for ${option('heal')}; it must not exist; the editor knows it by the end .patch.safetensors`,
    {
      writes: true,
      noun: () => l10n.t('the file of new weights'),
    },
  ),
  ...compute,
};

export const heal = defineJob({
  kind: 'heal',
  summary: 'correct a pruned model by least squares, without training',
  description:
    'Leaves out blocks and corrects the weights of the others in closed form, so that the hidden states follow those of the ' +
    'original. Only weights change: the new checkpoint is an ordinary one. Rows that are not fitted decide whether the ' +
    'healed weights are better; if not, the plain ones are kept. The source never changes.',
  examples: [
    './SmolLM2-135M --remove 13-18 --out ./SmolLM2-24-healed',
    './SmolLM2-135M --remove 13-18 --data prose.txt --tokens 8192 --out ./SmolLM2-24-healed',
    './SmolLM2-135M --remove 5,12.ffn --calibration rows.json --patch healed.patch.safetensors',
  ],
  noun: () => l10n.t('Healing'),
  title: (model) => l10n.t('Healing {0}', model),
  done: (model) => l10n.t('Healed {0}', model),
  icon: 'heart',
  made: { as: 'pruned', icon: 'fold', words: ({ healed }) => (healed ? l10n.t('pruned, healed') : l10n.t('pruned')) },
  makes: () => true,
  step: 'healed',
  about: (result, { written }) => joined(removedWords(result.removed), healedWords(result), written),
  heals: () => true,
  did: () => 'healed',
  facts: (result) => [
    ...removedFact(result),
    ...changeFact('KL divergence', field(result.heldOut, 'before'), field(result.heldOut, 'after'), 'kl', nats),
    ...changeFact('perplexity', field(result.heldOut, 'before'), field(result.heldOut, 'after'), 'ppl'),
  ],
  options,
  application: (path) => ({ data: [path], share: 'healing' }),
  check: outputFault,
  result: healResult,
});

function outputFault({ adapter: folder, remove: parts, width: narrowed }: Complete<typeof options>): Fault | undefined {
  if ((parts ?? folder ?? narrowed) !== undefined) return undefined;
  return {
    what: 'There is nothing to heal',
    why: `${option('remove')} is not given`,
    action: `Name the blocks to leave out, as in ${option('remove', '13-18')}.`,
  };
}

function healedWords({ heldOut, fit, weights }: JsonObject): string {
  const stages = isObject(heldOut) ? heldOut : fit;
  if (weights === 'plain') return 'healing did not help: plain weights';
  if (!isObject(stages) || !isObject(stages.before) || !isObject(stages.rounded)) return '';
  return `perplexity of its text ${numberIn(stages.before.ppl, 4)} → ${numberIn(stages.rounded.ppl, 4)}`;
}
