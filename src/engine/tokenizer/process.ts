/** The program of a tokenizer's process: runs the tasks it receives, one after the other, and answers each. */
import { writeSync } from 'node:fs';
import { UserError } from '../errors';
import { watchParent } from '../parent';
import { buildTokenizer, type LocalTokenizer } from './local';
import type { Answer, Reply, StageSign, Task } from './tasks';

let tokenizer: LocalTokenizer | undefined;

function perform(task: Task): Reply<Task> {
  if (task.kind === 'load') {
    tokenizer = buildTokenizer(task.texts, sign);
    const { vocabularySize, hasChatTemplate, beginsWith } = tokenizer;
    return { vocabularySize, hasChatTemplate, beginsWith };
  }
  if (tokenizer === undefined) throw new Error('the first task must load the tokenizer');
  switch (task.kind) {
    case 'encode':
      return { ids: Int32Array.from(tokenizer.encode(task.text, task)) };
    case 'encodeEach': {
      const each = task.texts.map((text) => tokenizer!.encode(text, task));
      return { ids: Int32Array.from(each.flat()), counts: Int32Array.from(each, ({ length }) => length) };
    }
    case 'decode':
      return { text: tokenizer.decode(Array.from(task.ids), { ...task, after: Array.from(task.after) }) };
    case 'stream':
      return tokenizer.stream(task.state, task.ids, task);
    case 'chat':
      sign('c');
      return { text: tokenizer.chat(task.messages, task) };
  }
}

function answerTo(task: Task): Answer {
  try {
    return { reply: perform(task) };
  } catch (error) {
    if (error instanceof UserError) return { refused: error.texts };
    return { bug: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** Reports the stage of the process; see STAGES. */
function sign(stage: StageSign): void {
  try {
    writeSync(1, stage);
  } catch {
    // the parent has ended, and this process ends next
  }
}

watchParent(() => process.exit(0));
// Ctrl-C in a terminal reaches this process too; the parent handles it.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined);
process.on('message', (task: Task) => void process.send!(answerTo(task)));
sign('r');
