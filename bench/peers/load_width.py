"""Loads a checkpoint that Coppice pruned in width with stock transformers, and compares it with what Coppice computes.

    python load_width.py CHECKPOINT [EXPECTED.json]

Prints one JSON object. A checkpoint that transformers refuses gives what AutoConfig and AutoModelForCausalLM said, as
"refused". Otherwise: the class, the keys that it missed, did not expect or found in another shape (all three must be empty,
else the exit code is 1), and, given what Coppice computes ({"rows": [[id, …], …], "logits": the logits after each token of
each row, "prompt": ids, "greedy": the ids that follow it}), the largest difference of a logit and whether the greedy ids
are the same.
"""

import argparse
import json
import sys

from common import import_peers, machine

torch, transformers = import_peers()


def refusal(load, checkpoint):
    """The first line of what `load` raises; None if it takes the checkpoint."""
    try:
        load(checkpoint)
    except Exception as error:  # whatever it is, it is a refusal
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return None


def greedy(model, prompt, count):
    model.generation_config.eos_token_id = None
    ids = torch.tensor([prompt])
    mask = torch.ones_like(ids)
    out = model.generate(ids, attention_mask=mask, max_new_tokens=count, do_sample=False, pad_token_id=0)
    return out[0, len(prompt) :].tolist()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("expected", nargs="?")
    options = parser.parse_args()

    loaders = {"AutoConfig": transformers.AutoConfig, "AutoModelForCausalLM": transformers.AutoModelForCausalLM}
    refused = {name: refusal(loader.from_pretrained, options.checkpoint) for name, loader in loaders.items()}
    result = {"checkpoint": options.checkpoint, "machine": machine(torch, transformers)}
    if any(refused.values()):
        print(json.dumps(result | {"refused": refused}))
        return
    model, loading = transformers.AutoModelForCausalLM.from_pretrained(
        options.checkpoint, dtype=torch.float32, output_loading_info=True
    )
    misfits = {kind: sorted(map(str, loading[kind])) for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")}
    result |= {
        "class": type(model).__name__,
        "missing": misfits["missing_keys"],
        "unexpected": misfits["unexpected_keys"],
        "mismatched": misfits["mismatched_keys"],
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }
    if options.expected:
        with open(options.expected, encoding="utf-8") as file:
            expected = json.load(file)
        with torch.inference_mode():
            logits = model.eval()(input_ids=torch.tensor(expected["rows"]), use_cache=False).logits
            result["logits"] = (logits - torch.tensor(expected["logits"])).abs().max().item()
            result["greedy"] = greedy(model, expected["prompt"], len(expected["greedy"])) == expected["greedy"]
    print(json.dumps(result))
    if any(misfits.values()):
        sys.exit(1)


main()
