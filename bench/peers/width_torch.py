"""Width pruning with PyTorch: seconds and peak memory of choosing what is kept, by one method.

    python width_torch.py TOOL CHECKPOINT ROWS.json METHOD [--ratio P] [--threads N]

TOOL is golden/tools/width.py of the reference material, whose selections are called; METHOD is llm-pruner, flap or
wanda-sp. The passes are written here as the methods' authors do them, in float32: LLM-Pruner takes one backward pass of
all rows through the whole model; FLAP watches one pass of it; Wanda-sp goes layer by layer, each twice: whole for its
statistics, and sliced for what the next one sees. The tool itself takes the rows one by one, and for Wanda-sp passes all
layers before each one again, to be beyond doubt.

Prints one JSON object: `seconds` without loading, `peakBytes` of the process, and per layer the kept `groups` and the
number of kept `neurons`.
"""

import argparse
import inspect
import json
import resource
import sys
import time

from common import import_peers, import_tool, load_model, machine, read_rows

torch, transformers = import_peers()


def llm_pruner(tool, model, shape, ids, ratio):
    low, high = (4, shape.L - 2) if shape.L >= 12 else (1, shape.L - 1)
    model.requires_grad_(True)
    logits = model(input_ids=ids, use_cache=False).logits[:, :-1]
    torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1)).backward()

    def salience(linear, axis):
        return (linear.weight.detach() * linear.weight.grad).abs().sum(axis, dtype=torch.float64)

    kept = []
    for i, layer in enumerate(model.model.layers):
        a, f = layer.self_attn, layer.mlp
        heads = tool.per_group(salience(a.q_proj, 1) + salience(a.o_proj, 0), shape).sum(1)
        groups = heads + (salience(a.k_proj, 1) + salience(a.v_proj, 1)).view(shape.K, shape.d).sum(1)
        neurons = salience(f.gate_proj, 1) + salience(f.up_proj, 1) + salience(f.down_proj, 0)
        inside = low <= i < high
        kept.append(
            (
                tool.keep_lowest_removed(groups, tool.removed_llm_pruner(shape.K, shape.d, ratio) if inside else 0),
                tool.keep_lowest_removed(neurons, tool.removed_llm_pruner(shape.f, 1, ratio) if inside else 0),
            )
        )
    return kept


def watched(linears, add, work):
    """Runs `work`; `add(i, x)` gets each row of the i-th Linear's input, (tokens, channels), in float64."""

    def hook(i):
        def see(_, inputs):
            for row in inputs[0].double():
                add(i, row)

        return see

    hooks = [linear.register_forward_pre_hook(hook(i)) for i, linear in enumerate(linears)]
    with torch.no_grad():
        result = work()
    for each in hooks:
        each.remove()
    return result


def flap(tool, model, shape, ids, ratio):
    linears = [m for layer in model.model.layers for m in (layer.self_attn.o_proj, layer.mlp.down_proj)]
    statistics = [tool.Fluctuation() for _ in linears]
    watched(linears, lambda i, x: statistics[i].add(x), lambda: model.model(input_ids=ids, use_cache=False))
    groups, neurons = [], []

    def standard(x):
        return (x - x.mean()) / x.std()

    for layer in range(shape.L):
        o, down = linears[2 * layer : 2 * layer + 2]
        weights = [(linear.weight.detach().double() ** 2).sum(0) for linear in (o, down)]
        attention = (statistics[2 * layer].f * weights[0]) ** 2
        groups.append(tool.per_group(standard(attention), shape).mean(1))
        neurons.append(standard(statistics[2 * layer + 1].f * weights[1]))
    _, kept_groups, kept_neurons = tool.flap_select(groups, neurons, ratio, shape.cost())
    for i, linear in enumerate(linears):  # the biases
        gone = ~(kept_neurons[i // 2] if i % 2 else kept_groups[i // 2].repeat_interleave(shape.r * shape.d))
        linear.weight.detach().double() @ (statistics[i].b * gone)
    return list(zip(kept_groups, kept_neurons))


def wanda_sp(tool, model, shape, ids, ratio):
    kept = []
    with torch.no_grad():
        x = model.model.embed_tokens(ids)
        positions = torch.arange(ids.shape[1])[None]
        rotate = model.model.rotary_emb
        by_type = "layer_type" in inspect.signature(rotate.forward).parameters

        for index, layer in enumerate(model.model.layers):
            rotary = rotate(x, positions, *([model.config.layer_types[index]] if by_type else []))

            def run(layer, states):
                out = layer(states, attention_mask=None, position_ids=positions, position_embeddings=rotary)
                return out[0] if isinstance(out, tuple) else out

            linears = [layer.self_attn.o_proj, layer.mlp.down_proj]
            energy = [tool.Energy(), tool.Energy()]
            watched(linears, lambda i, row: energy[i].add(row), lambda: run(layer, x))
            scores = [
                linear.weight.double().abs().mean(0) * e.e.sqrt() for linear, e in zip(linears, energy)
            ]
            groups = tool.keep_from_threshold(tool.per_group(scores[0], shape).sum(1), int(ratio * shape.K))
            neurons = tool.keep_from_threshold(scores[1], int(ratio * shape.f))
            kept.append((groups, neurons))
            names = torch.nonzero(groups).flatten().tolist()
            q, k, n = shape.query_channels(names), shape.key_channels(names), torch.nonzero(neurons).flatten()
            a, f = layer.self_attn, layer.mlp
            a.q_proj, a.k_proj, a.v_proj = tool.take(a.q_proj, q), tool.take(a.k_proj, k), tool.take(a.v_proj, k)
            a.o_proj = tool.take(a.o_proj, None, q)
            f.gate_proj, f.up_proj, f.down_proj = (
                tool.take(f.gate_proj, n),
                tool.take(f.up_proj, n),
                tool.take(f.down_proj, None, n),
            )
            x = run(layer, x)
    return kept


METHODS = {"llm-pruner": llm_pruner, "flap": flap, "wanda-sp": wanda_sp}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tool")
    parser.add_argument("checkpoint")
    parser.add_argument("rows")
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("--ratio", type=float, default=0.25)
    parser.add_argument("--threads", type=int, help="default: what PyTorch takes")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    tool = import_tool(options.tool, "if __name__ == '__main__': main()")
    ids = torch.tensor(read_rows(options.rows))
    model = load_model(transformers, options.checkpoint, torch.float32).eval()
    model.requires_grad_(False)
    shape = tool.Shape(model)
    start = time.perf_counter()
    kept = METHODS[options.method](tool, model, shape, ids, options.ratio)
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    layers = [{"groups": torch.nonzero(g).flatten().tolist(), "neurons": int(n.sum())} for g, n in kept]
    result = {
        "machine": machine(torch, transformers),
        "seconds": seconds,
        "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit,
        "layers": layers,
    }
    print(json.dumps(result))


main()
