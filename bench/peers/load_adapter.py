"""Loads an adapter that Coppice wrote with PEFT, on top of the checkpoint that it fits, and says what its losses are.

    python load_adapter.py CHECKPOINT ADAPTER [ROWS.json] [--dtype float32] [--merge DIR]

CHECKPOINT is the pruned checkpoint where the adapter was trained without some blocks: PEFT cannot leave out any. Prints
one JSON object: keys of the adapter that PEFT missed or did not expect, and what it warned of in its config (all must be
empty, else the exit code is 1), the rank, the number of adapted modules, and, given rows ({"rows": [[id, …], …]} of equal length),
the mean loss of each row and of all, to be compared with `coppice eval --adapter` or a merged checkpoint. --merge writes
PEFT's own merge of the two.
"""

import argparse
import json
import math
import sys
import warnings

from common import import_peers, machine, read_rows, row_losses

torch, transformers = import_peers()
try:
    import peft
except ImportError:
    print(json.dumps({"skipped": f"peft is not importable by {sys.executable}: see bench/peers/README.md"}))
    sys.exit(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("adapter")
    parser.add_argument("rows", nargs="?")
    parser.add_argument("--dtype", default="float32", help="what to compute in (default: float32)")
    parser.add_argument("--merge", help="folder to write the merged checkpoint to")
    options = parser.parse_args()

    base = transformers.AutoModelForCausalLM.from_pretrained(options.checkpoint, dtype=getattr(torch, options.dtype))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        config = peft.PeftConfig.from_pretrained(options.adapter)
    model = peft.get_peft_model(base, config)
    loading = model.load_adapter(options.adapter, adapter_name="default")
    misfits = {
        "missing": sorted(key for key in loading.missing_keys if "lora_" in key),
        "unexpected": sorted(loading.unexpected_keys),
        "warnings": sorted({str(warning.message).splitlines()[0] for warning in caught}),
    }
    result = {
        "checkpoint": options.checkpoint,
        "adapter": options.adapter,
        "machine": machine(torch, transformers) | {"peft": peft.__version__},
        **misfits,
        "rank": config.r,
        "modules": sum(isinstance(module, peft.tuners.lora.LoraLayer) for module in model.modules()),
    }
    if options.rows:
        with torch.inference_mode():
            losses = row_losses(torch, model.eval(), torch.tensor(read_rows(options.rows)), batch=5)
        result |= {"rows": losses, "meanNll": math.fsum(losses) / len(losses)}
    if options.merge:
        model.merge_and_unload().save_pretrained(options.merge)
    print(json.dumps(result))
    if any(misfits.values()):
        sys.exit(1)


main()
