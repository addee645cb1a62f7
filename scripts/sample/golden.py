"""Reference results for the sample model, by stock transformers and PEFT in float64: test/golden/sample.

Run once by hand whenever media/sample changes (bench/peers/requirements.txt says what it needs):

    python scripts/sample/golden.py

What each file holds is said by the types of test/support/golden.ts, and how each number is defined in
test/golden/README.md. Nothing here is taken from the engine: blocks are left out by building the model without them,
modules by zeroing the projection that writes to the residual stream.
"""
import argparse
import copy
import json
import math
import pathlib
from contextlib import contextmanager

import torch
from tokenizers import Tokenizer
from torch.nn.functional import cosine_similarity, cross_entropy
from transformers import AutoModelForCausalLM

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
KEPT_FIRST, KEPT_LAST = 4, 2
MASKED = -100
DIGITS = 12

ROWS, ROW_LENGTH = 8, 64
LARGEST_WINDOW = 8
REMOVALS = 3
PROMPTS = ["Once upon a time, there was a little girl named Lily.", "The dog was very sad because", "Tom and"]
NEW_TOKENS = 24
TEXTS = [
    "Once upon a time, there was a little duck named Dot.",
    ' "Can I have a cookie?" asked Ben.\n\nMom said: "No!"',
    "Don't 3 times 14 = 42, café, 日本, 🦆 and\ttabs   here  ",
    "",
]


# The model, whole and in part


def load(folder):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager")
    return model.eval().requires_grad_(False)


@contextmanager
def without(model, blocks):
    """The model built without some blocks. Mask and rotation of a block are chosen by its place in `layer_types`."""
    config, layers = model.config, model.model.layers
    kept = [i for i in range(len(layers)) if i not in blocks]
    types = getattr(config, "layer_types", None)
    model.model.layers, config.num_hidden_layers = torch.nn.ModuleList(layers[i] for i in kept), len(kept)
    if types:
        config.layer_types = [types[i] for i in kept]
    try:
        yield model
    finally:
        model.model.layers, config.num_hidden_layers = layers, len(layers)
        if types:
            config.layer_types = types


@contextmanager
def without_module(model, block, part):
    """The model with one module silenced: what is added onto the residual stream is zero."""
    layer = model.model.layers[block]
    linear = layer.self_attn.o_proj if part == "attention" else layer.mlp.down_proj
    weight = linear.weight.clone()
    linear.weight.zero_()
    try:
        yield model
    finally:
        linear.weight.copy_(weight)


def logits_of(model, rows, mask=None):
    return model(input_ids=torch.tensor(rows), attention_mask=mask, use_cache=False).logits


def token_losses(model, rows):
    """(rows, length - 1), in nats."""
    logits = logits_of(model, rows)[:, :-1]
    targets = torch.tensor(rows)[:, 1:]
    return cross_entropy(logits.transpose(1, 2), targets, reduction="none")


def residual_stream(model, rows):
    """Before every block and after the last: blocks + 1 tensors (rows, length, hidden)."""
    states = []
    hooks = [
        layer.register_forward_hook(lambda _module, given, made: states.append((given[0], made)))
        for layer in model.model.layers
    ]
    logits_of(model, rows)
    for hook in hooks:
        hook.remove()
    return [states[0][0]] + [made[0] if isinstance(made, tuple) else made for _, made in states]


# What is scored


def loss_summary(model, rows):
    losses = torch.cat([token_losses(model, [row]) for row in rows])  # one by one: logits of a large vocabulary are large
    mean = losses.mean().item()
    return {"meanNll": mean, "ppl": math.exp(mean), "rows": losses.mean(1).tolist()}


def order_of(scores):
    return sorted(range(len(scores)), key=lambda i: scores[i])


def removable(order, blocks):
    return [b for b in order if KEPT_FIRST <= b < blocks - KEPT_LAST]


