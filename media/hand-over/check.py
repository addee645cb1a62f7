"""
Whether this machine reads the hand-over as Coppice wrote it: the files have not changed, and the loss on the first rows,
before any step, is the one that Coppice computed. Run `python check.py`; it takes the CPU and float32.
"""

import hashlib
import sys

import torch
from transformers import AutoModelForCausalLM

from distil import HERE, collate, folder_of, read_json, read_rows, summed_loss


def changed_files(files):
    """Files of the hand-over that are missing, or are not what was written."""
    found = []
    for name, expected in files.items():
        path = HERE / name
        if not path.is_file():
            found.append(f"{name} is missing")
            continue
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
        if digest.hexdigest() != expected:
            found.append(f"{name} is not the file that was handed over")
    return found


@torch.no_grad()
def first_loss(manifest):
    """The mean loss over the targets of the first rows."""
    expected = manifest["firstLoss"]
    batch = collate(read_rows("data/train.jsonl", expected["rows"]))
    inputs = {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}

    def logits(place):
        model = AutoModelForCausalLM.from_pretrained(folder_of(place), dtype=torch.float32).eval()
        return model(**inputs).logits

    teacher = logits(read_json("config.json")["teacher"])
    loss, targets = summed_loss(logits("checkpoint"), teacher, batch["labels"], manifest["teacher"]["weight"])
    return (loss / targets).item()


def main():
    manifest = read_json("hand-over.json")
    expected = manifest["firstLoss"]
    faults = changed_files(manifest["files"])
    if not faults:
        found = first_loss(manifest)
        difference = abs(found - expected["loss"])
        print(f"first loss {found:.7f}, Coppice's {expected['loss']:.7f}, difference {difference:.1e}", end="")
        print(f" (allowed: {expected['tolerance']:.1e}; {expected['rows']} rows)")
        if not difference <= expected["tolerance"]:
            faults.append("the first loss is not Coppice's")
    for fault in faults:
        print(f"FAILED: {fault}", file=sys.stderr)
    if not faults:
        print("The files and the first loss are those of Coppice.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
