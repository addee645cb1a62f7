/** Programs of Python that load a model and continue a text. Their parts make functions of other programs too. */
import type { OnnxKind } from '../onnx/kinds';
import { NO_FRAME, onnxFile, type Expressions } from './expressions';

/** Parts of a program; lines end with a line break. */
export interface PythonParts {
  /** Imports of Python's own modules, in the order of their names. */
  readonly standard: readonly string[];
  readonly imports: string;
  /** Loads the model. */
  readonly load: string;
  /** What `load` leaves for `write`, by name. */
  readonly loaded: readonly string[];
  readonly write: string;
  /** Expression: the prompt and what was written. */
  readonly all: string;
  /** Expression: what was written, alone. */
  readonly answer: string;
}

/** @param chats the prompt is a question that the model's chat template is put around */
export function transformersParts({ path, prompt, count }: Expressions, chats = false): PythonParts {
  const inputs = chats
    ? `messages = [{"role": "user", "content": ${prompt}}]
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)`
    : `inputs = tokenizer(${prompt}, return_tensors="pt")`;
  return {
    standard: [],
    imports: 'from transformers import AutoModelForCausalLM, AutoTokenizer\n',
    load: `folder = ${path}
model = AutoModelForCausalLM.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
`,
    loaded: ['model', 'tokenizer'],
    write: `${inputs}
ids = model.generate(**inputs, max_new_tokens=${count}, do_sample=False)
`,
    all: 'tokenizer.decode(ids[0], skip_special_tokens=True)',
    answer: 'tokenizer.decode(ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)',
  };
}

/** The library leaves out the tokens that a tokenizer puts around a text, unless it is told; a chat template has its own. */
export function genaiParts({ path, prompt, count }: Expressions, chats = false): PythonParts {
  const encoded = chats
    ? `messages = json.dumps([{"role": "user", "content": ${prompt}}])
ids = tokenizer.encode(tokenizer.apply_chat_template(messages, add_generation_prompt=True))`
    : `ids = tokenizer.encode(${prompt})`;
  return {
    standard: chats ? ['json'] : [],
    imports: 'import onnxruntime_genai as og\n',
    load: `model = og.Model(${path})
tokenizer = og.Tokenizer(model)
${chats ? '' : 'tokenizer.update_options(add_special_tokens="true")\n'}`,
    loaded: ['model', 'tokenizer'],
    write: `${encoded}
params = og.GeneratorParams(model)
params.set_search_options(do_sample=False, max_length=len(ids) + ${count})
generator = og.Generator(model, params)
generator.append_tokens(ids)
while not generator.is_done():
    generator.generate_next_token()
`,
    all: 'tokenizer.decode(generator.get_sequence(0))',
    answer: 'tokenizer.decode(generator.get_sequence(0)[len(ids) :])',
  };
}

/** Greedy decoding with a cache of keys and values, by nothing but onnxruntime. It knows no chat templates. */
export const onnxruntimeParts = (kind: OnnxKind, { path, prompt, count }: Expressions): PythonParts => ({
  standard: ['json', 'pathlib'],
  imports: `import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer
`,
  load: `folder = pathlib.Path(${path})
tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
ends = np.ravel(json.loads((folder / "generation_config.json").read_text()).get("eos_token_id", []))
session = ort.InferenceSession(str(folder / "${onnxFile(kind)}"), providers=["CPUExecutionProvider"])
`,
  loaded: ['tokenizer', 'ends', 'session'],
  write: `inputs = session.get_inputs()
outputs = [each.name for each in session.get_outputs()]
ids = tokenizer.encode(${prompt}).ids
news = ids  # tokens that the model has not read yet
# What it keeps of the tokens that it has read. Keys and values: [1, heads, tokens, width of a head].
cache = {
    each.name: np.zeros(
        [1] + [size if isinstance(size, int) else 0 for size in each.shape[1:]],
        np.float16 if "float16" in each.type else np.float32,
    )
    for each in inputs
    if each.name.startswith("past_")
}

for _ in range(${count}):
    feeds = {**cache, "input_ids": np.array([news], np.int64), "attention_mask": np.ones((1, len(ids)), np.int64)}
    if any(each.name == "position_ids" for each in inputs):
        feeds["position_ids"] = np.arange(len(ids) - len(news), len(ids))[None]
    results = dict(zip(outputs, session.run(None, feeds)))
    token = int(results["logits"][0, -1].argmax())
    if token in ends:
        break
    ids = ids + [token]
    news = [token]
    cache = {name: results[name.replace("past_key_values", "present").replace("past_", "present_")] for name in cache}
`,
  all: 'tokenizer.decode(ids)',
  answer: `tokenizer.decode(ids[len(tokenizer.encode(${prompt}).ids) :])`,
});

/** @param context most tokens of question and answer; the library's own limit, which is short, when undefined */
export function llamaCppParts({ path, prompt, count }: Expressions, chats = false, context?: number): PythonParts {
  const limit = context === undefined ? '' : `n_ctx=${context}, `;
  const written = chats
    ? `model.create_chat_completion([{"role": "user", "content": ${prompt}}], max_tokens=${count}, temperature=0)`
    : `model(${prompt}, max_tokens=${count}, temperature=0)`;
  const answer = chats ? `${written}["choices"][0]["message"]["content"]` : `${written}["choices"][0]["text"]`;
  return {
    standard: [],
    imports: 'from llama_cpp import Llama\n',
    load: `model = Llama(model_path=${path}, ${limit}verbose=False)
`,
    loaded: ['model'],
    write: '',
    all: `${prompt} + ${answer}`,
    answer,
  };
}

const program = ({ imports, load, write, all }: PythonParts): string => `${imports}
${load}${write}print(${all})
`;

export const pythonTransformers = (expressions: Expressions): string => program(transformersParts(expressions));

export const pythonLlamaCpp = ({ prompt, ...others }: Expressions): string =>
  program({ ...llamaCppParts({ ...others, prompt: 'prompt' }), write: `prompt = ${prompt}\n` });

export function pythonGenai(expressions: Expressions, frame = NO_FRAME): string {
  const { imports, load, write, all } = genaiParts(expressions);
  return `${frame.top}${frame.imports}${imports}${frame.head}
${load}${write}print(${all})
`;
}

export function pythonOnnxruntime(kind: OnnxKind, expressions: Expressions, frame = NO_FRAME): string {
  const { standard, imports, load, write, all } = onnxruntimeParts(kind, expressions);
  return `${frame.top}${standard.map((name) => `import ${name}\n`).join('')}${frame.imports}
${imports}${frame.head}
${load}
${write}print(${all})
`;
}
