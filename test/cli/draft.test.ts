/** `coppice draft`: the reference's forecast from the command line, its refusals, and texts that the model writes. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DraftCandidate, DraftResult } from '../../src/jobs/results/draft';
import { buildCli, coppice } from '../support/built-cli';
import { makeCliMaterial } from '../support/cli';
import { assertClose } from '../support/close';
import { describeShared, itFull, shared } from '../support/shared';
import { temporaryFolder } from '../support/temporary';

interface Golden {
  readonly tokens: number;
  readonly prompts: readonly { readonly prompt: readonly number[]; readonly ids: readonly number[] }[];
  readonly drafts: readonly {
    readonly removed: readonly number[];
    readonly bits: string | null;
    readonly agree: number;
    readonly overlap: readonly number[];
    readonly forecast: readonly {
      readonly length: number;
      readonly threshold: number;
      readonly rounds: readonly number[];
      readonly drafted: readonly number[];
      readonly roundsRejection: number;
    }[];
  }[];
}

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);

function write(contents: unknown): string {
  const path = join(temporaryFolder(), 'file.json');
  writeFileSync(path, typeof contents === 'string' ? contents : JSON.stringify(contents));
  return path;
}

/** Times at which a draft pays that is taken most of the time. */
const COSTS = { rows: [1, 2, 4, 8, 16], v: [1, 1.1, 1.2, 1.9, 3.1], c: 0.2 };

