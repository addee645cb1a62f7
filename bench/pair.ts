/**
 * How much faster a pair for onnxruntime-genai writes than its model alone, in that program. Both write the texts of the pair's own
 * record in turns; the first token is not in the time. Prints the median of the ratios and their middle half.
 *
 *     npm run bench -- pair --pair FOLDER --consumers-from VENV [--rounds 3]
 *
 * FOLDER is what `coppice draft --for genai --out FOLDER` wrote.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { middleHalf } from '../src/engine/draft/costs';
import { pairIn } from '../src/engine/draft/pair-file';
import { findPython } from '../src/engine/verify/consumers/places';
import { runPython } from '../src/engine/verify/consumers/run';
import { printMachine } from './support/machine';
import { noteRatio } from './support/ratios';

const { values } = parseArgs({
  options: {
    pair: { type: 'string' },
    'consumers-from': { type: 'string' },
    rounds: { type: 'string', default: '3' },
  },
});
if (values.pair === undefined) throw new Error('name the folder of a pair: --pair FOLDER');

const PROGRAM = `
import json, os, time
import onnxruntime_genai as og
with open("input.json", encoding="utf-8") as file:
    given = json.load(file)
# The same folder without its draft.
for name in os.listdir(given["pair"]):
    if name not in ("draft", "genai_config.json"):
        os.symlink(os.path.join(given["pair"], name), name)
with open(os.path.join(given["pair"], "genai_config.json"), encoding="utf-8") as file:
    config = json.load(file)
del config["model"]["draft"], config["speculative"]
with open("genai_config.json", "w", encoding="utf-8") as file:
    json.dump(config, file)
pair, alone = og.Model(given["pair"]), og.Model(".")
def seconds(model, text):
    params = og.GeneratorParams(model)
    params.set_search_options(do_sample=False, max_length=len(text["prompt"]) + len(text["ids"]))
    generator = og.Generator(model, params)
    generator.append_tokens(text["prompt"])
    generator.generate_next_token()
    start = time.perf_counter()
    while not generator.is_done():
        generator.generate_next_token()
    return time.perf_counter() - start
ratios = []
for number in range(given["rounds"] + 1):
    for text in given["texts"]:
        ratio = seconds(alone, text) / seconds(pair, text)
        if number > 0:
            ratios.append(ratio)
print(json.dumps({"ratios": ratios, "version": og.__version__}))
`;

printMachine();
const python = findPython(values['consumers-from']);
if (python === undefined) throw new Error('Python is missing: --consumers-from VENV');
const found = await pairIn(resolve(values.pair));
if (found === undefined) throw new Error(`${values.pair} is not a pair`);
const { folder, runtime, texts, length } = found;
if (runtime !== 'genai') throw new Error(`${folder} is a pair for ${runtime}, and this times onnxruntime-genai`);
const ran = await runPython(python, PROGRAM, {
  input: { pair: folder, texts, rounds: Number(values.rounds) },
  read: ({ ratios, version }) =>
    Array.isArray(ratios) && typeof version === 'string' ? { ratios: ratios as number[], version } : undefined,
});
if ('failure' in ran) throw new Error(ran.failure);
const { value, low, high } = middleHalf(ran.ratios);
noteRatio('speed of a pair in onnxruntime-genai, against its model alone', value);
console.log(
  `onnxruntime-genai ${ran.version}, ${texts.length} texts, ${values.rounds} rounds, ${length} tokens at once: ` +
    `${value.toFixed(2)} times as fast as the model alone (${low.toFixed(2)}–${high.toFixed(2)})`,
);
