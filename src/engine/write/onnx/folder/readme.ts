/** The README.md of an ONNX folder: its model card, and how applications load it. */
import { formatBytes, formatCount, shortNumber } from '../../../../format/numbers';
import { capitalized, counted } from '../../../../format/words';
import { checkpointReduction, describeReduction } from '../../../checkpoint/reduction';
import type { Checkpoint } from '../../../checkpoint/types';
import { codeSpan, inline, table } from '../../../markdown';
import { modelName } from '../../../records/record';
import { cardFront, inheritedFields } from '../../card';
import { type LoadingCode, loadingCode, type Surroundings } from '../../loading-code';
import type { OnnxKind } from '../kinds';
import { lengthNotes } from '../positions';
import type { OnnxModelFacts } from '../write-onnx';
import type { OnnxTokenizer } from './tokenizer';

/** What was measured of the models, on one text and one machine. */
export interface OnnxMeasured {
  /** Name of the text of the perplexity. */
  readonly text?: string;
  /** Processor, and the program that ran the models. */
  readonly machine?: string;
  /** The checkpoint without removal and rounding. */
  readonly source?: MeasuredNumbers;
  readonly kinds: Readonly<Partial<Record<OnnxKind, MeasuredNumbers>>>;
}

export interface MeasuredNumbers {
  readonly perplexity?: number;
  readonly tokensPerSecond?: number;
}

export interface ReadmeFacts {
  /** Name of the folder; programs in the README load it by this name. */
  readonly name: string;
  /** What was done to the weights before, in sentences; nothing when undefined. */
  readonly description?: string;
  readonly measured?: OnnxMeasured;
  /** Whether onnxruntime-genai runs it. */
  readonly genai: boolean;
  readonly tokenizer: OnnxTokenizer;
}

/** @param kept blocks of the checkpoint that were written */
export async function folderReadme(
  checkpoint: Checkpoint,
  facts: OnnxModelFacts,
  options: ReadmeFacts & { readonly kept: readonly number[] },
): Promise<string> {
  const inherited = await inheritedFields(checkpoint);
  const pruned = options.kept.length < (checkpoint.architecture?.layers.length ?? 0) ? ['pruned', 'depth-pruning'] : [];
  const front = cardFront(checkpoint, ['onnx', ...pruned, 'coppice'], inherited, { isStock: false });
  return [
    front.replace('---\n', '---\nlibrary_name: transformers.js\n').trimEnd(),
    title(checkpoint, facts, options),
    models(facts, options.measured),
    '## How to load it',
    loading(facts, options),
    target(facts),
    ...lengths(facts),
    files(facts, options),
    `## License\n\nThe license is that of ${inline(modelName(checkpoint))}.`,
  ]
    .join('\n\n')
    .concat('\n');
}

function title(
  checkpoint: Checkpoint,
  { models: all }: OnnxModelFacts,
  { kept, description }: Pick<ReadmeFacts, 'description'> & { readonly kept: readonly number[] },
): string {
  const shown = inline(modelName(checkpoint));
  const blocks = checkpoint.architecture?.layers.length ?? kept.length;
  const removed = [...Array(blocks).keys()].filter((block) => !kept.includes(block));
  const without = removed.length === 0 ? '' : ` without ${removed.length} of its ${blocks} Transformer blocks`;
  const lines = removed.length === 0 ? [] : describeReduction(checkpointReduction(checkpoint, removed));
  const counts = lines.filter((line) => !line.startsWith('bytes')); // those of the checkpoint's tensors
  const kinds = all.length === 1 ? 'a model' : counted(all.length, 'model');
  return [
    `# ${shown}${removed.length === 0 ? '' : `, ${kept.length} of ${blocks} blocks`}, for onnxruntime`,
    `This is ${shown}${without} as ${kinds} in ONNX with a cache of keys and values, made by Coppice.${description === undefined ? '' : `\n${inline(description)}`}`,
    ...(counts.length === 0 ? [] : [`\`\`\`\n${counts.join('\n')}\n\`\`\``]),
  ].join('\n\n');
}

const STORED: Readonly<Record<OnnxKind, string>> = {
  fp32: 'float32',
  fp16: 'float16',
  q8: '8 bits in blocks of 32',
  q4: '4 bits in blocks of 32; embedding and head 8 bits',
};

function models({ models: all }: OnnxModelFacts, measured: OnnxMeasured | undefined): string {
  const rows = all.map((model) => [
    model.kind,
    model.file,
    STORED[model.kind],
    formatBytes(model.bytes),
    ...numbers(measured?.kinds[model.kind], measured),
  ]);
  const source = measured?.source && [['the original', '', '', '', ...numbers(measured.source, measured)]];
  const head = ['kind', 'file', 'weights', 'size', ...(measured ? ['perplexity', 'tokens/s'] : [])];
  const conditions = [
    ...(measured?.text === undefined ? [] : [`perplexity on ${codeSpan(measured.text)}`]),
    ...(measured?.machine === undefined ? [] : [`tokens per second on ${inline(measured.machine)}`]),
  ];
  return [
    '## The models',
    table(head, [...(source ?? []), ...rows]),
    ...(conditions.length === 0 ? [] : [`${capitalized(conditions.join('; '))}.`]),
  ].join('\n\n');
}

