/** What lies beside the models of a pair: a README, and a program where there is a short one. */
import { PAIR_NAME } from '../../engine/draft/pair-file';
import { type Runtime, RUNTIME_FACTS } from '../../engine/draft/runtimes';
import { codeSpan, inline } from '../../engine/markdown';
import { genaiSpeculate, llamaServer, nodeSpeculate, pythonSpeculate } from '../../engine/write/programs/speculate';
import { formatCount, formatNumber, formatPercent } from '../../format/numbers';
import { formatCounted } from '../../format/words';
import type { PairVerified } from '../results/draft';
import type { Pair, PairModel } from './draft-pair';

/** What is known of the two models, for people. */
export interface PairFacts {
  /** Name of the model. */
  readonly name: string;
  /** What they are, as `modelWords`. */
  readonly target: string;
  readonly draft: string;
  /** YAML of the card, with the licence. */
  readonly front: string;
  readonly verified: PairVerified | null;
  /** Nothing was forecast for the length. */
  readonly unforeseen?: boolean;
}

/** "SmolLM2-135M without 13, 14, healed, q4_0" */
export function modelWords({ type, remove = [], heal }: PairModel, name: string): string {
  const without = remove.length === 0 ? '' : ` without ${remove.join(', ')}`;
  const healed = heal === undefined ? '' : ', healed';
  return `${inline(name)}${without}${healed}, ${type === 'stored' ? 'each weight as it was stored' : type}`;
}

/** By runtime: the program of the folder, if there is one. */
export const PAIR_SCRIPTS: Readonly<Partial<Record<Runtime, readonly [name: string, text: (pair: Pair) => string]>>> = {
  transformers: ['speculate.py', pythonSpeculate],
  'node-llama-cpp': ['speculate.mjs', nodeSpeculate],
};

const HOW: Readonly<Record<Runtime, (pair: Pair) => string>> = {
  genai: (pair) =>
    `In Python, in this folder (\`pip install onnxruntime-genai\`):\n\n\`\`\`python\n${genaiSpeculate(pair)}\`\`\`\n\n` +
    'The draft is set in `genai_config.json`, so any program that opens the folder with onnxruntime-genai uses it: one text at a ' +
    'time, without beams and `no_repeat_ngram_size`. transformers.js and onnxruntime load `onnx` alone; `examples` has programs for both, without the draft.',
  transformers: () =>
    '```sh\npip install torch transformers\npython speculate.py "Once upon a time"\n```\n\n' +
    'For another program: give `generate` the draft as `assistant_model`, and set the three lines of `speculate.py` that begin with `draft.generation_config`. Without them transformers changes the length by itself.',
  'llama.cpp': (pair) =>
    `\`\`\`sh\n${llamaServer(pair, 'posix')}\`\`\`\n\n` +
    'Older versions call the last options `--draft-max` and `--draft-p-min`.',
  'node-llama-cpp': () =>
    '```sh\nnpm install node-llama-cpp\nnode speculate.mjs "Once upon a time"\n```\n\n' +
    'The program is a loop over functions that node-llama-cpp has for all, and may be copied. Its own `DraftSequenceTokenPredictor` takes one proposed token of a round at most (seen in 3.22.1), so it gains less than the forecast.',
};

/** README.md of the folder. */
export function pairReadme(pair: Pair, { name, target, draft, front, verified, unforeseen }: PairFacts): string {
  const { runtime, length, threshold, temperature } = pair;
  const { title } = RUNTIME_FACTS[runtime];
  const ends =
    threshold === 0 ? '' : ` A token that the draft finds less likely than ${threshold} ends what it proposes.`;
  const drawn =
    temperature === 0
      ? 'With the most likely token each time the text is that of the model alone.'
      : `Drawn at temperature ${temperature}, texts are as likely as those of the model alone.`;
  return [
    front.trimEnd(),
    `# ${inline(name)} with a draft, for ${title}`,
    `Two models: the target, whose text it is, and a draft, which proposes tokens. The target reads several of them in one pass and keeps those that it agrees with. ${drawn}`,
    `- target: ${target}\n- draft: ${draft}\n- The draft proposes at most ${formatCounted(length, 'token')} at once.${ends}`,
    '## How to run it',
    HOW[runtime](pair),
    '## What was forecast',
    unforeseen ? 'Nothing for this length.' : forecastWords(pair),
    '## What was checked',
    verified ? verifiedWords(verified) : 'The pair was not run when it was written.',
    `${codeSpan('coppice verify . --consumers')} in this folder repeats the check: the hash of every file, which ${codeSpan(PAIR_NAME)} has, and the texts and passes.`,
    `## License\n\nThe license is that of ${inline(name)}.`,
  ]
    .join('\n\n')
    .concat('\n');
}

function forecastWords({ texts }: Pair): string {
  if (texts.length === 0) return 'Nothing: there are no texts of the model beside it.';
  const tokens = texts.reduce((sum, { ids }) => sum + ids.length, 0);
  const rounds = texts.reduce((sum, text) => sum + text.rounds, 0);
  return (
    `For ${formatCounted(texts.length, 'text')} that the model writes, ${formatCounted(tokens, 'token')}: ${formatCount(rounds)} passes of the target, ` +
    `${formatNumber(tokens / rounds, 3)} tokens a pass. Whether that is faster depends on the machine: ${codeSpan('coppice draft')} measures it.`
  );
}

export function verifiedWords({ by, texts, textsEqual, rounds, forecastRounds }: PairVerified): string {
  const more = forecastRounds === 0 ? '' : `: ${formatPercent(rounds / forecastRounds)} of the forecast`;
  return (
    `${by} ran both when they were written: ${textsEqual} of ${formatCounted(texts, 'text')} are those of the target alone, ` +
    `in ${rounds} passes; ${forecastRounds} were forecast${rounds === forecastRounds ? '' : more}.`
  );
}
