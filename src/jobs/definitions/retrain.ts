/** Trains an adapter on a model or a view of it, or all of its weights, and writes the adapter or the checkpoint. */
import { option, set } from '../../engine/option-token';
import { isObject, type JsonObject } from '../../format/json';
import { SELF } from '../healing-amounts';
import { l10n } from '../../l10n';
import { HEAL_FIRST, healsFirst, NO_HEALING } from '../heals-first';
import type { TrainingEvent } from '../../protocol/training';
import { joined, numberIn } from '../about';
import { type Complete, defineJob, type Fault, events } from '../define';
import { changeFact, field, nats, numberFact, perSecond, removedFact } from '../facts';
import { fileOr, flag, list } from '../option';
import { application } from '../options/application';
import { begin } from '../options/bos';
import { compute } from '../options/compute';
import { remove, source, width } from '../options/model';
import { out } from '../options/output';
import { trainedPrecision } from '../options/precision';
import { share } from '../options/calibration';
import {
  blockOptions,
  dataOptions,
  fullOptions,
  heldOutFault,
  loraOptions,
  trainingOptions,
} from '../options/training';
import { retrainResult } from '../results/retrain';

const options = {
  ...source,
  data: list(
    fileOr(['self'], 'a file of data'),
    'text, JSONL or JSON with "instruction" and "output", "messages" or "text"; repeat it for more files;\n' +
      'or self: the original writes the text',
    {
      noun: () => l10n.t('the training data'),
      required: true,
      unless: 'application',
      repeated: true,
      placeholder: 'file',
    },
  ),
  application: application('its training rows', 'data'),
  out: out('folder to write; it must not exist'),
  ...remove,
  ...width,
  heal: fileOr(
    [HEAL_FIRST, NO_HEALING],
    `${HEAL_FIRST}: heal before the training, with text that the original writes, as is done with ${option('remove')}\n` +
      `where nothing is said; ${NO_HEALING}: train the weights as they are; or a file of healed weights, which also\n` +
      'leaves out the blocks that they were found without',
    { noun: () => l10n.t('healing before the training'), placeholder: 'how' },
  ),
  resume: flag('continue a run that was stopped', { noun: () => l10n.t('resuming'), passing: true }),
  ...loraOptions,
  ...fullOptions,
  ...blockOptions,
  ...dataOptions,
  share: { ...share, group: dataOptions.length.group },
  bos: { ...begin.bos, group: dataOptions.prompt.group },
  ...trainingOptions,
  precision: trainedPrecision,
  ...compute,
};

export const retrain = defineJob({
  kind: 'retrain',
  summary: 'retrain a pruned model',
  description:
    `Trains a LoRA adapter, or the weights with ${option('full')}, and writes it. With ${option('remove')} it trains the model without those ` +
    `blocks, so you need not prune first. Ctrl-C stops and keeps the state of the training; ${option('resume')} continues it.`,
  examples: [
    './SmolLM2-135M --remove 10,12-16 --data alpaca.json --out ./adapter',
    './SmolLM2-24 --data alpaca.json --teacher ./SmolLM2-135M --out ./SmolLM2-24-retrained --merge',
    './SmolLM2-135M --remove 10,12-16 --data self --out ./adapter',
    './SmolLM2-135M --remove 10,12-16 --data alpaca.json --teacher ./SmolLM2-135M --where cuts --out ./adapter',
    './SmolLM2-135M --heal healed.patch.safetensors --data alpaca.json --out ./SmolLM2-24-retrained --merge',
    './SmolLM2-24 --full --data corpus.txt --lr 5e-5 --out ./SmolLM2-24-trained',
  ],
  noun: () => l10n.t('Retraining'),
  title: (model) => l10n.t('Retraining {0}', model),
  done: (model) => l10n.t('Retrained {0}', model),
  icon: 'mortar-board',
  made: { as: 'trained', icon: 'mortar-board', words: () => l10n.t('retrained') },
  makes: ({ merge: merged, full: whole }) => merged === true || whole === true,
  step: 'retrained',
  about: ({ before, best }, { written }) => joined(trainedWords(before, best), written),
  did: () => 'retrained',
  heals: (options) => healsFirst(options),
  facts: (result) => [
    ...removedFact(result),
    ...changeFact(
      'KL divergence by healing',
      field(healing(result), 'before'),
      field(healing(result), 'rounded'),
      'kl',
      nats,
    ),
    ...numberFact('steps', result.steps, String),
    ...changeFact('perplexity', field(result.likeness, 'before'), field(result.likeness, 'after'), 'ppl'),
    ...changeFact('KL divergence', field(result.likeness, 'before'), field(result.likeness, 'after'), 'kl', nats),
    ...numberFact('held-out loss', field(result.best, 'loss'), nats),
    ...numberFact('speed', result.tokensPerSecond, perSecond),
  ],
  options,
  application: (path) => ({ data: [path], share: 'training' }),
  check: (given) => methodFault(given) ?? heldOutFault(given) ?? dataFault(given),
  result: retrainResult,
  event: events<TrainingEvent>(),
});

