/** How blocks were chosen: what is derived, what records hold, what cards say. */
import assert from 'node:assert/strict';
import {
  choiceInputs,
  choiceOf,
  choiceSentence,
  choiceSettings,
  editsOf,
  type Suggestion,
} from '../../../src/engine/importance/choice';
import { choiceWords } from '../../../src/state/words/choice-words';

const suggestion: Suggestion = {
  criterion: 'ppl',
  goal: { kind: 'ratio', ratio: 0.2 },
  blocks: [4, 13, 14],
  calibration: { name: 'prose.txt', sha256: 'abc', file: '/home/me/prose.txt', samples: 10, length: 128, seed: 1 },
  run: 'run.json',
};

describe('the choice of blocks', () => {
  it('is what was suggested, edited or not, and by hand where nothing of it is left', () => {
    assert.equal(choiceOf([4, 13, 14], suggestion), suggestion);
    assert.equal(choiceOf([4, 20], suggestion), suggestion);
    assert.equal(choiceOf([20], suggestion), 'hand');
    assert.equal(choiceOf([4], undefined), 'hand');
    assert.deepEqual(editsOf(suggestion, [4, 7, 14, 20]), { removed: [7, 20], kept: [13] });
  });

  it('claims no criterion when it was made by hand', () => {
    assert.deepEqual(choiceSettings('hand', [1]), { chosen: 'by hand' });
    assert.deepEqual(choiceInputs('hand'), []);
    assert.equal(choiceSentence('hand', [1]), 'The blocks were chosen by hand.');
    assert.equal(choiceWords('hand', [1]), 'chosen by hand');
  });

  it('names criterion, goal and text of a suggestion, and no path', () => {
    const settings = choiceSettings(suggestion, [4, 13, 14]);
    assert.deepEqual(settings, {
      chosen: 'by criterion',
      criterion: 'ppl',
      count: 3,
      ratio: 0.2,
      scores: 'run.json',
      calibration: { source: 'prose.txt', sha256: 'abc', samples: 10, length: 128, seed: 1 },
    });
    const inputs = choiceInputs(suggestion);
    assert.deepEqual(inputs, [{ role: 'calibration', name: 'prose.txt', sha256: 'abc' }]);
    const sentence = choiceSentence(suggestion, [4, 13, 14]);
    assert.match(sentence, /criterion `ppl`, measured on 10 rows of 128 tokens of `prose\.txt`\.$/);
    assert.ok(!JSON.stringify([settings, inputs, sentence]).includes('/home'));
  });

  it('says what every round removed, with the divergence as far as it is known', () => {
    const rounds = [{ removed: [10, 13], ppl: 20, kl: 0.12345 }, { removed: [24] }];
    const choice = { ...suggestion, blocks: [10, 13, 24], rounds };
    assert.deepEqual(choiceSettings(choice, [10, 13, 24]).rounds, rounds);
    assert.match(
      choiceSentence(choice, [10, 13, 24]),
      /They were removed in 2 rounds, and the rest was healed before it was scored again: blocks 10, 13 \(KL 0.123\), then block 24\.$/,
    );
    assert.equal(choiceSettings(suggestion, suggestion.blocks).rounds, undefined);
  });

  it('says both when a suggestion was edited', () => {
    const removed = [4, 7, 14, 20];
    const { chosen, suggested, removedByHand, keptByHand } = choiceSettings(suggestion, removed);
    assert.deepEqual(
      [chosen, suggested, removedByHand, keptByHand],
      ['by criterion, then by hand', [4, 13, 14], [7, 20], [13]],
    );
    const sentence = choiceSentence(suggestion, removed);
    assert.match(sentence, /^Blocks 4, 13, 14 were suggested by the criterion `ppl`/);
    assert.match(sentence, /edited by hand: blocks 7, 20 also removed; block 13 kept\.$/);
    assert.equal(choiceWords(suggestion, removed), 'suggested by ppl on prose.txt, edited by hand: +2 −1');
  });
});
