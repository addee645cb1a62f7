/**
 * Small programs that run a model with a draft, and those that time passes. Each reads `input.json` in its working folder and prints
 * one line of JSON. None uses the network. A text is written to the length of the expected one; where it is another one, the
 * model writes it alone too, and `lead` is how much likelier it finds its own token at the first that differs, in nats.
 */

/** Opening a GGUF file, and reading tokens of it. Input: library, threads, size (tokens of the longest text). */
const LLAMA_START = `
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
const given = JSON.parse(readFileSync('input.json', 'utf8'));
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(given.library).href);
const { threads } = given;
const llama = await getLlama({ gpu: false, maxThreads: threads, build: 'never', progressLogs: false, logLevel: LlamaLogLevel.error });
async function open(modelPath, size, cache) {
  const model = await llama.loadModel({ modelPath, checkTensors: true });
  const contextSize = Math.min(model.trainContextSize, size);
  const context = await model.createContext({ contextSize, sequences: 1, flashAttention: false, threads, ...cache });
  return context.getSequence();
}
const LIKELIEST = { token: true, options: { temperature: 0 } };
/** Reads tokens. Returns what follows each of the last ones. */
async function read(sequence, tokens, last, next = LIKELIEST) {
  const from = tokens.length - last;
  const all = await sequence.controlledEvaluate(tokens.map((id, i) => (i < from ? id : [id, { generateNext: next }])));
  return all.slice(from).map((each) => each.next);
}
async function back(sequence, to) {
  const end = sequence.nextTokenIndex;
  if (end > to) await sequence.eraseContextTokenRanges([{ start: to, end }]);
}
`;

/** Input: also target, draft (files), texts [{ prompt, ids }], length, threshold. */
export const LLAMA_PAIR_PROGRAM = `${LLAMA_START}
const { texts, length, threshold } = given;
const size = 8 + Math.max(...texts.map(({ prompt, ids }) => prompt.length + ids.length));
// A cache in float32: the usual one rounds.
const cache = { experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32' };
const target = await open(given.target, size, cache);
const draft = await open(given.draft, size, cache);
const ALL = { temperature: 1, topK: 0, topP: 1, minP: 0 };
const TOP = { logits: { filter: { tokens: [], includeTop: 1 } }, totalLogitWeight: true, options: ALL };
async function propose(text, most) {
  const proposed = [];
  await back(draft, text.length - 1);
  for (let due = text.slice(draft.nextTokenIndex); proposed.length < most; due = proposed.slice(-1)) {
    if (threshold > 0) {
      const [{ logits, totalLogitWeight }] = await read(draft, due, 1, TOP);
      if (1 / totalLogitWeight < threshold) break;
      proposed.push(logits.keys().next().value);
    } else proposed.push((await read(draft, due, 1))[0].token);
  }
  return proposed;
}
async function together({ prompt, ids }) {
  const text = [...prompt];
  const end = prompt.length + ids.length;
  let rounds = 0;
  while (text.length < end) {
    const proposed = await propose(text, Math.min(length, end - text.length - 1));
    const due = [...text.slice(target.nextTokenIndex), ...proposed];
    const own = (await read(target, due, proposed.length + 1)).map(({ token }) => token);
    let agreed = 0;
    while (agreed < proposed.length && own[agreed] === proposed[agreed]) agreed++;
    text.push(...proposed.slice(0, agreed), own[agreed]);
    await back(target, text.length - 1);
    rounds++;
  }
  return { ids: text.slice(prompt.length), rounds };
}
async function alone({ prompt, ids }) {
  const written = [];
  for (let due = prompt; written.length < ids.length; due = written.slice(-1)) written.push((await read(target, due, 1))[0].token);
  return written;
}
const restart = async () => { await back(target, 0); await back(draft, 0); };
const done = [];
for (const text of texts) {
  await restart();
  const one = await together(text);
  if (one.ids.some((id, i) => id !== text.ids[i])) {
    await restart();
    one.alone = await alone(text);
    const at = one.ids.findIndex((id, i) => id !== one.alone[i]);
    if (at >= 0) {
      await restart();
      const tokens = [one.alone[at], one.ids[at]];
      const next = { logits: { filter: { tokens } }, options: ALL };
      const [{ logits }] = await read(target, [...text.prompt, ...one.alone.slice(0, at)], 1, next);
      one.lead = logits.get(tokens[0]) - logits.get(tokens[1]);
    }
  }
  done.push(one);
}
console.log(JSON.stringify({ texts: done }));
process.exit(0);
`;

