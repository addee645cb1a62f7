/** Programs that write with a model and its draft, for the folder that has both. */
import { quoted, type Shell } from '../../../format/shell';

/** How a draft is set in a program. */
export interface Drafted {
  /** The most tokens of a round. */
  readonly length: number;
  /** A token that the draft finds less likely ends the round's draft; 0 for none. */
  readonly threshold: number;
  /** 0 takes the most likely token each time. */
  readonly temperature: number;
}

/** Where both models are and what is continued, as expressions of Python, with the lines before the imports that these need. */
export interface Placed {
  readonly head: string;
  readonly folder: string;
  readonly prompt: string;
}

/** For a program in the folder. */
const BESIDE: Placed = {
  head: `"""Continues a text with the model in "target"; the one in "draft" proposes tokens. python speculate.py TEXT"""
import pathlib
import sys
`,
  folder: 'pathlib.Path(__file__).resolve().parent',
  prompt: 'sys.argv[1]',
};

/** Without the schedule transformers changes the length by itself. */
export const pythonSpeculate = ({ length, threshold, temperature }: Drafted, place: Placed = BESIDE): string =>
  `${place.head}
from transformers import AutoModelForCausalLM, AutoTokenizer

here = ${place.folder}
target, draft = (AutoModelForCausalLM.from_pretrained(here / name, dtype="auto") for name in ("target", "draft"))
draft.generation_config.num_assistant_tokens = ${length}
draft.generation_config.num_assistant_tokens_schedule = "constant"
draft.generation_config.assistant_confidence_threshold = ${pythonNumber(threshold)}
tokenizer = AutoTokenizer.from_pretrained(here / "target")
inputs = tokenizer(${place.prompt}, return_tensors="pt")
ids = target.generate(**inputs, assistant_model=draft, ${pythonSampling(temperature)}, max_new_tokens=128)
print(tokenizer.decode(ids[0], skip_special_tokens=True))
`;

const pythonSampling = (temperature: number): string =>
  temperature === 0 ? 'do_sample=False' : `do_sample=True, temperature=${pythonNumber(temperature)}, top_k=0`;

/** A float: whole numbers are another type there. */
const pythonNumber = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value));

/** The draft and its length are in genai_config.json. @param folder an expression of Python */
export const genaiSpeculate = ({ temperature }: Drafted, folder = '"."'): string =>
  `import onnxruntime_genai as og

model = og.Model(${folder})
tokenizer = og.Tokenizer(model)
tokenizer.update_options(add_special_tokens="true")
ids = tokenizer.encode("Once upon a time")
params = og.GeneratorParams(model)
params.set_search_options(${temperature === 0 ? 'do_sample=False' : `do_sample=True, temperature=${temperature}, top_k=0`}, max_length=len(ids) + 128)
generator = og.Generator(model, params)
generator.append_tokens(ids)
while not generator.is_done():
    generator.generate_next_token()
print(tokenizer.decode(generator.get_sequence(0)))
print(generator.get_speculative_stats()["rounds"], "passes of the model")
`;

/** Older versions call the last options `--draft-max` and `--draft-p-min`. */
export const llamaServer = (
  { length, threshold }: Drafted,
  shell: Shell,
  [target, draft]: readonly [target: string, draft: string] = ['target.gguf', 'draft.gguf'],
): string => {
  const least = threshold > 0 ? ` --spec-draft-p-min ${threshold}` : '';
  const files = `-m ${quoted(target, shell)} -md ${quoted(draft, shell)}`;
  return `llama-server ${files} --spec-type draft-simple --spec-draft-n-max ${length}${least}\n`;
};

/** A loop over functions that node-llama-cpp has for all: its own predictor takes one proposed token of a round at most. */
export const nodeSpeculate = ({ length, threshold, temperature }: Drafted): string =>
  `// Continues a text with target.gguf; draft.gguf proposes tokens. npm install node-llama-cpp; node speculate.mjs TEXT [TOKENS]
import { fileURLToPath } from 'node:url';
import { getLlama } from 'node-llama-cpp';

const LENGTH = ${length}; // the most tokens that are proposed at once
const LEAST = ${threshold}; // a token that the draft finds less likely ends what it proposes
const CHOOSING = { temperature: ${temperature} };

const llama = await getLlama();
async function open(name) {
  const model = await llama.loadModel({ modelPath: fileURLToPath(new URL(name, import.meta.url)) });
  return { model, sequence: (await model.createContext({ sequences: 1 })).getSequence() };
}
const target = await open('target.gguf');
const draft = await open('draft.gguf');

// Reads tokens; what comes after each of the last ones.
async function read({ sequence }, tokens, last, next) {
  const from = tokens.length - last;
  const results = await sequence.controlledEvaluate(tokens.map((id, i) => (i < from ? id : [id, { generateNext: next }])));
  return results.slice(from).map((result) => result.next);
}
// Takes back what was read beyond a length.
async function back({ sequence }, length) {
  const end = sequence.nextTokenIndex;
  if (end > length) await sequence.eraseContextTokenRanges([{ start: length, end }]);
}

async function propose(text, most) {
  const proposed = [];
  await back(draft, text.length - 1);
  for (let due = text.slice(draft.sequence.nextTokenIndex); proposed.length < most; due = proposed.slice(-1)) {
    const all = { temperature: 1, topK: 0, topP: 1, minP: 0 };
    const top = { logits: { filter: { tokens: [], includeTop: 1 } }, totalLogitWeight: true, options: all };
    const [{ logits, totalLogitWeight }] = await read(draft, due, 1, top);
    if (1 / totalLogitWeight < LEAST) break;
    proposed.push(logits.keys().next().value);
  }
  return proposed;
}

const [prompt = 'Once upon a time', count = '128'] = process.argv.slice(2);
const { bos, shouldPrependBosToken } = target.model.tokens;
const text = [...(shouldPrependBosToken && bos !== null ? [bos] : []), ...target.model.tokenize(prompt)];
const start = text.length;
const end = start + Number(count);
let passes = 0;
let isOver = false;
while (text.length < end && !isOver) {
  const proposed = await propose(text, Math.min(LENGTH, end - text.length - 1));
  const due = [...text.slice(target.sequence.nextTokenIndex), ...proposed];
  const own = await read(target, due, proposed.length + 1, { token: true, options: CHOOSING });
  passes++;
  let agreed = 0;
  while (agreed < proposed.length && own[agreed].token === proposed[agreed]) agreed++;
  for (const { token } of own.slice(0, agreed + 1)) {
    isOver ||= token === null || target.model.isEogToken(token);
    if (!isOver) text.push(token);
  }
  await back(target, text.length - 1);
}
console.log(target.model.detokenize(text));
console.error(\`\${text.length - start} tokens in \${passes} passes of the model\`);
process.exit(0);
`;