def perplexities(model, rows):
    blocks = []
    for block in range(model.config.num_hidden_layers):
        with without(model, {block}):
            blocks.append({"block": block, **loss_summary(model, rows)})
    return {"blocks": blocks, "order": order_of([b["meanNll"] for b in blocks])}


def module_perplexities(model, rows):
    modules = []
    for block in range(model.config.num_hidden_layers):
        for part in ("attention", "ffn"):
            with without_module(model, block, part):
                summary = loss_summary(model, rows)
            modules.append({"block": block, "part": part, "meanNll": summary["meanNll"], "ppl": summary["ppl"]})
    order = order_of([m["meanNll"] for m in modules])
    return {"modules": modules, "order": [{k: modules[i][k] for k in ("block", "part")} for i in order]}


def block_weights(model):
    for block, layer in enumerate(model.model.layers):
        for name, weight in layer.named_parameters():
            if name.endswith("weight"):
                yield block, name, weight


def per_block(model, tensors, field):
    sums = [0.0] * model.config.num_hidden_layers
    for tensor in tensors:
        sums[tensor["block"]] += tensor[field]
    return {"blocks": sums, "order": order_of(sums)}


def magnitude(model, power):
    tensors = []
    for block, name, weight in block_weights(model):
        neurons = weight.abs() ** power
        if neurons.ndim == 2:
            neurons = neurons.sum(1)
        numbers = {"sum": neurons.sum(), "mean": neurons.mean(), "max": neurons.max(), "logProd": neurons.log().sum()}
        tensors.append({"block": block, "name": name, **{key: value.item() for key, value in numbers.items()}})
    return {"tensors": tensors, **per_block(model, tensors, "sum")}


def similarities(model, rows):
    states = residual_stream(model, rows)
    blocks = model.config.num_hidden_layers
    influence = [(1 - cosine_similarity(states[b], states[b + 1], dim=-1)).mean().item() for b in range(blocks)]
    windows = []
    for size in range(1, min(blocks - 1, LARGEST_WINDOW) + 1):
        for start in range(blocks - size + 1):
            cosine = cosine_similarity(states[start][:, -1], states[start + size][:, -1], dim=-1).clamp(-1, 1)
            windows.append({"start": start, "size": size, "score": (cosine.arccos() / math.pi).mean().item()})
    return {"blocks": influence, "order": order_of(influence)}, {"windows": windows}


def greedy_removals(model, rows, count):
    gone, removals = [], []
    for _ in range(count):
        candidates = []
        for block in range(model.config.num_hidden_layers):
            if block not in gone:
                with without(model, {*gone, block}):
                    candidates.append((token_losses(model, rows).mean().item(), block))
        (loss, block), (runner_up, _) = sorted(candidates)[:2]
        gone.append(block)
        removals.append({"block": block, "meanNll": loss, "margin": runner_up - loss})
    return {"removals": removals}


def taylor(model, rows):
    model.requires_grad_(True)
    token_losses(model, rows).mean().backward()
    tensors = [
        {"block": block, "name": name, "score": (weight * weight.grad).abs().sum().item()}
        for block, name, weight in block_weights(model)
    ]
    gradients = [{"name": name, "norm": p.grad.norm().item()} for name, p in model.named_parameters()]
    model.zero_grad(set_to_none=True)
    model.requires_grad_(False)
    return {"tensors": tensors, **per_block(model, tensors, "score")}, gradients


# Text


def tokens_of(tokenizer, texts=TEXTS):
    entries = []
    for text in texts:
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        special = tokenizer.encode(text).ids
        entries.append(
            {
                "text": text,
                "idsWithoutSpecials": plain,
                "idsWithSpecials": special,
                "decoded": tokenizer.decode(plain, skip_special_tokens=False),
                "decodedSkippingSpecials": tokenizer.decode(special),
            }
        )
    return entries


