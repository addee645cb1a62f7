/**
 * Tasks: items a second, against lm-evaluation-harness on PyTorch, on the same items in one run.
 *
 *   npm run bench -- tasks [TASK…] [--model PATH] [--data FOLDER] [--limit 40] [--batch 1,16] [--threads N]
 *                          [--json FILE]
 *
 * Every task (all seven unless named) is scored by Coppice, by the harness in each batch size, and by Coppice again, both
 * in float32 from loaded weights: Coppice opens its blocks one by one meanwhile, the harness holds the model. Tokenisation
 * counts, loading of the harness's model does not. Contexts begin as the model's own tokenizer begins a text. The largest difference of a log-likelihood is printed beside it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openCheckpoint } from '../src/engine/checkpoint/open';
import { isTaskName, TASK_NAMES } from '../src/engine/evaluate/tasks/catalogue';
import { readTask } from '../src/engine/evaluate/tasks/read';
import { openModel } from '../src/engine/model/model';
import { fullView } from '../src/engine/model/view';
import { beginningOf } from '../src/engine/tokenizer/bos';
import { loadTokenizer } from '../src/engine/tokenizer/tokenizer';
import type { ChoiceItemResult, TaskResult } from '../src/engine/evaluate/tasks/results';
import { shared } from '../test/support/shared';
import { harnessTasks, isSkipped } from './peers/peer';
import { describeMachine } from './support/machine';
import { MODEL_OPTION, modelOr } from './support/subject';
import { noteRatio } from './support/ratios';
import { evaluateTasks } from '../test/support/measuring';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...MODEL_OPTION,
    data: { type: 'string' },
    limit: { type: 'string', default: '40' },
    batch: { type: 'string', default: '1,16' },
    threads: { type: 'string' },
    json: { type: 'string' },
  },
});
const machine = describeMachine();
console.log(machine);
const path = modelOr(values.model);
const data = values.data ?? shared('data/zeroshot');
const names = positionals.length > 0 ? positionals.filter(isTaskName) : TASK_NAMES;
const threads = values.threads === undefined ? undefined : Number(values.threads);
const model = await openModel(await openCheckpoint(path), { device: 'cpu', threads });
const tokenizer = await loadTokenizer(path);
const view = fullView(model.architecture.layers.length);
const beginning = beginningOf('auto', { tokenizer, bosTokenId: model.architecture.bosTokenId });
const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-'));
const lines: object[] = [];
try {
  for (const name of names) {
    const task = await readTask(name, data, { limit: Number(values.limit) });
    const own = async (): Promise<{ readonly seconds: number; readonly result: TaskResult }> => {
      const start = performance.now();
      const [result] = await evaluateTasks(model, tokenizer, [task], { view, beginning });
      return { seconds: (performance.now() - start) / 1000, result };
    };
    const requests = task.choiceItems.flatMap(({ choices }) =>
      choices.map(({ context, continuation }) => [context, continuation]),
    );
    const file = join(folder, 'requests.json');
    writeFileSync(file, JSON.stringify({ requests }));
    const before = await own();
    const options = [
      '--batch',
      ...values.batch.split(','),
      ...(threads === undefined ? [] : ['--threads', `${threads}`]),
      ...(beginning.mode === 'none' ? [] : ['--bos']),
    ];
    const peer = harnessTasks(path, file, ...options);
    const after = await own();
    const items = task.choiceItems.length;
    const seconds = (before.seconds + after.seconds) / 2;
    const spread = `${before.seconds.toFixed(1)}, ${after.seconds.toFixed(1)} s`;
    console.log(
      `${name}: ${items} items, ${requests.length} choices; Coppice ${(items / seconds).toFixed(2)} items/s (${spread})`,
    );
    if (isSkipped(peer)) {
      console.log(`  ${peer.skipped}`);
      lines.push({ name, items, coppice: [before.seconds, after.seconds] });
      continue;
    }
    const scores = (before.result.results as ChoiceItemResult[]).flatMap(({ choices }) => choices);
    for (const { batch, seconds: theirs, loglik } of peer.results) {
      const off = Math.max(...scores.map((score, i) => Math.abs(score.loglik - loglik[i])));
      noteRatio(`items a second of ${name}, against lm-eval in batches of ${batch}`, theirs / seconds);
      console.log(
        `  lm-eval, batch ${batch}: ${(items / theirs).toFixed(2)} items/s (${theirs.toFixed(1)} s), ` +
          `Coppice ${(theirs / seconds).toFixed(2)}×; largest difference ${off.toExponential(1)}`,
      );
    }
    const others = peer.results.map(({ batch, seconds: theirs }) => ({ batch, seconds: theirs }));
    lines.push({ name, items, coppice: [before.seconds, after.seconds], harness: others, peer: peer.machine });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
  await model.close();
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, tasks: lines }, null, 2)}\n`);