/** The stages of the healing before the training, by rows that were not fitted. */
const healing = (result: JsonObject): unknown => field(result.healing, 'heldOut');

type RetrainOptions = Complete<typeof options>;

/** Options of an adapter and of full training exclude each other. */
function methodFault(given: RetrainOptions): Fault | undefined {
  const { full, init, initAdapter, heal, remove, merge, dtype, where, precision } = given;
  if (init && where !== undefined && where !== 'all') {
    return {
      what: `${option('init')} and ${option('where', where)} exclude each other`,
      why: 'blocks with random weights that are not trained are of no use',
      action: 'Leave one out.',
    };
  }
  if (heal === HEAL_FIRST && remove === undefined) {
    return {
      what: `${option('heal', HEAL_FIRST)} needs ${option('remove')}`,
      why: 'no block is left out, so there is nothing to heal',
      action: `Name the blocks to leave out, as in ${option('remove', '13-18')}, or leave ${option('heal')} out.`,
    };
  }
  if (initAdapter !== undefined && heal === HEAL_FIRST) {
    return {
      what: `${option('initAdapter')} and ${option('heal', HEAL_FIRST)} exclude each other`,
      why: 'an adapter goes on from the weights that it was trained on',
      action: 'Leave one out.',
    };
  }
  if (init && heal !== undefined && heal !== NO_HEALING) {
    return {
      what: `${option('init')} and ${option('heal')} exclude each other`,
      why: 'random weights take the place of the healed ones',
      action: 'Leave one out.',
    };
  }
  if (full && precision === 'int8') {
    return {
      what: `${option('precision', 'int8')} and ${option('full')} exclude each other`,
      why: 'int8 computes products of frozen weights, and full training freezes none',
      action: `Leave ${option('precision')} out.`,
    };
  }
  if (full) {
    const lora = (['rank', 'alpha', 'dropout', 'targets', 'initAdapter', 'merge'] as const).find(
      (name) => given[name] !== undefined && given[name] !== false,
    );
    if (lora === undefined) return undefined;
    return {
      what: `${option(lora)} and ${option('full')} exclude each other`,
      why: `${option(lora)} applies to an adapter only`,
      action: 'Leave one out.',
    };
  }
  if (init) {
    return {
      what: `${option('init')} needs ${option('full')}`,
      why: 'an adapter starts from the weights of its model',
      action: `${set('full', true, 'add')}.`,
    };
  }
  if (dtype === undefined || merge) return undefined;
  return {
    what: `${option('dtype')} needs ${option('merge')} or ${option('full')}`,
    why: 'an adapter is always written as float32',
    action: `Leave ${option('dtype')} out.`,
  };
}

function dataFault(given: RetrainOptions): Fault | undefined {
  const { data, selfTokens, teacher } = given;
  if (data.includes(SELF) && data.length > 1) {
    return {
      what: `${option('data', SELF)} excludes other data`,
      why: 'other data are given too',
      action: 'Use either the files or self.',
    };
  }
  if (selfTokens !== undefined && !data.includes(SELF)) {
    return {
      what: `${option('selfTokens')} applies to ${option('data', SELF)} only`,
      why: 'the data are files',
      action: `Leave ${option('selfTokens')} out.`,
    };
  }
  const alone = (['teacherWeight', 'hiddenWeight'] as const).find((name) => given[name] !== undefined);
  if (alone === undefined || teacher !== undefined) return undefined;
  return {
    what: `${option(alone)} needs a teacher`,
    why: `${option('teacher')} is not given`,
    action: `Add ${option('teacher', 'CHECKPOINT')}.`,
  };
}

const trainedWords = (before: unknown, best: unknown): string =>
  isObject(before) && isObject(best) ? `held-out perplexity ${numberIn(before.ppl, 4)} → ${numberIn(best.ppl, 4)}` : '';
