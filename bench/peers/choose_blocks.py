"""Lets other tools choose blocks, by their own code, on the rows that Coppice chooses by.

    python choose_blocks.py CHECKPOINT ROWS.json COUNT [--threads N] [--only NAME …]

CHECKPOINT is a folder in the Hugging Face layout or a GGUF file, ROWS.json a {"rows": [[id, …], …]} with rows of equal length. Prints one
JSON object with, for each tool, its scores, its order or its runs, the COUNT blocks that it takes, and the seconds without loading.

No code of these tools is part of Coppice. Their files are read at the commits below: from the git repositories PruneMe, ShortGPT and
shortened-llm in the folder that COPPICE_CHECKOUTS names, else from raw.githubusercontent.com. They are not kept.
shortened-llm's license allows research and non-commercial projects. PruneMe has no license file.

The programs of PruneMe and shortened-llm run as they are. Of themselves they load models in 4 bits or on a GPU, and texts from the
network; here the loaders that they import give them stock transformers in float32 on the CPU, and the rows. ShortGPT computes its
hidden states on a GPU, so its methods that score and choose get them from here: the class of the branch `main` reads them before the
final norm, and the class of `hf-models` as transformers returns them.
"""

import argparse
import contextlib
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
import types
import urllib.request

os.environ["CUDA_VISIBLE_DEVICES"] = ""
from common import import_peers, load_model, machine, read_rows  # noqa: E402

torch, transformers = import_peers()

SOURCES = {
    "PruneMe": ("arcee-ai", "faee6c9dfb70841e8355908ecded2b25298cffc0"),
    "ShortGPT": ("sramshetty", "78d9615fdcae6d90368832bd0a86c49c323549b9"),
    "ShortGPT, hf-models": ("sramshetty", "c81eb8c40fbb1baa25989d3c9568408f893b61f8"),
    "shortened-llm": ("Nota-NetsPresso", "4031a9212aa0dbeec8f2ad504af9346c758b0147"),
}


def source(tool, path):
    """Text of a file of a tool at its commit."""
    owner, commit = SOURCES[tool]
    name = tool.split(",")[0]
    checkouts = os.environ.get("COPPICE_CHECKOUTS")
    if checkouts:
        git = ["git", "-C", os.path.join(checkouts, name), "-c", "safe.directory=*", "show", f"{commit}:{path}"]
        return subprocess.run(git, check=True, capture_output=True, text=True).stdout
    with urllib.request.urlopen(f"https://raw.githubusercontent.com/{owner}/{name}/{commit}/{path}", timeout=60) as answer:
        return answer.read().decode()


def module(name, **members):
    made = types.ModuleType(name)
    made.__dict__.update(members)
    return made


def loaded(tool, path, name):
    """A file of a tool as a module."""
    made = types.ModuleType(name)
    exec(compile(source(tool, path), path, "exec"), made.__dict__)
    return made


@contextlib.contextmanager
def standing_in(*modules):
    """Lets these modules be imported by their names, in place of the installed ones."""
    before = {each.__name__: sys.modules.get(each.__name__) for each in modules}
    sys.modules.update({each.__name__: each for each in modules})
    try:
        yield
    finally:
        for name, old in before.items():
            if old is None:
                del sys.modules[name]
            else:
                sys.modules[name] = old


def run_program(tool, path, arguments, *modules):
    """Runs a program of a tool in a temporary folder that it writes to. What it prints goes to stderr."""
    old = sys.argv
    sys.argv = [path, *arguments]
    try:
        with standing_in(*modules), contextlib.redirect_stdout(sys.stderr):
            exec(compile(source(tool, path), path, "exec"), {"__name__": "__main__"})
    finally:
        sys.argv = old


def ranked(scores):
    return sorted(range(len(scores)), key=lambda index: scores[index])


def prune_me(model, rows, count):
    """layer_similarity.py as it is; its text is the numbers of the rows, and its tokenizer looks them up."""

    class Outputs:
        config = model.config

        def eval(self):
            model.eval()

        def __call__(self, **inputs):
            return model(**inputs, output_hidden_states=True, use_cache=False)

    class Tokenizer:
        pad_token = "none"

        def __call__(self, batch, **_):
            ids = rows[[int(text) for text in batch]]
            return transformers.BatchEncoding({"input_ids": ids, "attention_mask": torch.ones_like(ids)})

    stand_in = module(
        "transformers",
        AutoModelForCausalLM=types.SimpleNamespace(from_pretrained=lambda *_, **__: Outputs()),
        AutoTokenizer=types.SimpleNamespace(from_pretrained=lambda *_: Tokenizer()),
        BitsAndBytesConfig=lambda **_: None,
    )
    texts = {"text": [str(index) for index in range(len(rows))]}
    datasets = module("datasets", load_dataset=lambda *_, **__: texts)
    utils = loaded("PruneMe", "compute_block_similarity/utils.py", "utils")
    arguments = {"model_path": "-", "dataset": "-", "dataset_column": "text", "batch_size": len(rows), "max_length": rows.shape[1]}
    arguments["layers_to_skip"] = count
    flat = [word for name, value in arguments.items() for word in (f"--{name}", str(value))]
    run_program("PruneMe", "compute_block_similarity/layer_similarity.py", flat, stand_in, datasets, utils)
    with open("layer_distances.csv", encoding="utf-8") as file:
        runs = [{"start": int(row["block_start"]), "score": float(row["average_distance"])} for row in csv.DictReader(file)]
    best = min(runs, key=lambda run: run["score"])["start"]
    return {"runs": runs, "blocks": list(range(best, best + count))}


