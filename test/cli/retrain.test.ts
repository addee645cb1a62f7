/**
 * `coppice retrain` as users run it: the object that it promises, the golden traces of PEFT and PyTorch, Ctrl-C, and runs
 * that are killed at any moment and give the numbers of one that was not.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { readShardHeader } from '../../src/engine/formats/safetensors/file';
import { Random } from '../../src/engine/random';
import { assertClose, TOLERANCE } from '../support/close';
import { checkpointFolder, goldenFullTraining, goldenLora, SMALL_CHECKPOINTS } from '../support/golden';
import { describeShared, full, shared } from '../support/shared';
import { temporaryFolder } from '../support/temporary';
import { until } from '../support/until';
import { tinyCheckpoint } from '../support/tiny-models';
import { buildCli, coppice, jsonOf, startCoppice } from '../support/built-cli';

interface RetrainJson {
  adapter: string | null;
  out: string;
  steps: number;
  trace: { step: number; loss: number; lr: number; gradNorm: number; tokensPerSecond: number }[];
  evaluations: { step: number; loss: number; ppl: number }[];
  best: { step: number } | null;
  removed: number[];
}

const run = async (...args: string[]): Promise<RetrainJson> =>
  jsonOf(await coppice(['retrain', ...args, '--device', 'cpu', '--json'])) as unknown as RetrainJson;

/** What must be equal bit for bit: all but the time that it took. */
const numbers = ({ trace, evaluations }: RetrainJson): unknown => {
  return { trace: trace.map(({ step, loss, lr, gradNorm }) => [step, loss, lr, gradNorm]), evaluations };
};

