"""Log-likelihoods of choices with lm-evaluation-harness itself: its HFLM over PyTorch, in float32.

    python tasks_lm_eval.py CHECKPOINT REQUESTS.json [--batch N …] [--threads N] [--bos]

REQUESTS.json is {"requests": [[context, continuation], …]}. Prints one JSON object with, for each batch size (1 and 16 unless
given), the seconds of `loglikelihood`, tokenisation included and loading not, and the sums and greedy flags in order.
"""

import argparse
import json
import logging
import sys
import time

from common import import_peers, load_model, machine, place

torch, transformers = import_peers()
try:
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM
except ImportError as missing:
    print(json.dumps({"skipped": f"{missing.name} is not importable by {sys.executable}: see bench/peers/README.md"}))
    sys.exit(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("requests")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--threads", type=int)
    parser.add_argument("--bos", action="store_true", help="contexts begin with the begin-of-text token")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    if options.threads:
        torch.set_num_threads(options.threads)
    with open(options.requests, encoding="utf-8") as file:
        pairs = json.load(file)["requests"]
    model = load_model(transformers, options.checkpoint, torch.float32)
    folder, more = place(options.checkpoint)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **more)
    results = []
    for batch in options.batch:
        harness = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=batch, device="cpu", add_bos_token=options.bos)
        asked = [
            Instance("loglikelihood", {}, (context, continuation), number)
            for number, (context, continuation) in enumerate(pairs)
        ]
        start = time.perf_counter()
        answers = harness.loglikelihood(asked, disable_tqdm=True)
        seconds = time.perf_counter() - start
        results.append(
            {
                "batch": batch,
                "seconds": seconds,
                "loglik": [float(value) for value, _ in answers],
                "greedy": [bool(greedy) for _, greedy in answers],
            }
        )
    print(json.dumps({"machine": machine(torch, transformers), "results": results}))


main()
