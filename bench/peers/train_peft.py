"""LoRA retraining as one would write it with PyTorch and PEFT: tokens a second of an optimiser's step.

    python train_peft.py CHECKPOINT ROWS.json [--remove N …] [--dtype float32 bfloat16] [--micro N …] [--threads N]

CHECKPOINT is a folder in the Hugging Face layout or a GGUF file, ROWS.json a {"rows": [[id, …], …]} with rows of equal length: the batch of
one step. Blocks given by --remove are taken out; then LoRA as the paper has it (rank 8, α 16, dropout 0.05, all seven
Linears) is trained with AdamW, the loss being the mean over all targets. The batch is accumulated from micro-batches of
the number of rows that was fastest in one of them, after one to warm up. Stock transformers with scaled dot-product
attention, all threads.

Prints one JSON object with, for each dtype, the rows of a micro-batch, the seconds of a whole step (forward, backward,
clipping, AdamW), tokens a second, the step's loss, and the estimate `undisturbedSeconds`: its fastest micro-batch for every
micro-batch, in PyTorch's favour. Where the two are far apart the machine was busy, and neither is worth quoting.
"""

import argparse
import json
import sys
import time

from common import import_peers, keep_layers, load_model, machine, read_rows

torch, transformers = import_peers()
try:
    import peft
except ImportError:
    print(json.dumps({"skipped": f"peft is not importable by {sys.executable}: see bench/peers/README.md"}))
    sys.exit(0)

LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def load(checkpoint, removed, dtype):
    """The model without `removed`, adapters on top, and the optimiser of these."""
    model = load_model(transformers, checkpoint, getattr(torch, dtype))
    keep_layers(torch, model, [index for index in range(len(model.model.layers)) if index not in removed])
    for index, layer in enumerate(model.model.layers):
        layer.self_attn.layer_idx = index
    model.config.use_cache = False
    config = peft.LoraConfig(r=8, lora_alpha=16, lora_dropout=0.05, target_modules=LINEARS, task_type="CAUSAL_LM")
    model = peft.get_peft_model(model, config).train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return model, trained, torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.0)


def backward(model, rows, targets):
    """Adds a micro-batch's share of the gradient. Returns its share of the loss, and seconds."""
    start = time.perf_counter()
    logits = model(input_ids=rows).logits[:, :-1]
    total = torch.nn.functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]).float(), rows[:, 1:].reshape(-1), reduction="sum"
    )
    (total / targets).backward()
    return total.item() / targets, time.perf_counter() - start


def fastest_micro(model, optimizer, ids, candidates):
    """The candidate with the most rows a second, of two micro-batches after one to warm up."""

    def rate(micro):
        rows = ids[:micro]
        seconds = [backward(model, rows, rows.numel())[1] for _ in range(3)][1:]
        return len(rows) / min(seconds)

    best = max(candidates, key=rate)
    optimizer.zero_grad()
    return best


def measure(checkpoint, removed, ids, dtype, candidates):
    model, trained, optimizer = load(checkpoint, removed, dtype)
    micro = fastest_micro(model, optimizer, ids, candidates)  # warms up too
    pieces = [ids[at : at + micro] for at in range(0, len(ids), micro)]
    targets = len(ids) * (ids.shape[1] - 1)
    start = time.perf_counter()
    parts = [backward(model, piece, targets) for piece in pieces]
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    seconds = time.perf_counter() - start
    return {
        "dtype": dtype,
        "micro": micro,
        "seconds": seconds,
        "undisturbedSeconds": min(part[1] for part in parts) * len(pieces),
        "tokensPerSecond": ids.numel() / seconds,
        "loss": sum(part[0] for part in parts),
        "parameters": sum(parameter.numel() for parameter in trained),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("rows")
    parser.add_argument("--remove", nargs="*", type=int, default=[], help="blocks to take out")
    parser.add_argument("--dtype", nargs="+", default=["float32", "bfloat16"], choices=["float32", "bfloat16"])
    parser.add_argument("--micro", nargs="+", type=int, default=[4, 8, 16], help="rows of a micro-batch to choose from")
    parser.add_argument("--threads", type=int, help="default: what PyTorch takes")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    ids = torch.tensor(read_rows(options.rows))
    removed = set(options.remove)
    results = [measure(options.checkpoint, removed, ids, dtype, options.micro) for dtype in options.dtype]
    print(
        json.dumps(
            {
                "checkpoint": options.checkpoint,
                "rows": len(ids),
                "length": ids.shape[1],
                "machine": {**machine(torch, transformers), "peft": peft.__version__},
                "results": results,
            }
        )
    )


main()