describe('command line: retrain', function () {
  this.timeout('5m');
  let model: string;
  let text: string;
  let few: string[];

  before(() => {
    buildCli();
    model = tinyCheckpoint('llama-gqa-tied', { tokenizer: true });
    text = join(temporaryFolder(), 'text.txt');
    writeFileSync(text, 'The river bends, and the mill stands where it always stood.\n\n'.repeat(40));
    few = ['--data', text, '--length', '32', '--batch', '4', '--lr', '0.01', '--held-out', '4', '--threads', '1'];
  });

  const newPlace = (): string => join(temporaryFolder(), 'out');

  it('prints the object that it promises, and a page', async () => {
    const out = newPlace();
    const record = join(temporaryFolder(), 'record.json');
    const json = await run(
      model,
      ...few,
      '--steps',
      '6',
      '--remove',
      '1',
      '--heal',
      'none',
      '--out',
      out,
      '--record',
      record,
    );
    assert.deepEqual(
      Object.keys(json).sort(),
      'adapter best data device evaluations kind likeness out parameters peakRssBytes precision removed seconds steps tokensPerSecond trace unpruned'.split(
        ' ',
      ),
    );
    assert.deepEqual(Object.keys(json.trace[0]).sort(), ['gradNorm', 'loss', 'lr', 'step', 'tokensPerSecond']);
    assert.deepEqual(Object.keys(json.evaluations[0]).sort(), ['loss', 'ppl', 'step']);
    assert.deepEqual([json.adapter, json.out, json.steps, json.removed], [out, out, 6, [1]]);
    const written = JSON.parse(readFileSync(record, 'utf8')) as { kind: string; settings: Record<string, unknown> };
    assert.equal(written.kind, 'retrain');
    assert.equal(written.settings.threads, 1);
    const page = await coppice(['retrain', model, ...few, '--steps', '2', '--out', newPlace(), '--device', 'cpu']);
    assert.equal(page.code, 0, page.stderr);
    for (const word of ['held out', 'tokens/s', 'coppice eval', 'coppice merge']) assert.ok(page.stdout.includes(word));
    assert.match(page.stderr, /examples .* held out/);
  });

  it('computes frozen products in 8-bit integers if asked, and says so', async () => {
    const out = newPlace();
    const record = join(temporaryFolder(), 'record.json');
    const asked = ['retrain', model, ...few, '--steps', '2', '--precision'];
    const page = await coppice([...asked, 'int8', '--merge', '--out', out, '--record', record]);
    assert.equal(page.code, 0, page.stderr);
    assert.match(page.stdout, /precision +int8 per row/);
    for (const path of [record, join(out, 'coppice.json')]) {
      assert.equal((JSON.parse(readFileSync(path, 'utf8')) as { precision: string }).precision, 'int8');
    }
    assert.match(readFileSync(join(out, 'README.md'), 'utf8'), /frozen weights were computed with 8-bit integers/);
    const full = await coppice([...asked, 'int8', '--full', '--out', newPlace()]);
    assert.match(full.stderr, /--precision int8 and --full exclude each other/);
    const half = await coppice([...asked, 'float16', '--out', newPlace()]);
    assert.match(half.stderr, /auto, float32 or int8|auto, float32, int8/);
    assert.deepEqual([full.code, half.code].includes(0), false);
  });

  it('what it writes is what the other commands read', async () => {
    const out = newPlace();
    await run(model, ...few, '--steps', '20', '--remove', '1', '--heal', 'none', '--out', out);
    const evaluate = async (...args: string[]): Promise<number> =>
      jsonOf(await coppice(['eval', ...args, '--text', text, '--window', '32', '--json'])).ppl as number;
    const [before, after] = [await evaluate(model, '--remove', '1'), await evaluate(model, '--adapter', out)];
    assert.ok(after < before / 2, `${before} ${after}`);
    const merged = newPlace();
    await run(
      model,
      ...few,
      '--steps',
      '20',
      '--remove',
      '1',
      '--heal',
      'none',
      '--merge',
      '--dtype',
      'f32',
      '--out',
      merged,
    );
    assertClose(await evaluate(merged), after, { relative: 1e-3 }, 'the merged model');
  });

  it('on healed weights: the first loss is theirs, and towards a teacher their divergence from the whole model', async () => {
    const folder = temporaryFolder();
    const [calibration, batches, patch] = ['rows.json', 'batches.json', 'healed.safetensors'].map((name) =>
      join(folder, name),
    );
    const random = new Random(3);
    const rows = Array.from({ length: 6 }, () => Array.from({ length: 24 }, () => 3 + random.below(250)));
    writeFileSync(calibration, JSON.stringify({ rows }));
    writeFileSync(batches, JSON.stringify({ batches: [{ ids: rows, labels: rows }] }));
    const healing = ['--remove', '1', '--calibration', calibration, '--held-out', '0', '--patch', patch];
    const healed = jsonOf(await coppice(['heal', model, ...healing, '--json']));
    const { after } = healed.fit as { after: { meanNll: number; kl: number } };
    const first = async (...args: string[]): Promise<number> => {
      const options = ['--heal', patch, '--data', batches, '--steps', '1', '--dropout', '0', '--out', newPlace()];
      const { trace, removed } = await run(model, ...options, ...args);
      assert.deepEqual(removed, [1]);
      return trace[0].loss;
    };
    assertClose(await first(), after.meanNll, { absolute: 1e-5 }, 'loss');
    const teacher = ['--teacher', model, '--teacher-weight', '1'];
    const kept = { absolute: 2e-4 }; // the teacher's states are kept in float16
    assertClose(await first(...teacher), after.kl, kept, 'divergence');
    assertClose(await first(...teacher, '--where', 'cuts'), after.kl, kept, 'divergence, at the cuts');
    assert.ok((await first(...teacher, '--hidden-weight', '1')) > after.kl + 1e-4);
  });

  it('refuses what does not go together with 2, what cannot be done with 1', async () => {
    const refused = async (code: number, word: RegExp, ...args: string[]): Promise<void> => {
      const out = newPlace();
      const result = await coppice(['retrain', model, '--data', text, '--out', out, ...args]);
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, word);
      assert.equal(existsSync(out), false);
    };
    await refused(2, /--rank and --full exclude/, '--full', '--rank', '4');
    await refused(2, /--init needs --full/, '--init', 'random');
    await refused(2, /--dtype needs --merge/, '--dtype', 'f16');
    await refused(2, /--teacher-weight needs a teacher/, '--teacher-weight', '0.5');
    await refused(2, /--hidden-weight needs a teacher/, '--hidden-weight', '0.5');
    await refused(2, /--init and --where cuts exclude each other/, '--full', '--init', 'random', '--where', 'cuts');
    await refused(2, /cannot be used with option '--epochs/, '--steps', '5', '--epochs', '2');
    await refused(2, /It must be some of q,k,v/, '--targets', 'q,z');
    await refused(
      1,
      /No adapter can be trained on qkv, gate_up\n.*Linears of this model are q, k, v, o, gate, up, down\n.*--targets/,
      '--targets',
      'q,qkv,gate_up_proj',
    );
    await refused(1, /needs \d+ bytes/, '--full', '--memory', '1MB');
    await refused(1, /Remove whole blocks/, '--remove', '1.ffn', '--heal', 'none');
    await refused(
      1,
      /Cannot retrain without a block\n {2}why: the model has 4 blocks/,
      '--remove',
      '0-3',
      '--heal',
      'none',
    );
    await refused(1, /Cannot retrain without a block/, '--full', '--remove', '0-3', '--heal', 'none');
    // Two heads of keys and values, 16 wide each; a query is 64 wide.
    await refused(1, /adapter of rank 65536\n.*Linears is 32,.*\n.*--rank of at most 32/, '--rank', '65536');
    await refused(1, /adapter of rank 65\n.*Linears is 64,/, '--rank', '65', '--targets', 'q,o');
    await run(model, ...few, '--steps', '1', '--rank', '64', '--targets', 'q,o', '--out', newPlace());
  });

  it('Ctrl-C keeps what is there and says how to go on; so it does', async () => {
    const whole = await run(model, ...few, '--steps', '30', '--out', newPlace());
    const cwd = temporaryFolder();
    const out = join(cwd, 'out');
    const args = ['retrain', model, ...few, '--steps', '30', '--save-every', '1', '--device', 'cpu', '--json'];
    const child = startCoppice([...args, '--out', out], { cwd });
    await stateAt(out, 3);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await child.result;
    assert.equal(code, 130, stderr);
    assert.equal(stdout, '');
    const command = /to continue: coppice (.*)\n/.exec(stderr)?.[1] ?? '';
    assert.ok(command.endsWith(' --resume'), stderr);
    assert.deepEqual(readdirSync(cwd), ['out.training']);
    const resumed = jsonOf(
      await coppice(
        command.split(' ').map((arg) => arg.replaceAll("'", '')),
        { cwd },
      ),
    );
    assert.deepEqual(numbers(resumed as unknown as RetrainJson), numbers(whole));
    assert.deepEqual(readdirSync(cwd), ['out']);
  });

  for (const [name, extra] of [
    ['an adapter with dropout', ['--remove', '1', '--heal', 'none']],
    ['every weight', ['--full']],
  ] as const) {
    it(`killed at any moment, it goes on with the same numbers: ${name}`, async () => {
      const all = [...few, ...extra, '--steps', full ? '24' : '16', '--save-every', '2', '--eval-every', '5'];
      const whole = await run(model, ...all, '--out', newPlace());
      const out = newPlace();
      const random = new Random(name.length);
      for (const kill of full ? [1, 2, 3] : [1, 2]) {
        const resume = kill > 1 ? ['--resume'] : [];
        const child = startCoppice(['retrain', model, ...all, '--device', 'cpu', '--json', '--out', out, ...resume]);
        await Promise.race([stateAt(out, 5 * kill), child.result]);
        await setTimeout(random.below(40));
        child.kill('SIGKILL');
        assert.equal((await child.result).code, null, 'it was still running');
        assert.equal(existsSync(out), false);
      }
      const resumed = await run(model, ...all, '--out', out, '--resume');
      assert.deepEqual(numbers(resumed), numbers(whole));
      for (const file of readdirSync(whole.out).filter((each) => each.endsWith('.safetensors'))) {
        assert.deepEqual(readFileSync(join(out, file)), readFileSync(join(whole.out, file)), file);
      }
      assert.equal(existsSync(`${out}.training`), false);
    });
  }
});

