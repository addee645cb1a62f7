/** Says beforehand what speculative decoding gains: a draft proposes tokens, which the model checks several at once. */
import { PAIR_TYPES, RUNTIME_FACTS, RUNTIMES } from '../../engine/draft/runtimes';
import { option, value } from '../../engine/option-token';
import { isObject } from '../../format/json';
import { formatNumber } from '../../format/numbers';
import { l10n } from '../../l10n';
import { joined } from '../about';
import { defineJob } from '../define';
import { numberFact } from '../facts';
import { amount, bytes, checkpoint, choice, file, fileOr, flag, folder, list, whole } from '../option';
import { begin } from '../options/bos';
import { compute } from '../options/compute';
import { consumers } from '../options/consumers';
import { remove, source } from '../options/model';
import { SELF } from '../healing-amounts';
import { draftResult } from '../results/draft';

/** Of each prompt. */
const NEW_TOKENS = 128;
const HELD_OUT = 16;

const options = {
  ...source,
  drafts: list(checkpoint('a draft'), 'other models with the same vocabulary, to be tried as drafts', {
    argument: true,
  }),
  for: choice(RUNTIMES, `the program that runs both: ${RUNTIMES.join(', ')}`, {
    required: true,
    noun: () => l10n.t('the program that runs both'),
    placeholder: 'runtime',
    recorded: true,
  }),
  prompts: file(
    'prompts of the application: one a line, a JSON list or JSON lines; or {"rows": […]} with the ids of each "prompt" and, in "ids", those that the model wrote',
    { required: true, noun: () => l10n.t('a file of prompts') },
  ),
  heldOut: whole(
    'prompts at the end of the file that decide nothing: the chosen draft is judged by them (default: a quarter, at most 16)',
    {
      min: 0,
      noun: () => l10n.t('the prompts held out'),
      placeholder: 'n',
    },
  ),
  chat: flag('format each prompt as a user message with the chat template', { recorded: true }),
  maxNewTokens: whole('tokens that the model writes for each prompt', {
    default: NEW_TOKENS,
    recorded: true,
    noun: () => l10n.t('tokens of each prompt'),
  }),
  temperature: amount('how the application draws tokens: 0 takes the most likely one', {
    default: 0,
    recorded: true,
    noun: () => l10n.t('the temperature'),
    placeholder: 't',
  }),
  targetType: choice(PAIR_TYPES, `type in which the model ships (default: as it is stored; for genai f32)`, {
    noun: () => l10n.t('the type of the model'),
    placeholder: 'name',
  }),
  remove: { ...remove.remove, help: `one draft: the model without these blocks, ${value('parts', '10,12-14')}` },
  heal: fileOr([SELF], `one draft: with these healed weights; without a file they are healed on the model's own text`, {
    noun: () => l10n.t('the healed weights of the draft'),
    alone: SELF,
  }),
  type: choice(PAIR_TYPES, `one draft: in this type (default: the model's)`, {
    noun: () => l10n.t('the type of the draft'),
    placeholder: 'name',
  }),
  costs: file('what passes cost, measured before: {"rows": [1, 2, 4], "v": [1, 1.2, 1.5], "c": 0.4}', {
    noun: () => l10n.t('a file of costs'),
  }),
  maxBytes: bytes('leave out drafts with more bytes', {
    noun: () => l10n.t('the bytes of a draft'),
    placeholder: 'size',
  }),
  out: folder('write the pair to this folder; it must not exist', {
    writes: true,
    usual: 'always',
    noun: () => l10n.t('the folder of the pair'),
  }),
  force: flag('write the pair although it does not pay', { noun: () => l10n.t('the refusal') }),
  ...begin,
  ...consumers('measure costs in the program itself, and run the written pair there, where it is installed'),
  ...compute,
};

export const draft = defineJob({
  kind: 'draft',
  summary: 'say what a draft would gain: the same text, faster',
  description:
    'A draft is a small copy of a model that proposes tokens, which the model itself checks several at once: the text stays its own. ' +
    'Whether that is faster depends on how often the two agree, on what a pass of the draft costs, and on what the model pays for ' +
    'reading several rows at once. One pass of both over the text of the model gives the passes that would be needed for every length ' +
    'of a draft, exactly, before anything ships. Where no draft gains 10 % it says what is to blame, and ends with code 3. ' +
    `With ${option('out')} it writes both models for the program, and runs them. The source never changes.`,
  notes:
    'The model itself in 8 and in 4 bits is always tried. Other drafts are named: blocks that are left out, or other models.\n' +
    'Costs are those of this machine, measured in the program itself or given in a file; for genai without either in onnxruntime.',
  examples: [
    './SmolLM2-135M --for genai --prompts prompts.txt',
    './SmolLM2-135M --for genai --prompts prompts.txt --type q4_0 --out ./SmolLM2-pair',
    './SmolLM2-135M-f16.gguf ./smaller-q8_0.gguf --for llama.cpp --prompts prompts.jsonl --consumers',
    './SmolLM2-135M --for transformers --prompts prompts.txt --remove 13-18 --heal --costs costs.json --json',
  ],
  noun: () => l10n.t('Draft'),
  title: (model, { out }) =>
    out === undefined ? l10n.t('Forecasting drafts for {0}', model) : l10n.t('Writing {0} with a draft', model),
  done: (model, { out }) =>
    out === undefined ? l10n.t('Forecast drafts for {0}', model) : l10n.t('Wrote {0} with a draft', model),
  icon: 'zap',
  measures: true,
  step: 'draft',
  refuses: ({ verdict, why }) => (verdict === 'refused' ? String(why) : undefined),
  about: ({ chosen, verdict }) =>
    joined(
      verdict === 'refused' ? l10n.t('no draft pays') : '',
      isObject(chosen) && typeof chosen.speedup === 'number'
        ? l10n.t('{0} × as fast', formatNumber(chosen.speedup, 3))
        : '',
    ),
  facts: ({ chosen, runtime, verdict }) => [
    ...(isObject(runtime) && typeof runtime.name === 'string' ? [['program', runtime.name] as const] : []),
    ...(typeof verdict === 'string' ? [['verdict', verdict] as const] : []),
    ...(isObject(chosen)
      ? [
          ...numberFact('proposed tokens that are taken, mean chance', chosen.agree),
          ...numberFact('tokens of a pass', chosen.tokensPerRound),
          ...numberFact('times as fast', chosen.speedup),
        ]
      : []),
  ],
  options,
  check: ({ for: runtime, type, targetType, drafts = [], remove: removed, heal }) => {
    const { title, types } = RUNTIME_FACTS[runtime];
    const [name, wrong] = [['type', type] as const, ['targetType', targetType] as const].find(
      ([, each]) => each !== undefined && !types.includes(each),
    ) ?? ['type', undefined];
    if (wrong !== undefined) {
      return {
        what: `${option(name, wrong)} is no type for ${title}`,
        why: `these are: ${types.join(', ')}`,
        action: 'Give one of them.',
      };
    }
    if (drafts.length === 0 || [removed, heal, type].every((each) => each === undefined)) return undefined;
    return {
      what: 'It is not clear which draft is meant',
      why: `${option('remove')}, ${option('heal')} and ${option('type')} name one that is made of the model, and other models are given too`,
      action: 'Give one or the other.',
    };
  },
  result: draftResult,
});

/** Prompts that are held out where the caller does not say: a quarter of them at most. */
export const heldOutOf = (prompts: number, given: number | undefined): number =>
  given ?? Math.min(HELD_OUT, Math.floor(prompts / 4));