const numbers = (found: MeasuredNumbers | undefined, measured: OnnxMeasured | undefined): string[] =>
  measured ? [found?.perplexity, found?.tokensPerSecond].map((n) => (n === undefined ? '–' : shortNumber(n))) : [];

const SECTIONS: readonly (readonly [Surroundings, string])[] = [
  ['node', 'In Node'],
  ['browser', 'In a browser'],
  ['python', 'In Python'],
];

/** Long programs are in the folder "examples" only. */
const MAX_LINES = 16;

function loading(
  { target: to, models: [{ kind }, ...others] }: OnnxModelFacts,
  { name, genai, tokenizer: { hasChatTemplate } }: ReadmeFacts,
): string {
  const all = loadingCode({ format: 'onnx', path: `./${name}`, kind, target: to, genai });
  const sections = SECTIONS.map(([runs, heading]) =>
    [`### ${heading}`, ...all.filter((code) => code.runs === runs).map(snippet)].join('\n\n'),
  );
  const examples = `The folder \`examples\` has whole programs: ${EXAMPLES}. Node needs \`npm install\` in it once. They write
the likeliest token each time; libraries can sample instead.`;
  const chat = `The tokenizer has a chat template: give transformers.js a list of messages,
\`[{ role: 'user', content: 'Why is the sky blue?' }]\`, in place of a text.`;
  const other = `The code takes ${kind}. For another kind, change \`dtype\` for transformers.js, \`decoder.filename\` in
\`genai_config.json\` for onnxruntime-genai, and the name of the file for onnxruntime.`;
  return [...sections, examples, ...(others.length > 0 ? [other] : []), ...(hasChatTemplate ? [chat] : [])].join(
    '\n\n',
  );
}

const EXAMPLES =
  'for Node with transformers.js and with onnxruntime alone, for a\nbrowser with a server of a few lines, and for Python';

function snippet({ library, install, language, code }: LoadingCode): string {
  const first = `${library}${install === undefined ? '' : ` (\`${install}\`)`}`;
  if (code.split('\n').length > MAX_LINES) return `${first}: see \`examples\`.`;
  return `${first}:\n\n\`\`\`${language}\n${code.trimEnd()}\n\`\`\``;
}

function target({ target: to }: OnnxModelFacts): string {
  return to === 'cpu' ? FOR_CPU : FOR_WEBGPU;
}

const FOR_CPU = `## For CPUs and WebAssembly

Attention is onnxruntime's fused operator, \`GroupQueryAttention\`. Two things follow:

- **Not on WebGPU.** There the operator gives wrong numbers, without an error, when a run has 32 or more new tokens, which every
  longer prompt has. Seen with onnxruntime-node 1.30 and onnxruntime-web 1.31 on a GPU in software. Export the model again with
  \`--target webgpu\` for it.
- **One text at a time, or padding on the right.** The operator counts the tokens of a row and does not look at where they are.
  transformers.js fills up the shorter texts of a batch on the left; all but the longest are then wrong.`;

const FOR_WEBGPU = `## For WebGPU

Attention is written as plain products, because onnxruntime's fused operator, \`GroupQueryAttention\`, gives wrong numbers on
WebGPU, without an error, when a run has 32 or more new tokens. The model is right on CPUs and in WebAssembly too; an export with
\`--target cpu\` has the fused operator, which is made for them. Batches may be padded on either side.`;

/** Only where it is less than the model announces. */
const lengths = ({ architecture }: OnnxModelFacts): string[] =>
  lengthNotes(architecture).map((note) => `## Long texts\n\n${capitalized(note)}.`);

function files({ models: all }: OnnxModelFacts, { genai }: ReadmeFacts): string {
  const rows = [
    ...all.flatMap(modelRows),
    ['config.json', 'what the model is, and which files transformers.js loads'],
    ['generation_config.json', 'the tokens that end a text'],
    ...(genai ? [['genai_config.json', 'the same for onnxruntime-genai']] : []),
    ['tokenizer.json, tokenizer_config.json', 'the tokenizer'],
    ['examples', 'programs that run the model'],
  ];
  const without = genai
    ? ''
    : '\n\nThere is no `genai_config.json`: blocks differ in their key-value heads, and onnxruntime-genai knows one number for all.';
  return `## The files

${table(['file', 'what it is'], rows)}

The files of a model name each other, so they cannot be renamed. No file of weights is larger than 2 GB unless a single weight
is, because browsers keep each in one array; a browser with WebAssembly has 4 GB for everything.${without}`;
}

const modelRows = ({ kind, file, data }: OnnxModelFacts['models'][number]): string[][] => [
  [file, `the graph of ${kind}`],
  ...data.map(({ name, bytes }) => [`onnx/${name}`, `its weights, ${formatCount(bytes)} bytes`]),
];
