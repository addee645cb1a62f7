"""Healing in closed form with PyTorch: seconds and peak memory of the reference tool, phase by phase.

    python heal_torch.py TOOL CHECKPOINT ROWS.json --removed N … [--ridge R] [--products float64 float32] [--threads N]

TOOL is golden/tools/heal.py of the reference material: 160 lines of PyTorch and stock transformers, whose functions are
called as its own main does. CHECKPOINT is a folder in the Hugging Face layout, ROWS.json a {"rows": [[id, …], …]} with rows
of equal length. Activations are in float32; the sums of products in float64, from products in float64 (as the tool does
by default) or in float32 (which is faster).

Prints one JSON object with, for each kind of products: `dense`, the seconds of one pass of the whole model; `heal`, those
of refitting o_proj and down_proj towards it; `measure`, those of the teacher's logits and of measuring the plain, the healed
and the rounded model; `load`, and `seconds`, all of them together; `peakBytes` of the process so far; mean loss and KL.
"""

import argparse
import json
import os
import resource
import sys
import time

from common import import_peers, import_tool, machine, read_rows

torch, transformers = import_peers()


class Clock:
    """Seconds of each phase."""

    def __init__(self):
        self.seconds = {}

    def time(self, phase, work):
        start = time.perf_counter()
        result = work()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - start
        return result


def run(tool, options, rows, products):
    clock = Clock()

    class Walker(tool.Walker):
        """Without the teacher's logits, which are for measuring."""

        def logp(self, row):
            return super().logp(row) if self.measures else None

        measures = False

    if products == "float32":
        tool.Fit.widen = staticmethod(lambda x: x)
    else:
        tool.Fit.widen = staticmethod(lambda x: x.double())
    walker = clock.time("load", lambda: Walker(options.checkpoint, torch.float32, rows))
    whole = clock.time("dense", lambda: walker.through(walker.dense[0], range(walker.L)))
    assert torch.equal(whole, walker.dense[-1])
    x, _, saved = clock.time(
        "heal", lambda: tool.heal(walker, options.removed, "refit", options.ridge, [], options.step, options.step_cut)
    )
    healed_peak = peak_bytes()

    def measure():
        walker.measures = True
        walker.teacher = [walker.logp(row) for row in walker.dense[-1]]
        after = walker.measure(x)
        kept = [block for block in range(walker.L) if block not in options.removed]
        dtype = stored_dtype(options.checkpoint)
        for linear, _, _ in saved:
            linear.weight.data = linear.weight.data.to(dtype).to(linear.weight.dtype)
        rounded = walker.measure(walker.through(walker.dense[0], kept))
        tool.undo(saved)
        before = walker.measure(walker.through(walker.dense[0], kept))
        return {"before": before, "after": after, "rounded": rounded}

    stages = clock.time("measure", measure)
    return {
        "products": products,
        **clock.seconds,
        "seconds": sum(clock.seconds.values()) - clock.seconds["dense"],  # the tool's own pass is in "load"
        "healPeakBytes": healed_peak,
        "peakBytes": peak_bytes(),
        **stages,
    }


def stored_dtype(checkpoint):
    """The type of the checkpoint's weights, which healed ones are rounded to."""
    with open(os.path.join(checkpoint, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    return getattr(torch, config.get("dtype") or config.get("torch_dtype") or "float32")


def peak_bytes():
    """Highest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tool")
    parser.add_argument("checkpoint")
    parser.add_argument("rows")
    parser.add_argument("--removed", nargs="+", type=int, required=True)
    parser.add_argument("--ridge", type=float, default=1)
    parser.add_argument("--step", type=float, default=0.5)
    parser.add_argument("--step-cut", type=float, default=0.8)
    parser.add_argument("--products", default="float64", choices=["float64", "float32"])
    parser.add_argument("--threads", type=int, help="default: what PyTorch takes")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    tool = import_tool(options.tool, "\nmain()")
    result = run(tool, options, read_rows(options.rows), options.products)
    print(json.dumps({"machine": machine(torch, transformers), **result}))


main()
