"""The perplexity sweep as one would write it in PyTorch: remove each block in turn, run the whole model, take the loss.

    python sweep_torch.py CHECKPOINT ROWS.json [--dtype float32 bfloat16] [--batch N …] [--threads N]

CHECKPOINT is a folder in the Hugging Face layout or a GGUF file, ROWS.json a {"rows": [[id, …], …]} with rows of equal length. Prints one
JSON object with, for each dtype, the seconds of the sweep (the whole model and each block left out; loading not counted),
the batch size that was fastest in one pass over the rows, and the mean losses. The model is stock transformers with scaled
dot-product attention under inference mode on all threads; the removed block is replaced by one that passes its input on.

`seconds` is the measurement. All removals cost the same, so `undisturbedSeconds`, the fastest of them for every pass, is an
estimate, in PyTorch's favour, of what a machine with nothing else to do would take. Where the two are far apart the machine
was busy, and neither is worth quoting: measure again.
"""

import argparse
import json
import math
import time

from common import import_peers, load_model, machine, read_rows, row_losses

torch, transformers = import_peers()


class Skip(torch.nn.Module):
    """Takes a block's place and lets the residual stream pass."""

    def forward(self, hidden_states, *args, **kwargs):
        return hidden_states


def fastest_batch(model, ids, candidates):
    """The candidate with the shortest pass over all rows, of three passes each."""
    return min(candidates, key=lambda batch: min(timed_loss(model, ids, batch)[1] for _ in range(3)))


def timed_loss(model, ids, batch):
    """(mean loss, seconds)"""
    start = time.perf_counter()
    losses = row_losses(torch, model, ids, batch)
    return math.fsum(losses) / len(losses), time.perf_counter() - start


def sweep(model, ids, batch):
    """Mean loss of the whole model, and for each block removed (mean loss, seconds)."""
    layers = model.model.layers
    full, _ = timed_loss(model, ids, batch)
    blocks = []
    for index in range(len(layers)):
        removed, layers[index] = layers[index], Skip()
        blocks.append(timed_loss(model, ids, batch))
        layers[index] = removed
    return full, blocks


def measure(checkpoint, ids, dtype, batches):
    model = load_model(transformers, checkpoint, getattr(torch, dtype)).eval()
    with torch.inference_mode():
        batch = fastest_batch(model, ids, batches)
        start = time.perf_counter()
        full, blocks = sweep(model, ids, batch)
        seconds = time.perf_counter() - start
    losses = [loss for loss, _ in blocks]
    fastest = min(seconds for _, seconds in blocks)
    return {
        "dtype": dtype,
        "batch": batch,
        "seconds": seconds,
        "undisturbedSeconds": fastest * (len(blocks) + 1),
        "full": full,
        "blocks": losses,
        "order": sorted(range(len(losses)), key=lambda index: losses[index]),
    }


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
