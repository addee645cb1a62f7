"""Loads a checkpoint that Coppice wrote with stock transformers, and says how it fits and what its losses are.

    python load_pruned.py CHECKPOINT [ROWS.json] [--dtype float32]

Prints one JSON object: the keys that transformers missed, did not expect or found in another shape (all three must be
empty, else the exit code is 1), the number of blocks and of parameters, and, given rows ({"rows": [[id, …], …]} of equal
length), the mean loss of each row and of all, to be compared with those of the view that the checkpoint was written from.
"""

import argparse
import json
import math
import sys

from common import import_peers, machine, read_rows, row_losses

torch, transformers = import_peers()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("rows", nargs="?")
    parser.add_argument("--dtype", default="float32", help="what to compute in (default: float32)")
    options = parser.parse_args()

    model, loading = transformers.AutoModelForCausalLM.from_pretrained(
        options.checkpoint, dtype=getattr(torch, options.dtype), output_loading_info=True
    )
    misfits = {kind: sorted(map(str, loading[kind])) for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")}
    result = {
        "checkpoint": options.checkpoint,
        "machine": machine(torch, transformers),
        "missing": misfits["missing_keys"],
        "unexpected": misfits["unexpected_keys"],
        "mismatched": misfits["mismatched_keys"],
        "blocks": len(model.model.layers),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }
    if options.rows:
        with torch.inference_mode():
            losses = row_losses(torch, model.eval(), torch.tensor(read_rows(options.rows)), batch=5)
        result |= {"rows": losses, "meanNll": math.fsum(losses) / len(losses)}
    print(json.dumps(result))
    if any(misfits.values()):
        sys.exit(1)


main()