/** Waits until a saved state of at least `step` steps is there. */
async function stateAt(out: string, step: number): Promise<void> {
  const file = join(`${out}.training`, 'state.safetensors');
  const saved = async (): Promise<number> =>
    existsSync(file) ? Number((await readShardHeader(file, 'state')).shard.metadata.step) : -1;
  await until(`step ${step} is saved`, async () => (await saved()) >= step, 120_000);
}

describeShared('command line: retrain, golden traces', function () {
  this.timeout('5m');
  before(buildCli);

  it('targets are named as the file of a model with fused Linears names them', async () => {
    const name = 'families2/phi3-partial';
    const folder = checkpointFolder(name);
    const [out, merged] = [join(temporaryFolder(), 'out'), join(temporaryFolder(), 'merged')];
    const train = ['retrain', folder, '--data', shared('golden', name, 'lora.json'), '--steps', '1', '--out', out];
    const refused = await coppice([...train, '--targets', 'q,o']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /No adapter can be trained on q\n.*this model are qkv, o, gate_up, down\n/);
    assert.equal((await coppice([...train, '--targets', 'gate_up_proj,qkv', '--device', 'cpu'])).code, 0);
    const settings = (file: string): unknown =>
      (JSON.parse(readFileSync(file, 'utf8')) as { settings: { targets: unknown } }).settings.targets;
    assert.deepEqual(settings(join(out, 'coppice.json')), ['qkv', 'gate_up']);
    const json = jsonOf(await coppice(['merge', folder, '--adapter', out, '--out', merged, '--json']));
    assert.deepEqual(json.targets, ['qkv', 'gate_up']);
    assert.deepEqual(settings(join(merged, 'coppice.json')), ['qkv', 'gate_up']);
  });

  const qwen3 = SMALL_CHECKPOINTS.find((each) => each.endsWith('qwen3-qknorm'))!;
  for (const name of ['stories260K', qwen3, 'families2/phi3-partial'] as const) {
    it(`${name}: LoRA from the formula, as PEFT trains it`, async () => {
      const golden = goldenLora(name);
      const json = await run(
        ...[checkpointFolder(name), '--data', shared('golden', name, 'lora.json'), '--init-adapter', 'formula'],
        ...[
          '--remove',
          golden.removed.join(),
          '--heal',
          'none',
          '--dropout',
          '0',
          '--lr',
          String(golden.lr),
          '--warmup',
          String(golden.warmup),
        ],
        ...[
          '--clip',
          String(golden.clip),
          '--betas',
          golden.betas.join(),
          '--weight-decay',
          String(golden.weightDecay),
        ],
        ...['--out', join(temporaryFolder(), 'out')],
      );
      assert.equal(json.steps, golden.steps);
      golden.trace.forEach(({ loss, lr }, i) => {
        assertClose(json.trace[i].loss, loss, TOLERANCE.trace, `step ${i + 1}`);
        assert.ok(Math.abs(json.trace[i].lr - lr) < 1e-12);
      });
    });

    it(`${name}: every weight, as PyTorch trains it`, async () => {
      const golden = goldenFullTraining(name);
      const json = await run(
        ...[checkpointFolder(name), '--full', '--data', shared('golden', name, 'full_training.json')],
        ...['--steps', String(golden.steps)],
        ...['--lr', String(golden.lr), '--warmup', String(golden.warmup), '--clip', String(golden.clip)],
        ...['--betas', golden.betas.join(), '--weight-decay', String(golden.weightDecay)],
        ...['--out', join(temporaryFolder(), 'out')],
      );
      golden.trace.forEach(({ loss }, i) => {
        assertClose(json.trace[i].loss, loss, TOLERANCE.trace, `step ${i + 1}`);
      });
    });
  }
});
