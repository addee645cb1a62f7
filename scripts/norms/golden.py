"""Reference results of healing where a norm stands behind o_proj and down_proj, by stock transformers in float64: test/golden/norms.

Run once by hand (bench/peers/requirements.txt says what it needs); MODELS is a folder of toys with rows.json in each:

    python scripts/norms/golden.py MODELS

What each number is, test/golden/README.md says. Nothing here is taken from the engine: every channel's ridge comes from one
eigendecomposition. Norms are computed in float64; rotary angles and softmax pass through float32 in the stock code.
"""
import argparse
import json
import pathlib

import torch
from transformers import AutoModelForCausalLM

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = {
    "gemma2-softcap": [[2], [3, 4, 6]],
    "gemma3-pattern": [[1, 2], [0, 7]],
    "gemma3-five-to-one": [[5], [2, 6, 7]],
    "olmo2-postnorm": [[3], [2, 5, 6]],
}
RIDGE, STEP, STEP_CUT = 0.1, 0.5, 0.8
GRID = [0.03, 0.1, 0.3, 1, 3]
DIGITS = 12

torch.set_grad_enabled(False)


def u(count, k):
    i = torch.arange(count, dtype=torch.int64)
    return ((i * 2654435761 + k * 40503 + 12345) % 4294967296).double() / 2147483648.0 - 1.0


def check(weight):
    flat = weight.detach().double().flatten()
    return {"norm": flat.norm().item(), "dot": (flat @ u(flat.numel(), 7)).item()}


def square(x):
    return (x**2).sum().item()


