/** The line of a vocabulary in the tree, its jobs in words, and what a broken limit offers. */
import assert from 'node:assert/strict';
import { LimitError } from '../../../src/engine/errors';
import { option } from '../../../src/engine/option-token';
import { remedyOf } from '../../../src/host/remedy';
import { asApplication } from '../../../src/jobs/application';
import { vocabulary } from '../../../src/jobs/definitions/vocabulary';
import { doneTitle, jobTitle, titledJob } from '../../../src/jobs/titles';
import type { JobSpec } from '../../../src/protocol/jobs';
import { madeIcon, madeWords } from '../../../src/state/words/made-words';
import { vocabularyWords } from '../../../src/state/words/vocabulary-words';
import { architectureOf } from '../../support/checkpoint-files';

describe('a vocabulary in words', () => {
  const of = (tied: boolean) => architectureOf({ vocab_size: 320, tie_word_embeddings: tied });

  it('is how much of the parameters it is', () => {
    // Three blocks of 560 parameters and a norm of 8; rows of 8.
    const { label, description, hover } = vocabularyWords(of(true), undefined);
    assert.deepEqual([label, description], ['Vocabulary: 320 tokens', '60 % of the parameters']);
    assert.match(hover, /which is also the LM head/);
    const untied = vocabularyWords(of(false), undefined);
    assert.equal(untied.description, '75 % of the parameters');
    assert.match(untied.hover, /rows of the embedding and of the LM head/);
  });

  it('is a part of another one in a model that was trimmed', () => {
    assert.equal(vocabularyWords(of(true), 49_152).label, 'Vocabulary: 320 of 49,152 tokens');
    assert.deepEqual(
      [madeWords({ kind: 'vocabulary' }), madeIcon({ kind: 'vocabulary' })],
      ['vocabulary trimmed', 'whole-word'],
    );
  });
});

describe('jobs of a vocabulary', () => {
  const spec: JobSpec = { kind: 'vocabulary', checkpoint: '/models/oak', texts: ['/chats.txt'] };

  it('are named by whether they write', () => {
    assert.equal(jobTitle(titledJob(spec)), 'Counting the vocabulary of oak');
    assert.equal(jobTitle(titledJob({ ...spec, out: '/fewer' })), 'Trimming the vocabulary of oak');
    const done = (out?: string) => doneTitle({ kind: 'vocabulary', checkpoint: 'oak', options: { out } }, []);
    assert.deepEqual([done(), done('fewer')], ['Counted the vocabulary of oak', 'Trimmed the vocabulary of oak']);
  });

  it('hold back the judging rows of the application’s text, unless another text is held out', () => {
    const own = asApplication(spec, vocabulary, '/chats.txt');
    assert.deepEqual(own, { kind: 'vocabulary', checkpoint: '/models/oak', application: '/chats.txt' });
    assert.equal(asApplication(spec, vocabulary, '/other.txt'), spec);
    const held = { ...spec, heldOut: '/held.txt' };
    assert.equal(asApplication(held, vocabulary, '/chats.txt'), held);
  });
});

describe('a limit that a trimmed vocabulary breaks', () => {
  it('can be raised to what the model needs', () => {
    const refusal = (action: string) => new LimitError('fewer was not written', 'it loses too much', action);
    const actions = (action: string) => remedyOf(refusal(action), 'cpu').actions;
    assert.deepEqual(actions(`Lower ${option('min', 1)}, or allow it: ${option('maxBitsGrowth', 0.08)}.`), [
      { label: 'Write Anyway', changes: { maxBitsGrowth: 0.08 } },
    ]);
    const both = `Allow it: ${option('maxBitsGrowth', 0.1)}, ${option('maxGrowth', 1.2)}.`;
    assert.deepEqual(actions(both), [{ label: 'Write Anyway', changes: { maxBitsGrowth: 0.1, maxGrowth: 1.2 } }]);
    assert.deepEqual(actions(`Give ${option('maxGrowth')} another value.`), [{ label: 'Show Log' }]);
  });
});