describeShared('command line: draft, beside the reference', function () {
  this.timeout(120_000);
  const golden = JSON.parse(readFileSync(shared('golden/drafts/drafts.json'), 'utf8')) as Golden;
  const model = shared('models/stories260K-f32');
  const rows = write({ rows: golden.prompts.map(({ prompt, ids }) => ({ prompt, ids })) });
  const costs = write(COSTS);

  before(buildCli);

  /** A named draft: the only candidate, whether it pays or not. */
  async function forecast(
    ...args: string[]
  ): Promise<{ json: DraftResult; candidate: DraftCandidate; code: number | null }> {
    const given = ['draft', model, '--prompts', rows, '--held-out', '0', '--costs', costs, '--json', ...args];
    const { code, stdout } = await coppice(given);
    const json = JSON.parse(stdout) as DraftResult;
    assert.equal(json.candidates.length, 1, 'costs are those of one draft');
    return { json, candidate: json.candidates[0], code };
  }

  /** Fewer bits, fewer blocks, and both. */
  const enough = ['--type q4_0', '--remove 1,2,3', '--remove 1,3 --type q4_0'];
  for (const { removed, bits, agree, overlap, forecast: wanted } of golden.drafts) {
    const words = [...(removed.length > 0 ? ['--remove', removed.join(',')] : []), ...(bits ? ['--type', bits] : [])];
    const define = enough.includes(words.join(' ')) ? it : itFull;
    define(`llama.cpp, ${words.join(' ')}: rounds, accepted and drafted tokens of every length`, async () => {
      const { candidate, json, code } = await forecast('--for', 'llama.cpp', ...words);
      assert.equal(candidate.agree, agree);
      assertClose(candidate.overlap, sum(overlap) / overlap.length, { absolute: 1e-5 }, 'overlap');
      for (const { length, threshold, rounds, drafted } of wanted) {
        if (threshold > 0) continue;
        const found = candidate.byLength.find((each) => each.length === length)!;
        const tokens = golden.tokens * golden.prompts.length;
        assert.deepEqual(
          [found.rounds, found.drafted, found.accepted],
          [sum(rounds), sum(drafted), tokens - sum(rounds)],
        );
      }
      assert.equal(candidate.trivial, removed.length === 0);
      assert.deepEqual([json.verdict, code], json.chosen!.speedup! >= 1.1 ? ['pays', 0] : ['refused', 3]);
    });
  }

  it('transformers, genai: rounds by rejection on the same text where tokens are drawn', async () => {
    const reference = golden.drafts.find(({ removed, bits }) => removed.join() === '2' && bits === null)!;
    for (const runtime of ['genai', 'transformers']) {
      const { candidate, json } = await forecast('--for', runtime, '--remove', '2', '--temperature', '1');
      assert.equal(json.text.rule, 'rejection');
      for (const { length, threshold, roundsRejection } of reference.forecast) {
        if (threshold > 0) continue;
        const found = candidate.byLength.find((each) => each.length === length)!;
        // The reference keeps six digits of each chance.
        assertClose(found.rounds / golden.prompts.length, roundsRejection, { relative: 1e-4 }, `rounds at ${length}`);
      }
    }
    const { json } = await forecast('--for', 'llama.cpp', '--remove', '2', '--temperature', '1');
    assert.equal(json.text.rule, 'match');
  });

  it('an exported ONNX model in 4 bits is forecast as onnxruntime runs it', async () => {
    const { candidate, json } = await forecast('--for', 'genai', '--type', 'q4_0');
    assert.ok(candidate.agree > 0.8 && candidate.agree < 1);
    assert.deepEqual([json.runtime.name, candidate.type, candidate.length >= 2], ['genai', 'q4_0', true]);
  });

  it('ends with 3 and says what is to blame: rows, the draft’s pass, agreement', async () => {
    const dear = write({ ...COSTS, v: [1, 1.5, 1.9, 2.2, 2.9], c: 0.87 });
    const refused = async (...args: string[]) => {
      const { code, stdout } = await coppice(['draft', model, '--prompts', rows, '--held-out', '0', '--json', ...args]);
      assert.equal(code, 3);
      return JSON.parse(stdout) as DraftResult;
    };
    const rowsToBlame = await refused('--for', 'genai', '--remove', '2', '--costs', dear);
    assert.deepEqual([rowsToBlame.verdict, rowsToBlame.blame, rowsToBlame.candidates.length], ['refused', 'rows', 1]);
    const slow = write({ rows: [1, 2, 16], v: [1, 1, 1], c: 0.97 });
    assert.equal((await refused('--for', 'genai', '--remove', '2', '--costs', slow)).blame, 'draftCost');
    assert.equal((await refused('--for', 'genai', '--remove', '1-3', '--costs', costs)).blame, 'agreement');
  });

  it('judges the draft that was named, beside the model itself in fewer bits', async () => {
    const args = ['draft', model, '--for', 'genai', '--prompts', rows, '--remove', '1,3', '--type', 'q4_0', '--json'];
    const { stdout } = await coppice(args);
    const { chosen, candidates } = JSON.parse(stdout) as DraftResult;
    assert.deepEqual([chosen!.name, chosen!.trivial], ['without 1, 3, q4_0', false]);
    assert.ok(candidates.some(({ name }) => name === 'q4_0'));
  });

  it('refuses where costs can neither be read nor measured', async () => {
    const { stderr, code } = await coppice(['draft', model, '--for', 'llama.cpp', '--prompts', rows]);
    assert.equal(code, 1);
    assert.match(stderr, /What passes cost in llama\.cpp is not known/);
    assert.match(stderr, /--consumers .*--costs/);
  });

  it('refuses a model with other tokens', async () => {
    const { model: tiny } = makeCliMaterial();
    const args = ['draft', model, tiny, '--for', 'genai', '--prompts', rows, '--costs', costs, '--json'];
    const { stdout, stderr, code } = await coppice(args);
    const { verdict, blame, candidates } = JSON.parse(stdout) as DraftResult;
    assert.deepEqual([code, verdict, blame, candidates.length], [3, 'refused', 'vocabulary', 0]);
    assert.match(stderr, /cannot draft for this model: its vocabulary has \d+ tokens, and the model’s has 512/);
  });

  it('heals a draft on the model’s own text: it agrees more often', async () => {
    const plain = await forecast('--for', 'genai', '--remove', '2');
    const healed = await forecast('--for', 'genai', '--remove', '2', '--heal');
    assert.deepEqual([healed.candidate.healed, healed.candidate.name], [true, 'without 2, healed, f32']);
    assert.ok(healed.candidate.agree > plain.candidate.agree);
    assert.ok(healed.candidate.overlap > plain.candidate.overlap);
  });

  it('forecasts more than one: other models and the model in fewer bits are timed in onnxruntime in turns', async () => {
    const args = ['draft', model, shared('models/stories260K-bf16'), '--for', 'genai', '--prompts', rows, '--json'];
    const { stdout } = await coppice(args);
    const json = JSON.parse(stdout) as DraftResult;
    assert.deepEqual(
      json.candidates.map(({ name, trivial }) => [name, trivial]),
      [
        ['stories260K-bf16', false],
        ['q8_0', true],
        ['q4_0', true],
      ],
    );
    assert.ok(
      json.candidates.every(({ c, range, speedup }) => c! > 0 && range![0] <= speedup! && speedup! <= range![1]),
    );
    assert.deepEqual([json.costs!.rows, json.costs!.v[0], json.costs!.runs], [[1, 2, 4, 8, 16], 1, 9]);
    assert.match(json.costs!.measuredIn!, /^onnxruntime /);
    assert.deepEqual([json.text.heldOut, json.text.prompts], [2, 8]);
    assert.ok(json.chosen!.speedupHeldOut! > 0);
  });

  it('writes the text for prompts itself, in the type that ships', async () => {
    const { model: tiny } = makeCliMaterial();
    const prompts = join(temporaryFolder(), 'prompts.txt');
    writeFileSync(prompts, 'Once upon a time\nThe sea\nA dog\nOne day\n');
    for (const runtime of ['llama.cpp', 'genai']) {
      const written = ['--prompts', prompts, '--max-new-tokens', '12', '--target-type', 'q8_0', '--type', 'q4_0'];
      const { stdout } = await coppice(['draft', tiny, '--for', runtime, ...written, '--costs', costs, '--json']);
      const { text, candidates, target } = JSON.parse(stdout) as DraftResult;
      assert.deepEqual([text.prompts, text.heldOut, text.source, target.type], [4, 1, 'prompts.txt', 'q8_0']);
      assert.ok(text.tokens > 4 && candidates[0].agree > 0);
    }
  });
});
