import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TEXT_SPLITS } from '../../../src/format/text-share';
import { type ChatWriter, splitText } from '../../../src/engine/application/text';
import { UserError } from '../../../src/engine/errors';
import { temporaryFolder } from '../../support/temporary';

const encode = (): number[] => [];
/** Writes a conversation in a line, with the begin-of-text token, and refuses what an assistant begins. */
const writer: ChatWriter = {
  encode,
  beginsWith: 1,
  hasChatTemplate: true,
  decode: () => '<s>',
  chat(messages) {
    if (messages[0].role === 'assistant') throw new UserError('No', 'the user must begin', 'Begin.');
    return `<s>${messages.map(({ role, content }) => `${role}: ${content}`).join(' | ')}`;
  },
};

function fileOf(records: readonly unknown[]): string {
  const file = join(temporaryFolder(), 'app.jsonl');
  writeFileSync(file, records.map((each) => JSON.stringify(each)).join('\n'));
  return file;
}

async function all(file: string, by: ChatWriter | undefined): Promise<{ documents: string[]; warnings: string[] }> {
  const read = await Promise.all(TEXT_SPLITS.map((split) => splitText(file, split, by)));
  return { documents: read.flatMap((each) => each.documents), warnings: read.flatMap((each) => each.warnings) };
}

describe('the rows of a split', () => {
  const many = Array.from({ length: 40 }, (_, i) => i);
  const chats = many.map((i) => ({
    messages: [
      { role: 'user', content: `Where is the parcel number ${i} that I sent on Monday?` },
      { role: 'assistant', content: 'Here.' },
    ],
  }));

  it('are written by the chat template, without the token that rows begin with anyway', async () => {
    const answers = many.map((i) => ({ prompt: `Name the colour number ${i} of the old rainbow.`, response: 'Red' }));
    const { documents, warnings } = await all(fileOf([...chats, ...answers]), writer);
    assert.equal(documents.length, 80);
    assert.ok(documents.includes('user: Where is the parcel number 7 that I sent on Monday? | assistant: Here.'));
    assert.ok(documents.includes('user: Name the colour number 7 of the old rainbow. | assistant: Red'));
    assert.deepEqual(warnings, []);
  });

  it('are plain text for a tokenizer without a template, which is said', async () => {
    const { documents, warnings } = await all(fileOf(chats), { encode });
    assert.ok(documents.includes('Where is the parcel number 7 that I sent on Monday?\n\nHere.'));
    assert.equal(warnings.length, TEXT_SPLITS.length);
    assert.match(warnings[0], /^\d+ conversations of the application’s text for calibration are read as plain text/);
  });

  it('leave out conversations that the template refuses, and say which', async () => {
    const wrong = { messages: [{ role: 'assistant', content: 'I begin, which this template does not like at all.' }] };
    const { documents, warnings } = await all(fileOf([...chats, wrong]), writer);
    assert.equal(documents.length, 40);
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0],
      /^1 conversation .* left out: the chat template refuses them \(app\.jsonl, line 41: the user/,
    );
    const none = many.map((i) => ({
      messages: [{ role: 'assistant', content: `I begin with number ${i} of my list.` }],
    }));
    await assert.rejects(all(fileOf(none), writer), { why: /refuses all its conversations/ });
  });

  it('have instructions in Alpaca’s prompt, as in training', async () => {
    const file = fileOf(many.map((i) => ({ instruction: `Add one to the number ${i}.`, output: `${i + 1}` })));
    const { documents } = await all(file, undefined);
    assert.ok(
      documents.some((each) => each.endsWith('### Instruction:\nAdd one to the number 7.\n\n### Response:\n8')),
    );
  });
});