class Model:
    """A stock causal model taken module by module. `dense[m]` is the whole model's stream before module m: 2 b, + 1 for the FFN."""

    def __init__(self, folder, rows):
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
        config = self.model.config
        self.eps, self.offset = config.rms_norm_eps, 1 if config.model_type.startswith("gemma") else 0
        for module in self.model.modules():
            if type(module).__name__.endswith("RMSNorm"):
                module.forward = lambda x, module=module: self.normed(x) * (self.offset + module.weight)
        self.blocks, self.ids = self.model.model.layers, torch.tensor(rows)
        self.count = len(self.blocks)
        self.given, self.dense = [None] * self.count, []
        hooks = [block.register_forward_pre_hook(self.watch(b), with_kwargs=True) for b, block in enumerate(self.blocks)]
        self.model(input_ids=self.ids, use_cache=False)
        for hook in hooks:
            hook.remove()
        for m in range(2 * self.count):
            self.dense.append(self.module(m, self.dense[-1])[1])
        self.teacher = self.log_probabilities(self.dense[-1])

    def watch(self, b):
        def hook(_, args, given):
            if b == 0:
                self.dense.append((args[0] if args else given["hidden_states"]).clone())
            self.given[b] = {name: value for name, value in given.items() if name != "hidden_states"}

        return hook

    def normed(self, x):
        return x / (x.pow(2).mean(-1, keepdim=True) + self.eps).sqrt()

    def parts(self, m):
        """The module's last Linear and the norm behind it."""
        block = self.blocks[m // 2]
        if m % 2 == 0:
            return block.self_attn.o_proj, block.post_attention_layernorm
        return block.mlp.down_proj, block.post_feedforward_layernorm

    def module(self, m, x):
        """What the module's last Linear reads, and the stream after the module."""
        block, (linear, norm) = self.blocks[m // 2], self.parts(m)
        before = getattr(block, "input_layernorm" if m % 2 == 0 else "pre_feedforward_layernorm", None)
        read, got = before(x) if before else x, {}
        hook = linear.register_forward_pre_hook(lambda _, args: got.__setitem__("input", args[0].clone()))
        added = block.self_attn(hidden_states=read, **self.given[m // 2])[0] if m % 2 == 0 else block.mlp(read)
        hook.remove()
        return got["input"], x + norm(added)

    def log_probabilities(self, x):
        logits = self.model.lm_head(self.model.model.norm(x[:, :-1]))
        cap = getattr(self.model.config, "final_logit_softcapping", None)
        return torch.log_softmax(torch.tanh(logits / cap) * cap if cap else logits, -1)

    def measure(self, x):
        found = self.log_probabilities(x)
        loss = -found.gather(-1, self.ids[:, 1:, None]).mean().item()
        return {"meanNll": loss, "kl": (self.teacher.exp() * (self.teacher - found)).sum(-1).mean().item()}

    def through(self, kept):
        x = self.dense[0]
        for b in kept:
            for m in (2 * b, 2 * b + 1):
                x = self.module(m, x)[1]
        return x


def solved(gram, cross, gains, ridge):
    """(g² G + α) δ = g b for each channel, α = λ · mean eigenvalue · mean g²."""
    values, vectors = torch.linalg.eigh(gram)
    values = values.clamp(min=0)
    alpha = ridge * values.mean() * gains.pow(2).mean()
    return vectors @ (vectors.T @ cross * gains / (values[:, None] * gains.pow(2) + alpha))


def fit(model, m, x, target, ridge, step):
    """Changes a module's last Linear, then the norm behind it, and says how."""
    linear, norm = model.parts(m)
    inputs, out = model.module(m, x)
    counts = 1 / (target.pow(2).mean(-1, keepdim=True) + model.eps).sqrt()
    counts[:, 0] = 0
    gains = model.offset + norm.weight.data
    z = linear(inputs)
    scale = (z.pow(2).mean(-1, keepdim=True) + model.eps).sqrt()
    seen, missed = counts * inputs / scale, counts * (target - out)
    flat = lambda rows, chosen: [t[[chosen(r) for r in range(len(t))]].flatten(0, 1) for t in rows]
    grams = lambda some: (some[0].T @ some[0], some[0].T @ some[1])
    gram, cross = grams(flat((seen, missed), lambda _: True))
    report = {
        "traceGram": gram.trace().item(),
        "medianGram": gram.diagonal().median().item(),
        "normCross": cross.norm().item(),
        "errorBefore": square(missed),
    }
    if ridge == "auto":
        others, chosen = (flat((seen, missed), lambda r, own=own: (r % 5 == 4) == own) for own in (False, True))
        errors = [
            square(chosen[1] - chosen[0] @ (solved(*grams(others), gains, each) * gains)) / square(chosen[1]) for each in GRID
        ]
        ridge = GRID[errors.index(min(errors))] if min(errors) < 1 else None
        report |= {"heldErrors": errors}
    delta = torch.zeros_like(cross) if ridge is None else solved(gram, cross, gains, ridge)
    report |= {"ridge": ridge, "normDelta": delta.norm().item()}
    if ridge is not None:
        linear.weight.data = linear.weight.data + step * delta.T
        unit = counts * model.normed(linear(inputs))
        wanted = counts * (target - x)
        least, size = (unit * wanted).sum((0, 1)), unit.pow(2).sum((0, 1))
        alpha = ridge * size.mean()
        norm.weight.data = gains + step * ((least + alpha * gains) / (size + alpha) - gains) - model.offset
    out = model.module(m, x)[1]
    report |= {"errorAfter": square(counts * (target - out))}
    if ridge is not None:
        report |= {"weight": check(linear.weight), "normWeight": check(norm.weight)}
    return out, report


def refit(model, kept, ridge):
    start = next(b for b in range(model.count) if b not in kept)
    before = max((b for b in kept if b < start), default=start)
    x, steps = model.dense[0], []
    for b, end in zip(kept, kept[1:] + [model.count]):
        for m in (2 * b, 2 * b + 1):
            cut = m % 2 == 1 and end != b + 1
            if b > start or (b == before and m % 2 == 1):
                target = model.dense[2 * end if m % 2 == 1 else m + 1]
                x, report = fit(model, m, x, target, ridge, STEP_CUT if cut else STEP)
                place = {"block": b, "tensor": "down_proj" if m % 2 else "o_proj", "removed": list(range(b + 1, end)) if m % 2 else []}
                steps.append(place | report)
            else:
                x = model.module(m, x)[1]
    return steps


def scalar(model, kept):
    factor, steps = 1.0, []
    for b, end in zip(kept, kept[1:] + [model.count]):
        for m in (2 * b, 2 * b + 1):
            norm = model.parts(m)[1]
            if factor != 1:
                norm.weight.data = (model.offset + norm.weight.data) / factor - model.offset
        if end != b + 1:
            sizes = [model.dense[2 * place].abs().mean((0, 1)) for place in (end, b + 1)]
            s = (sizes[0] / sizes[1]).mean().item()
            factor *= s
            steps.append({"block": b, "tensor": "down_proj", "removed": list(range(b + 1, end)), "s": s})
    return steps


def short(value):
    if isinstance(value, dict):
        return {name: short(each) for name, each in value.items()}
    if isinstance(value, list):
        return [short(each) for each in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=pathlib.Path)
    folder = parser.parse_args().models
    for name, cases in CASES.items():
        rows = json.loads((folder / name / "rows.json").read_text())["rows"]
        dtype = json.loads((folder / name / "config.json").read_text()).get("torch_dtype", "float32")
        model = Model(folder / name, rows)
        stored = {key: value.clone() for key, value in model.model.state_dict().items()}
        result = {"refitRidge": RIDGE, "step": STEP, "stepCut": STEP_CUT, "grid": GRID, "fileDtype": dtype, "cases": []}
        result["dense"] = model.measure(model.dense[-1])
        for removed in cases:
            kept = [b for b in range(model.count) if b not in removed]
            case = {"removed": removed, "plain": model.measure(model.through(kept))}
            for method, heal in {
                "scalar": lambda: scalar(model, kept),
                "refit": lambda: refit(model, kept, RIDGE),
                "auto": lambda: refit(model, kept, "auto"),
            }.items():
                case[method] = {"steps": heal(), **model.measure(model.through(kept))}
                for parameter in model.model.parameters():
                    parameter.data = parameter.data.to(getattr(torch, dtype)).double()
                case[method]["rounded"] = model.measure(model.through(kept))
                model.model.load_state_dict(stored)
                print(name, removed, method, {key: value for key, value in case[method].items() if key != "steps"})
            result["cases"].append(case)
        target = ROOT / "test/golden/norms" / f"{name}.json"
        target.write_text(json.dumps(short(result), indent=1) + "\n")
        print(target, target.stat().st_size)


main()
