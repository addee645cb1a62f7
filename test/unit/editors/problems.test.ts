/** Errors of the engine as the checkpoint editor lists them. */
import assert from 'node:assert/strict';
import { problemOf } from '../../../src/editors/problems';
import { UserError } from '../../../src/engine/errors';
import { option, set } from '../../../src/engine/option-token';

describe('problems in the editor', () => {
  it('name options in the words of the face that shows them', () => {
    const error = new UserError('Too large', `more than ${option('memory')}`, `Run again, or ${set('device', 'cpu')}.`);
    const { what, why, action } = problemOf(error);
    assert.deepEqual([what, why, action], ['Too large', 'more than --memory', 'Run again, or use --device cpu.']);
  });

  it('do not repeat the position, which has a line of its own', () => {
    assert.equal(
      problemOf(new UserError('Bad', 'the header is damaged (at byte 12)', 'Stop.')).why,
      'the header is damaged',
    );
  });
});
