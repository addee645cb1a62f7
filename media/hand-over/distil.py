"""The rows of this hand-over, and the loss that its training makes smaller. `train.py` and `check.py` use both."""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint

HERE = Path(__file__).resolve().parent

# Positions with this label are read, and nothing is learned from them.
IGNORED = -100

# So many positions of the vocabulary are in float32 at a time. More is faster and takes more memory.
POSITIONS_AT_ONCE = 1024


def read_json(name):
    """A JSON file of this folder."""
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def read_rows(name, most=None):
    """The first rows of a file of this folder: token ids, and a label for each of them."""
    rows = []
    with open(HERE / name, encoding="utf-8") as file:
        for line in file:
            if most is not None and len(rows) == most:
                break
            row = json.loads(line)
            rows.append({"input_ids": row["input_ids"], "labels": row["labels"]})
    return rows


def collate(rows):
    """Rows as one batch, filled up on the right. What is filled up is not read and not learned."""
    length = max(len(row["input_ids"]) for row in rows)

    def filled(values, with_what):
        return values + [with_what] * (length - len(values))

    return {
        "input_ids": torch.tensor([filled(row["input_ids"], 0) for row in rows]),
        "labels": torch.tensor([filled(row["labels"], IGNORED) for row in rows]),
        "attention_mask": torch.tensor([filled([1] * len(row["input_ids"]), 0) for row in rows]),
    }


def folder_of(place):
    """A folder that the config names: one of this hand-over, or an absolute path."""
    return str(HERE / place)


def _part_of_loss(student, teacher, targets, weight):
    student = F.log_softmax(student.float(), dim=-1)
    loss = student.new_zeros(())
    if weight < 1:
        loss = loss + (1 - weight) * F.nll_loss(student, targets, reduction="sum")
    if weight > 0:
        teacher = F.log_softmax(teacher.float(), dim=-1)
        loss = loss + weight * F.kl_div(student, teacher, reduction="sum", log_target=True)
    return loss


def summed_loss(student_logits, teacher_logits, labels, weight):
    """
    The loss, summed over all positions with a target, and their number. For each of them it is
    (1 - weight) times the cross-entropy of the next token, plus weight times the KL divergence of the student's
    distribution of the next token from the teacher's (temperature 1, over the whole vocabulary, in float32).
    """
    wanted = labels[:, 1:] != IGNORED
    targets = labels[:, 1:][wanted]
    student = student_logits[:, :-1][wanted]
    teacher = student if teacher_logits is None else teacher_logits[:, :-1][wanted]
    loss = student_logits.new_zeros((), dtype=torch.float32)
    for start in range(0, len(targets), POSITIONS_AT_ONCE):
        part = slice(start, start + POSITIONS_AT_ONCE)
        # The probabilities of a part are computed again on the way back, so that they are not all kept.
        loss = loss + checkpoint(
            _part_of_loss, student[part], teacher[part], targets[part], weight, use_reentrant=False
        )
    return loss, len(targets)
