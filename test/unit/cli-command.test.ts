/** "Copy as CLI Command": the line that does the same as a job. */
import assert from 'node:assert/strict';
import { cliCommand } from '../../src/commands/cli-command';

describe('the command line of a job', () => {
  it('scores', () => {
    const calibration = { file: '/w/a text.txt', samples: 10, length: 128, seed: 7 };
    assert.equal(
      cliCommand({ kind: 'score', checkpoint: '/w/m', criterion: 'ppl', calibration, device: 'auto', threads: 2 }),
      "coppice score /w/m --criterion ppl --calibration '/w/a text.txt' --samples 10 --length 128 --seed 7 --threads 2",
    );
  });

  it('prunes, and quotes what a shell would read', () => {
    assert.equal(
      cliCommand({ kind: 'prune', checkpoint: "/w/it's", blocks: [3, 5], out: '/w/$out' }),
      "coppice prune '/w/it'\\''s' --blocks 3,5 --out '/w/$out'",
    );
  });

  it('retrains', () => {
    const settings = {
      method: { kind: 'lora' as const, rank: 8 },
      data: ['a.jsonl', 'b.txt'],
      steps: 20,
      learningRate: 1e-4,
    };
    assert.equal(
      cliCommand({ kind: 'retrain', checkpoint: 'm', remove: [2], settings, out: 'o', resume: true }),
      'coppice retrain m --data a.jsonl --data b.txt --out o --remove 2 --rank 8 --steps 20 --lr 0.0001 --resume',
    );
  });

  it('generates, evaluates and merges', () => {
    assert.equal(
      cliCommand({ kind: 'generate', checkpoint: 'm', prompt: 'Once', maxNewTokens: 5, temperature: 0.8, chat: false }),
      'coppice generate m --prompt Once --max-new-tokens 5 --temperature 0.8',
    );
    assert.equal(
      cliCommand({ kind: 'evaluate', checkpoint: 'm', text: 't', adapter: 'a' }),
      'coppice eval m --text t --adapter a',
    );
    assert.equal(
      cliCommand({ kind: 'merge', checkpoint: 'm', adapter: 'a', out: 'o', dtype: 'BF16' }),
      'coppice merge m --adapter a --out o --dtype bf16',
    );
  });

  it('is none where no single command does the same', () => {
    assert.equal(cliCommand({ kind: 'samples', prompts: [], columns: [] }), undefined);
    assert.equal(cliCommand({ kind: 'score', checkpoint: 'm', criterion: 'greedy', count: 2, keep: [0] }), undefined);
  });
});
