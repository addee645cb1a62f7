"""The perplexity sweep as one would write it in PyTorch: remove each block in turn, run the whole model, take the loss.

    python sweep_torch.py CHECKPOINT ROWS.json [--dtype float32 bfloat16] [--batch N …] [--threads N]

CHECKPOINT is a folder in the Hugging Face layout, ROWS.json a {"rows": [[id, …], …]} with rows of equal length. Prints one
JSON object with, for each dtype, the seconds of the sweep (the whole model and each block left out; loading not counted),
the batch size that was fastest in one pass over the rows, and the mean losses. The model is stock transformers with scaled
dot-product attention under inference mode on all threads; the removed block is replaced by one that passes its input on.
"""

import argparse
import json
import math
import time

from common import import_peers, machine, read_rows, row_losses

torch, transformers = import_peers()


class Skip(torch.nn.Module):
    """Takes a block's place and lets the residual stream pass."""

    def forward(self, hidden_states, *args, **kwargs):
        return hidden_states


def fastest_batch(model, ids, candidates):
    """The candidate with the shortest pass over all rows; each is tried twice, the first time to warm up."""
    best = None
    for batch in candidates:
        for _ in range(2):
            start = time.perf_counter()
            row_losses(torch, model, ids, batch)
            seconds = time.perf_counter() - start
        if best is None or seconds < best[0]:
            best = (seconds, batch)
    return best[1]


def sweep(model, ids, batch):
    """Mean loss of the whole model, and with each block removed."""
    layers = model.model.layers
    full = mean(row_losses(torch, model, ids, batch))
    blocks = []
    for index in range(len(layers)):
        removed, layers[index] = layers[index], Skip()
        blocks.append(mean(row_losses(torch, model, ids, batch)))
        layers[index] = removed
    return full, blocks


def mean(values):
    return math.fsum(values) / len(values)


def measure(checkpoint, ids, dtype, batches):
    model = transformers.AutoModelForCausalLM.from_pretrained(checkpoint, dtype=getattr(torch, dtype)).eval()
    with torch.inference_mode():
        batch = fastest_batch(model, ids, batches)
        start = time.perf_counter()
        full, blocks = sweep(model, ids, batch)
        seconds = time.perf_counter() - start
    order = sorted(range(len(blocks)), key=lambda index: blocks[index])
    return {"dtype": dtype, "batch": batch, "seconds": seconds, "full": full, "blocks": blocks, "order": order}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("rows")
    parser.add_argument("--dtype", nargs="+", default=["float32", "bfloat16"], choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--batch", nargs="+", type=int, help="batch sizes to choose from (default: 1, 2, 5, all rows)")
    parser.add_argument("--threads", type=int, help="default: what PyTorch takes")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    ids = torch.tensor(read_rows(options.rows))
    batches = options.batch or sorted({1, 2, 5, len(ids)})
    print(
        json.dumps(
            {
                "checkpoint": options.checkpoint,
                "rows": len(ids),
                "length": ids.shape[1],
                "machine": machine(torch, transformers),
                "results": [measure(options.checkpoint, ids, dtype, batches) for dtype in options.dtype],
            }
        )
    )


main()
