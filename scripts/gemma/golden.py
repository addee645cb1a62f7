"""Reference results for the real Gemma 3 270M, by stock transformers in float64: test/golden/gemma-3-270m.

Run once by hand (bench/peers/requirements.txt says what it needs):

    python scripts/gemma/golden.py GEMMA.gguf SHERLOCK.txt WIKITEXT.txt

transformers reads the GGUF file itself; its weights are widened from float32, as it dequantizes them. The files are of the types
of test/support/golden.ts. `drawn.json` has the rows that Coppice draws from SHERLOCK.txt by its defaults (draw.ts beside this
script), and their losses. Nothing else here is taken from the engine.
"""
import argparse
import importlib.util
import json
import pathlib
import subprocess

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("sample_golden", ROOT / "scripts/sample/golden.py")
shared = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shared)

BOS = 2
ROWS, ROW_LENGTH = 6, 128
SAMPLES = 5
REMOVED = [8, 9]
PROMPTS = ["The capital of France is", "Once upon a time, there was a little girl named", "The best thing about the morning is"]
TEXTS = [
    "Sherlock Holmes took his bottle from the corner of the mantel-piece.",
    ' "Can I have a cookie?"  asked Ben.\n\nMom said: "No!"\n\n\n',
    "Don't 3 times 14 = 42, café, 日本, 🦆 and\ttabs   here  ",
    "for (let i = 0; i < 10; i++) {\n    total += i;\n}",
    "",
]


def rows_of(tokenizer, text):
    """Equally long rows from the start of a text, each with BOS first."""
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    step = ROW_LENGTH - 1
    return [[BOS] + ids[r * step : (r + 1) * step] for r in range(ROWS)]


def drawn_rows(gguf, text):
    """The rows of `coppice score GGUF --calibration TEXT` with that many samples."""
    command = ["npx", "tsx", "scripts/gemma/draw.ts", str(gguf), str(text), str(SAMPLES)]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)["rows"]


def losses(model, rows):
    return {"full": shared.loss_summary(model, rows), "ppl": shared.perplexities(model, rows)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("gguf", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("sherlock", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("wikitext", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "test/golden/gemma-3-270m")
    parser.add_argument("--only", nargs="+", help="names of files; default: all")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    def write(name, make):
        if options.only and name not in options.only:
            return
        with torch.no_grad():
            text = json.dumps(shared.rounded(make()), separators=(",", ":"), ensure_ascii=False)
        (options.out / f"{name}.json").write_text(text + "\n")
        print(f"{name}.json: {len(text)} bytes", flush=True)

    folder, name = str(options.gguf.parent), options.gguf.name
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name).backend_tokenizer
    model = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=name, dtype=torch.float32, attn_implementation="eager"
    )
    model = model.to(torch.float64).eval().requires_grad_(False)
    rows = rows_of(tokenizer, options.wikitext.read_text()[:20_000])
    prompts = [[BOS] + tokenizer.encode(prompt, add_special_tokens=False).ids for prompt in PROMPTS]

    def greedy():
        whole = shared.continuations(model, prompts)
        with shared.without(model, set(REMOVED)):
            pruned = shared.continuations(model, prompts)
        return {"newTokens": shared.NEW_TOKENS, "removed": REMOVED, "full": whole, "pruned": pruned}

    def drawn():
        found = drawn_rows(options.gguf, options.sherlock)
        return {"rows": found, **losses(model, found)}

    write("tokens", lambda: shared.tokens_of(tokenizer, TEXTS))
    write("calibration", lambda: {"rows": rows})
    write("logits", lambda: shared.some_logits(model, rows[:1]))
    write("importance", lambda: losses(model, rows))
    write("greedy", greedy)
    write("drawn", drawn)


if __name__ == "__main__":
    main()