def hidden_states(model, rows):
    """(states before each block and behind the last one, states as transformers returns them)"""
    states = []
    layers = model.model.layers
    hooks = [layer.register_forward_pre_hook(lambda _, inputs: states.append(inputs[0])) for layer in layers]
    hooks.append(model.model.norm.register_forward_pre_hook(lambda _, inputs: states.append(inputs[0])))
    with torch.inference_mode():
        returned = model(input_ids=rows, output_hidden_states=True, use_cache=False).hidden_states
    for hook in hooks:
        hook.remove()
    return states, returned


def short_gpt(tool, path, name, angular):
    """Importances of ShortGPT's class, and the layers that its method deletes."""

    def choose(model, rows, count):
        meta = module("llama", Llama=object, Transformer=torch.nn.Module)
        with standing_in(meta, loaded(tool, "short_gpt/metrics.py", "metrics")):
            kind = getattr(loaded(tool, path, "short"), name)
        short = kind.__new__(kind)
        short.n_prune_layers = count
        short.importances = [0 for _ in model.model.layers]
        short.layers = list(short.importances)
        short.llama = types.SimpleNamespace(model=types.SimpleNamespace(layers=short.layers))
        raw, returned = hidden_states(model, rows)
        short.compute_bi(raw if name == "ShortLlama" else returned, angular=angular)
        scores = [float(value) for value in short.importances]
        blocks = sorted(int(block) for block in short.remove_layers(angular=angular))
        if not angular:
            return {"scores": scores, "order": ranked(scores), "blocks": blocks}
        runs = [{"start": start, "score": score} for start, score in enumerate(scores[: len(scores) - count + 1])]
        return {"runs": runs, "blocks": blocks}

    return choose


def shortened(criterion):
    """The program of a criterion as it is, and the blocks that block_prune.py takes from its order without its + heuristic."""

    def choose(model, rows, count):
        peft = module("LLMPruner.peft", PeftModel=object)
        with standing_in(module("LLMPruner"), peft):
            utils = loaded("shortened-llm", "src/utils.py", "utils")
        utils.get_model = lambda **_: (model.eval(), None, "")
        dataset = module("dataset", get_examples=lambda **_: rows)
        arguments = ["--device", "cpu", "--num_calib_data", str(len(rows)), "--max_seq_len", str(rows.shape[1]), "--output_dir", criterion]
        if criterion == "taylor":
            arguments += ["--batch_size", str(len(rows))]
        run_program("shortened-llm", f"src/anal_block_sensitivity_{criterion}.py", arguments, utils, dataset)
        with open(os.path.join(criterion, "block_order.csv"), encoding="utf-8") as file:
            order = [int(block) for block in next(csv.reader(file))]
        name, column = ("all_ppl_unsorted.csv", "ppl_bookcorpus") if criterion == "ppl" else ("block_score_all.csv", "block_score")
        with open(os.path.join(criterion, name), encoding="utf-8") as file:
            scores = [float(row[column]) for row in csv.DictReader(file)][: len(order)]
        ends = {0, 1, 2, 3, len(order) - 2, len(order) - 1}
        return {
            "scores": scores,
            "order": order,
            "blocks": sorted(order[:count]),
            "blocksBetweenEnds": sorted([block for block in order if block not in ends][:count]),
        }

    return choose


LLAMA, HF = "short_gpt/short_llama.py", "short_gpt/short_hf.py"
TOOLS = {
    "PruneMe": prune_me,
    "ShortGPT": short_gpt("ShortGPT", LLAMA, "ShortLlama", angular=False),
    "ShortGPT, angular": short_gpt("ShortGPT", LLAMA, "ShortLlama", angular=True),
    "ShortGPT, hf-models": short_gpt("ShortGPT, hf-models", HF, "ShortHFModel", angular=False),
    "shortened-llm, perplexity": shortened("ppl"),
    "shortened-llm, Taylor": shortened("taylor"),
    "shortened-llm, magnitude": shortened("magnitude"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("rows")
    parser.add_argument("count", type=int)
    parser.add_argument("--threads", type=int, help="default: what PyTorch takes")
    parser.add_argument("--only", nargs="+", choices=list(TOOLS), default=list(TOOLS), help="these tools only")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    ids = torch.tensor(read_rows(options.rows))
    model = load_model(transformers, options.checkpoint, torch.float32).eval()
    results = {}
    with tempfile.TemporaryDirectory(prefix="coppice-choosers-") as folder:
        os.chdir(folder)
        for name in options.only:
            start = time.perf_counter()
            try:
                found = TOOLS[name](model, ids, options.count)
            except Exception as error:  # a tool that does not know the model must not hide what the others say
                results[name] = {"failed": f"{type(error).__name__}: {error}"}
                continue
            results[name] = {**found, "seconds": time.perf_counter() - start}
        os.chdir(os.path.dirname(folder))
    print(json.dumps({"machine": machine(torch, transformers), "commits": {k: v[1][:7] for k, v in SOURCES.items()}, "results": results}))


main()