def some_logits(model, rows):
    length = len(rows[0])
    positions = [0, 1, length // 2, length - 1]
    ids = list(range(0, model.config.vocab_size, model.config.vocab_size // 32))
    logits = logits_of(model, rows)[:, positions]
    return {
        "rows": rows,
        "positions": positions,
        "vocabularyIds": ids,
        "logits": logits[:, :, ids].tolist(),
        "logSumExp": logits.logsumexp(-1).tolist(),
        "argmax": logits.argmax(-1).tolist(),
        "residualNorms": torch.stack([s.norm(dim=-1).mean(-1) for s in residual_stream(model, rows)], 1).tolist(),
    }


def continuations(model, prompts):
    found = []
    for prompt in prompts:
        ids, margins = list(prompt), []
        for _ in range(NEW_TOKENS):
            logits = logits_of(model, [ids])[0, -1]
            first, second = logits.topk(2).values.tolist()
            margins.append(first - second)
            ids.append(logits.argmax().item())
        found.append(
            {"promptIds": prompt, "ids": ids[len(prompt) :], "smallestMargin": min(margins), "margins": margins}
        )
    return found


# Training


def formula(n, k):
    """n numbers in [-1, 1) that every implementation can make."""
    i = torch.arange(n, dtype=torch.int64)
    return ((i * 2654435761 + k * 40503 + 12345) % 2**32).double() / 2**31 - 1


def training_batches(tokenizer, stories, steps):
    """Four rows of unequal length a step; every other row has a beginning that is not to be learnt."""
    rows = iter(range(steps * 4))
    batches = []
    for _ in range(steps):
        batch = {"ids": [], "labels": []}
        for _ in range(4):
            row = next(rows)
            ids = tokenizer.encode(stories[row]).ids[: 20 + 5 * (row % 4)]
            hidden = 6 if row % 2 else 0
            batch["ids"].append(ids)
            batch["labels"].append([MASKED] * hidden + ids[hidden:])
        batches.append(batch)
    return batches


def batch_loss(model, batch):
    """Mean over the targets of the whole batch; rows padded on the right."""
    length = max(len(row) for row in batch["ids"])
    padded = [row + [0] * (length - len(row)) for row in batch["ids"]]
    mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in batch["ids"]])
    labels = torch.tensor([row + [MASKED] * (length - len(row)) for row in batch["labels"]])
    logits = logits_of(model, padded, mask)[:, :-1]
    return cross_entropy(logits.transpose(1, 2), labels[:, 1:], ignore_index=MASKED)


def learning_rate(step, settings):
    done = step - 1
    warmup, steps, peak = settings["warmup"], settings["steps"], settings["lr"]
    return peak * done / warmup if done < warmup else peak * (steps - done) / (steps - warmup)


def run_training(model, named, settings):
    """AdamW with decoupled decay on matrices only. `named`: parameters by the names of the results."""
    decay = settings["weightDecay"]
    groups = [{"params": [p], "weight_decay": decay if p.ndim == 2 else 0.0} for p in named.values()]
    optimizer = torch.optim.AdamW(groups, betas=settings["betas"], eps=settings["eps"])
    trace = []
    for step, batch in enumerate(settings["batches"], 1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, settings)
        optimizer.zero_grad()
        loss = batch_loss(model, batch)
        loss.backward()
        if step == 1:
            gradients = [
                {"name": name, "norm": p.grad.norm().item(), "dot": (p.grad.flatten() @ formula(p.numel(), 7)).item()}
                for name, p in named.items()
            ]
        norm = torch.nn.utils.clip_grad_norm_(list(named.values()), settings["clip"]).item()
        optimizer.step()
        trace.append({"step": step, "loss": loss.item(), "lr": learning_rate(step, settings), "gradNorm": norm})
    with torch.no_grad():
        after = batch_loss(model, settings["batches"][0]).item()
    first = {"firstLoss": trace[0]["loss"], "firstGradients": gradients}
    return {**settings, **first, "trace": trace, "lossAfterOnFirstBatch": after}


def settings_of(batches, **settings):
    return {**settings, "steps": len(batches), "clip": 1.0, "eps": 1e-8, "batches": batches}


def lora(folder, removed, batches):
    from peft import LoraConfig, get_peft_model  # the references of other models need no PEFT

    base = load(folder)
    with without(base, set(removed)):
        base = copy.deepcopy(base)
    config = LoraConfig(r=8, lora_alpha=16, lora_dropout=0.0, target_modules=LINEARS, task_type="CAUSAL_LM")
    model = get_peft_model(base, config).to(torch.float64)
    named = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        _, block, module, linear, matrix = name.removesuffix(".default.weight").rsplit(".", 4)
        number = int(block) * len(LINEARS) + LINEARS.index(linear)
        values = formula(parameter.numel(), 2 * number + (matrix == "lora_B")).view_as(parameter)
        with torch.no_grad():
            parameter.copy_(values / math.sqrt(parameter.shape[1]) if matrix == "lora_A" else 0.02 * values)
        named[f"layers.{block}.{module}.{linear}.{matrix}"] = parameter
    settings = settings_of(batches, warmup=2, lr=2e-3, weightDecay=0.0, betas=[0.9, 0.999])
    result = {"removed": removed, "rank": 8, "alpha": 16, **run_training(model, named, settings)}
    with torch.no_grad():
        merged = model.merge_and_unload()
        result["mergedFloat32"] = batch_loss(merged, batches[0]).item()
        for parameter in merged.parameters():
            parameter.copy_(parameter.to(torch.bfloat16).to(torch.float64))
        result["mergedSourceDtype"] = {"dtype": "bfloat16", "loss": batch_loss(merged, batches[0]).item()}
    return result


def full_training(folder, batches):
    model = load(folder).requires_grad_(True)
    settings = settings_of(batches, warmup=2, lr=1e-3, weightDecay=0.1, betas=[0.9, 0.95])
    return run_training(model, dict(model.named_parameters()), settings)


# Files


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list) else value


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=pathlib.Path, default=ROOT / "media/sample")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "test/golden/sample")
    arguments = parser.parse_args()
    folder, out = arguments.model, arguments.out
    out.mkdir(parents=True, exist_ok=True)

    def write(name, value):
        text = json.dumps(rounded(value), separators=(",", ":"), ensure_ascii=False)
        (out / f"{name}.json").write_text(text + "\n")
        print(f"{name}.json: {len(text)} bytes")

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    stories = (folder / "calibration.txt").read_text().split("\n\n")
    rows = [tokenizer.encode(story).ids[:ROW_LENGTH] for story in stories[:ROWS]]
    assert all(len(row) == ROW_LENGTH for row in rows)
    model = load(folder)

    write("calibration", {"rows": rows})
    write("tokens", tokens_of(tokenizer))
    with torch.no_grad():
        write("logits", some_logits(model, rows[:2]))
        importance = {
            "full": loss_summary(model, rows),
            "ppl": perplexities(model, rows),
            "modules": module_perplexities(model, rows),
            "magnitude": {"l1": magnitude(model, 1), "l2": magnitude(model, 2)},
            "greedy": greedy_removals(model, rows, REMOVALS),
        }
        importance["blockInfluence"], importance["angular"] = similarities(model, rows)
        removed = sorted(removable(importance["ppl"]["order"], model.config.num_hidden_layers)[:REMOVALS])
        prompts = [tokenizer.encode(prompt).ids for prompt in PROMPTS]
        text = {"newTokens": NEW_TOKENS, "removed": removed, "full": continuations(model, prompts)}
        with without(model, set(removed)):
            write("greedy", {**text, "pruned": continuations(model, prompts)})
    importance["taylor"], importance["gradients"] = taylor(model, rows)
    write("importance", importance)

    lines = (folder / "retrain.jsonl").read_text().splitlines()
    batches = training_batches(tokenizer, [json.loads(line)["text"] for line in lines], 6)
    write("lora", lora(folder, removed, batches))
    write("full_training", full_training(folder, batches))


if __name__ == "__main__":
    main()
