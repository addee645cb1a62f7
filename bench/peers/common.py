"""What the peer scripts share: saying politely that PyTorch is missing, reading rows, token losses, describing the machine."""

import json
import os
import platform
import sys
import types


def import_peers():
    """(torch, transformers), or ends the script with exit code 0 and {"skipped": why} where they are not installed."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # checkpoints are folders; nothing is to be fetched
    try:
        import torch
        import transformers
    except ImportError as error:
        print(json.dumps({"skipped": f"{error.name} is not importable by {sys.executable}: see bench/peers/README.md"}))
        sys.exit(0)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return torch, transformers


def import_tool(path, last_line):
    """The functions of a reference tool, without its last line, which would run it."""
    with open(path, encoding="utf-8") as file:
        source = file.read()
    tool = types.ModuleType(os.path.splitext(os.path.basename(path))[0])
    exec(compile(source.replace(last_line, ""), path, "exec"), tool.__dict__)
    return tool


def place(model):
    """The first argument of from_pretrained and its further ones, for a folder in the Hugging Face layout or a GGUF file."""
    if not model.endswith(".gguf"):
        return model, {}
    folder, name = os.path.split(os.path.abspath(model))
    return folder, {"gguf_file": name}


def load_model(transformers, model, dtype):
    """A stock causal model. A GGUF file is dequantized by transformers, which needs the packages gguf and accelerate for it."""
    path, more = place(model)
    return transformers.AutoModelForCausalLM.from_pretrained(path, dtype=dtype, **more)


def keep_layers(torch, model, kept):
    """Leaves only some layers in the model. Mask and rotation of a layer are chosen by its place in the config's list."""
    layers, types = model.model.layers, getattr(model.config, "layer_types", None)
    model.model.layers = torch.nn.ModuleList(layers[index] for index in kept)
    model.config.num_hidden_layers = len(kept)
    if types:
        model.config.layer_types = [types[index] for index in kept]


def read_rows(path):
    """The equally long rows of ids of {"rows": [[id, …], …]}."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)["rows"]


def row_losses(torch, model, ids, batch):
    """Mean loss of each row of `ids` (rows, length); the targets are tokens 1 … of the row."""
    losses = []
    for start in range(0, len(ids), batch):
        rows = ids[start : start + batch]
        logits = model(input_ids=rows, use_cache=False).logits[:, :-1]
        targets = rows[:, 1:]
        flat = torch.nn.functional.cross_entropy(
            logits.reshape(-1, logits.shape[-1]).float(), targets.reshape(-1), reduction="none"
        )
        losses += flat.view(targets.shape).double().mean(dim=1).tolist()
    return losses


def machine(torch, transformers):
    """Where a figure was measured."""
    return {
        "cpu": cpu_name(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def cpu_name():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