/** Input: also target, drafts (files), rows, runs, prompt. Each is timed in turn, after a round that is not counted. */
export const LLAMA_COSTS_PROGRAM = `${LLAMA_START}
const { rows, runs, prompt } = given;
const size = 8 + prompt.length + Math.max(...rows);
const target = await open(given.target, size);
const drafts = [];
for (const file of given.drafts) drafts.push(await open(file, size));
for (const sequence of [target, ...drafts]) await read(sequence, prompt, 1);
async function time(sequence, count) {
  const tokens = Array.from({ length: count }, (_, i) => prompt[i % prompt.length]);
  const start = performance.now();
  await read(sequence, tokens, count);
  const seconds = (performance.now() - start) / 1000;
  await back(sequence, prompt.length);
  return seconds;
}
const seconds = rows.map(() => []);
const passes = drafts.map(() => []);
for (let run = -1; run < runs; run++) {
  for (const [i, count] of rows.entries()) {
    const one = await time(target, count);
    if (run >= 0) seconds[i].push(one);
  }
  for (const [i, draft] of drafts.entries()) {
    const one = await time(draft, 1);
    if (run >= 0) passes[i].push(one);
  }
}
console.log(JSON.stringify({ target: seconds, drafts: passes }));
process.exit(0);
`;

/** Python. Input: folder, texts, length. It stops after a token that ends a text. */
export const GENAI_PAIR_PROGRAM = `
import json
import onnxruntime_genai as og
with open("input.json", encoding="utf-8") as file:
    given = json.load(file)
model = og.Model(given["folder"])
def generator_for(text):
    params = og.GeneratorParams(model)
    params.set_search_options(do_sample=False, max_length=len(text["prompt"]) + len(text["ids"]))
    params.set_speculative_options(max_draft_tokens=given["length"])
    return og.Generator(model, params)
def together(text):
    generator = generator_for(text)
    generator.append_tokens(text["prompt"])
    while not generator.is_done():
        generator.generate_next_token()
    ids = [int(id) for id in generator.get_sequence(0)]
    return {"ids": ids[len(text["prompt"]):], "rounds": int(generator.get_speculative_stats()["rounds"])}
def alone(text, one):
    # Tokens that are appended are read by the model itself, one by one.
    generator, due, ids = generator_for(text), text["prompt"], []
    while len(ids) < len(one["ids"]):
        generator.append_tokens(due)
        logits = generator.get_logits().reshape(-1)
        due = [int(logits.argmax())]
        other = one["ids"][len(ids)]
        if due[0] != other and "lead" not in one:
            one["lead"] = float(logits[due[0]] - logits[other])
        ids += due
    one["alone"] = ids
done = []
for text in given["texts"]:
    one = together(text)
    if one["ids"] != text["ids"]:
        alone(text, one)
    done.append(one)
print(json.dumps({"texts": done, "version": og.__version__}))
`;

/** Python: `measure(pair, rows)` of what `opened` gave, in turn, after a round that is not counted. */
const TURNS = `target, drafts = opened(given["target"]), [opened(folder) for folder in given["drafts"]]
seconds, passes = [[] for _ in given["rows"]], [[] for _ in drafts]
for run in range(-1, given["runs"]):
    for count, times in zip(given["rows"], seconds):
        one = measure(target, count)
        if run >= 0:
            times.append(one)
    for pair, times in zip(drafts, passes):
        one = measure(pair, 1)
        if run >= 0:
            times.append(one)
`;

