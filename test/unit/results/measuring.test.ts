/** What the results panel measures on where nothing could be read: a folder may vanish while a panel opens. */
import assert from 'node:assert/strict';
import { MeasuringPart, type MeasuringOptions } from '../../../src/editors/results/measuring-part';
import { UserError } from '../../../src/engine/errors';

describe('the text that a panel measures on', () => {
  it('is asked for where no reading succeeded: an error says so', () => {
    const options = { source: { path: '/models/gone' }, reading: { measuredOn: undefined } };
    const part = new MeasuringPart(options as unknown as MeasuringOptions);
    assert.throws(
      () => part.requireText(),
      (error) => error instanceof UserError && error.message.includes('Cannot measure /models/gone'),
    );
  });
});
