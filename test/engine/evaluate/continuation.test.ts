/** A continuation is what it adds to its prompt: with SentencePiece, the blank before its first word stays. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TextEvent } from '../../../src/protocol/jobs';
import { runOn } from '../../support/jobs';
import { describeShared, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

/** As transformers continues it with the same model. */
const PROMPT = 'Once upon';
const CONTINUATION = ' a time, there was a';
const LENGTH = { maxNewTokens: 6, greedy: true } as const;

describeShared('evaluate: the text of a continuation', () => {
  const checkpoint = shared('models/stories260K-f32');

  it('one prompt: streamed, and as a whole', async () => {
    const pieces: string[] = [];
    const emit = (event: TextEvent): number => pieces.push(event.text);
    const { result } = await runOn('generate', { checkpoint, prompt: PROMPT, ...LENGTH }, { emit });
    assert.ok('text' in result);
    assert.equal(result.text, CONTINUATION);
    assert.equal(pieces.join(''), CONTINUATION);
  });

  it('the prompts of a file', async () => {
    const prompts = join(temporaryFolder(), 'prompts.txt');
    writeFileSync(prompts, `${PROMPT}\n${PROMPT}\n`);
    const { result } = await runOn('generate', { checkpoint, prompts, ...LENGTH });
    assert.ok('texts' in result);
    assert.deepEqual(
      result.texts.map(({ text }) => text),
      [CONTINUATION, CONTINUATION],
    );
  });

  it('side by side', async () => {
    const pieces: string[] = [];
    const emit = (event: TextEvent): number => pieces.push(event.text);
    const columns = [{ label: 'model', checkpoint }];
    const { result } = await runOn('samples', { columns, prompts: [PROMPT], ...LENGTH }, { emit });
    assert.equal(result.samples[0].text, CONTINUATION);
    assert.equal(pieces.join(''), CONTINUATION);
  });
});
