/** Programs of Python that load a model and continue a text. */
import type { OnnxKind } from '../onnx/kinds';
import { NO_FRAME, onnxFile, type Expressions } from './expressions';

export const pythonTransformers = ({ path, prompt, count }: Expressions): string =>
  `from transformers import AutoModelForCausalLM, AutoTokenizer

folder = ${path}
model = AutoModelForCausalLM.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
inputs = tokenizer(${prompt}, return_tensors="pt")
ids = model.generate(**inputs, max_new_tokens=${count}, do_sample=False)
print(tokenizer.decode(ids[0], skip_special_tokens=True))
`;

/** The library leaves out the tokens that a tokenizer puts around a text, unless it is told. */
export const pythonGenai = ({ path, prompt, count }: Expressions, frame = NO_FRAME): string =>
  `${frame.top}${frame.imports}import onnxruntime_genai as og
${frame.head}
model = og.Model(${path})
tokenizer = og.Tokenizer(model)
tokenizer.update_options(add_special_tokens="true")
ids = tokenizer.encode(${prompt})
params = og.GeneratorParams(model)
params.set_search_options(do_sample=False, max_length=len(ids) + ${count})
generator = og.Generator(model, params)
generator.append_tokens(ids)
while not generator.is_done():
    generator.generate_next_token()
print(tokenizer.decode(generator.get_sequence(0)))
`;

/** Greedy decoding with a cache of keys and values, by nothing but onnxruntime. */
export const pythonOnnxruntime = (kind: OnnxKind, { path, prompt, count }: Expressions, frame = NO_FRAME): string =>
  `${frame.top}import json
import pathlib
${frame.imports}
import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer
${frame.head}
folder = pathlib.Path(${path})
tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
ends = np.ravel(json.loads((folder / "generation_config.json").read_text()).get("eos_token_id", []))
session = ort.InferenceSession(str(folder / "${onnxFile(kind)}"), providers=["CPUExecutionProvider"])

inputs = session.get_inputs()
outputs = [each.name for each in session.get_outputs()]
ids = tokenizer.encode(${prompt}).ids
news = ids  # tokens that the model has not read yet
# Keys and values of the tokens that it has read: [1, heads, tokens, width of a head].
cache = {
    each.name: np.zeros((1, each.shape[1], 0, each.shape[3]), np.float16 if "float16" in each.type else np.float32)
    for each in inputs
    if each.name.startswith("past_key_values")
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
    cache = {name: results[name.replace("past_key_values", "present")] for name in cache}
print(tokenizer.decode(ids))
`;

export const pythonLlamaCpp = ({ path, prompt, count }: Expressions): string =>
  `from llama_cpp import Llama

model = Llama(model_path=${path}, verbose=False)
prompt = ${prompt}
print(prompt + model(prompt, max_tokens=${count}, temperature=0)["choices"][0]["text"])
`;