/** Python. Input: target, drafts (folders), rows, runs, prompt. Each is timed in turn, after a round that is not counted. */
export const GENAI_COSTS_PROGRAM = `
import json, time
import onnxruntime_genai as og
with open("input.json", encoding="utf-8") as file:
    given = json.load(file)
prompt = given["prompt"]
def opened(folder):
    model = og.Model(folder)
    params = og.GeneratorParams(model)
    params.set_search_options(do_sample=False, max_length=len(prompt) + max(given["rows"]) + 8)
    generator = og.Generator(model, params)
    generator.append_tokens(prompt)
    return model, generator
def measure(pair, count):
    _, generator = pair
    start = time.perf_counter()
    generator.append_tokens([prompt[i % len(prompt)] for i in range(count)])
    seconds = time.perf_counter() - start
    generator.rewind_to(len(prompt))
    return seconds
${TURNS}print(json.dumps({"target": seconds, "drafts": passes, "version": og.__version__}))
`;

/** Opening a model as safetensors only, and without what its files could load beside weights. */
const TORCH_START = `
import json, time
import torch, transformers
from transformers import AutoModelForCausalLM, DynamicCache, GenerationConfig
torch.set_grad_enabled(False)
with open("input.json", encoding="utf-8") as file:
    given = json.load(file)
torch.set_num_threads(given["threads"])
transformers.logging.set_verbosity_error()
def load(folder):
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype="auto", local_files_only=True, trust_remote_code=False, use_safetensors=True, attn_implementation="eager"
    ).eval()
    # Settings of the model, and tokens that end a text, would change what is written.
    model.generation_config = GenerationConfig(pad_token_id=0, eos_token_id=None, bos_token_id=None)
    return model
`;

/** Python. Input: target, draft (folders), texts, length, threshold, threads. */
export const TORCH_PAIR_PROGRAM = `${TORCH_START}
target, draft = load(given["target"]), load(given["draft"])
draft.generation_config.num_assistant_tokens = given["length"]
draft.generation_config.num_assistant_tokens_schedule = "constant"
draft.generation_config.assistant_confidence_threshold = given["threshold"]
passes = 0
def count(*_):
    global passes
    passes += 1
target.register_forward_hook(count)
def write(text, **more):
    prompt = torch.tensor([text["prompt"]])
    options = dict(attention_mask=torch.ones_like(prompt), do_sample=False, max_new_tokens=len(text["ids"]))
    return target.generate(prompt, **options, **more)[0, prompt.shape[1]:].tolist()
done = []
for text in given["texts"]:
    passes = 0
    ids = write(text, assistant_model=draft)
    one = {"ids": ids, "rounds": passes}
    if ids != text["ids"]:
        one["alone"] = write(text)
        at = next((i for i, pair in enumerate(zip(ids, one["alone"])) if pair[0] != pair[1]), None)
        if at is not None:
            logits = target(torch.tensor([text["prompt"] + ids[:at]])).logits[0, -1].float()
            one["lead"] = float(logits[one["alone"][at]] - logits[ids[at]])
    done.append(one)
print(json.dumps({"texts": done, "version": transformers.__version__}))
`;

/** Python. Input: target, drafts (folders), rows, runs, prompt, threads. Each is timed in turn, after a round that is not counted. */
export const TORCH_COSTS_PROGRAM = `${TORCH_START}
prompt = given["prompt"]
def opened(folder):
    model = load(folder)
    cache = DynamicCache(config=model.config)
    model(torch.tensor([prompt]), past_key_values=cache)
    return model, cache
def measure(pair, count):
    model, cache = pair
    ids = torch.tensor([[prompt[i % len(prompt)] for i in range(count)]])
    start = time.perf_counter()
    model(ids, past_key_values=cache)
    seconds = time.perf_counter() - start
    cache.crop(-count)
    return seconds
${TURNS}print(json.dumps({"target": seconds, "drafts": passes, "version": transformers.__version__}))
`;
