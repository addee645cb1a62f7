/** Checkpoints as stock transformers loads them. */
import { spawnSync } from 'node:child_process';
import assert from 'node:assert/strict';
import { torchPython } from './consumers';

/** What transformers finds in a checkpoint. */
export interface InTransformers {
  /** The class that it takes for the config. */
  readonly class: string;
  /** Weights that it misses, does not expect, or that have another shape. */
  readonly odd: readonly string[];
  /** Of every row and position, (rows, length, vocabulary); float32 on the CPU. */
  readonly logits: readonly (readonly (readonly number[])[])[];
  /** How it goes on after the first half of the first row, with its cache: the likeliest tokens. */
  readonly continued: readonly number[];
}

/** Ids of a continuation. */
export const CONTINUED = 8;

/** Loads checkpoints one after another in one process, and asks each for the logits of its rows. */
export function inTransformers(
  asked: readonly { readonly folder: string; readonly rows: readonly (readonly number[])[] }[],
): readonly InTransformers[] {
  const found = spawnSync(torchPython!, ['-c', LOADED], {
    encoding: 'utf8',
    input: JSON.stringify({ asked, count: CONTINUED }),
    maxBuffer: 2 ** 30,
    env: { ...process.env, OMP_NUM_THREADS: '1', HF_HUB_OFFLINE: '1' },
  });
  assert.equal(found.status, 0, found.stderr);
  return JSON.parse(found.stdout.trim().split('\n').at(-1)!) as InTransformers[];
}

const LOADED = `
import json, sys, torch
from transformers import AutoModelForCausalLM
request = json.load(sys.stdin)
answers = []
for each in request['asked']:
    model, info = AutoModelForCausalLM.from_pretrained(
        each['folder'], dtype=torch.float32, attn_implementation='eager', output_loading_info=True)
    model.eval()
    ids = torch.tensor(each['rows'])
    prompt = ids[:1, :ids.shape[1] // 2]
    with torch.no_grad():
        logits = model(ids).logits
        text = model.generate(prompt, attention_mask=torch.ones_like(prompt), do_sample=False, min_new_tokens=request['count'],
            max_new_tokens=request['count'], eos_token_id=None, pad_token_id=0)
    odd = [str(name) for kind in ('missing_keys', 'unexpected_keys', 'mismatched_keys') for name in info[kind]]
    answers.append({'class': type(model).__name__, 'odd': odd, 'logits': logits.tolist(),
        'continued': text[0, prompt.shape[1]:].tolist()})
print(json.dumps(answers))
`;
