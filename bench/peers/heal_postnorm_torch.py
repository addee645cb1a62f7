"""Healing behind norms with PyTorch: seconds and peak memory of the reference tool, phase by phase.

    python heal_postnorm_torch.py TOOL MODEL.gguf ROWS.json --removed N … [--ridge R] [--step S] [--step-cut S] [--threads N]

TOOL is golden/tools/heal_postnorm.py of the reference material, a script that reads a GGUF file with stock transformers: it is run
here up to where it heals, on the rows of ROWS.json ({"rows": [[id, …], …]}, of equal length, BOS first). Then its function heals
weights and norms, in float32 with sums in float64.

Prints one JSON object: `dense`, the seconds of one pass of the whole model with its states kept; `heal`, those of healing; `seconds`,
both with loading; `peakBytes`; perplexity and KL to the whole model on the first rows, plain and healed.
"""

import argparse
import json
import resource
import sys
import time

from common import import_peers, machine, read_rows

torch, transformers = import_peers()

MEASURED = 8
WHOLE = "print('whole'"
DENSE = "# the whole model's stream on the fitted rows"
LAST = "\nfor removed in sets:"


def parts_of(path, rows):
    """The tool's text in two parts: what loads the model, and what takes the whole model's stream."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = text[: text.index(LAST)]
    fit = next(line for line in text.splitlines() if line.startswith("fit, ev = "))
    text = text.replace(fit, f"fit = ev = torch.tensor({rows})\nNE = {min(MEASURED, len(rows))}")
    whole = next(line for line in text.splitlines() if line.startswith(WHOLE))
    text = text.replace(whole, "")
    at = text.index(DENSE)
    return text[:at], text[at:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tool")
    parser.add_argument("model")
    parser.add_argument("rows")
    parser.add_argument("--removed", nargs="+", type=int, required=True)
    parser.add_argument("--ridge", type=float, default=0.1)
    parser.add_argument("--step", type=float, default=0.5)
    parser.add_argument("--step-cut", type=float, default=0.8)
    parser.add_argument("--threads", type=int, help="default: what PyTorch takes")
    options = parser.parse_args()
    loading, dense = parts_of(options.tool, read_rows(options.rows))
    # The tool reads its words from the command line.
    sys.argv = [options.tool, options.model, options.rows, options.rows, "0"]
    tool = {"__name__": "heal_postnorm"}
    threads = options.threads or torch.get_num_threads()
    seconds = {}

    def timed(phase, work):
        start = time.perf_counter()
        result = work()
        seconds[phase] = time.perf_counter() - start
        return result

    timed("load", lambda: exec(loading, tool))
    torch.set_num_threads(threads)
    timed("dense", lambda: exec(dense, tool))
    kept = [block for block in range(tool["n"]) if block not in options.removed]
    timed("heal", lambda: tool["heal"](options.removed, "wg", options.ridge, options.step, options.step_cut, 1))
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    healed = {key: value.clone() for key, value in tool["model"].state_dict().items() if key in tool["orig"]}
    tool["restore"]()
    tool["evaluate"](range(tool["n"]), True)
    before = tool["evaluate"](kept)
    tool["model"].load_state_dict(healed, strict=False)
    after = tool["evaluate"](kept)
    result = {"machine": machine(torch, transformers), **seconds, "seconds": sum(seconds.values()), "peakBytes": peak}
    print(json.dumps({**result, "before": before, "after": after}))


main()
