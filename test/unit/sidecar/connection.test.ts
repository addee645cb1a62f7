/** Requests between two ends: a signal ends them whenever it comes. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { CancelledError } from '../../../src/engine/errors';
import { answer, ask } from '../../../src/sidecar/connection';

describe('a request', () => {
  const [there, back] = [new PassThrough(), new PassThrough()];
  const host = createMessageConnection(new StreamMessageReader(back), new StreamMessageWriter(there));
  const sidecar = createMessageConnection(new StreamMessageReader(there), new StreamMessageWriter(back));
  let asked = 0;

  before(() => {
    // Ends only when it is cancelled.
    answer(sidecar, 'parts/gather', (_, signal) => {
      asked++;
      if (signal.aborted) throw new CancelledError();
      return new Promise((_done, fail) => signal.addEventListener('abort', () => fail(new CancelledError())));
    });
    answer(sidecar, 'job/cancel', () => Promise.resolve({ found: false }));
    host.listen();
    sidecar.listen();
  });
  after(() => {
    host.dispose();
    sidecar.dispose();
  });

  const gather = (signal: AbortSignal) => ask(host, 'parts/gather', { folder: 'x', spec: {} } as never, signal);

  it('ends when it is cancelled while it is answered', async () => {
    const controller = new AbortController();
    const before = asked;
    const answered = gather(controller.signal);
    await ask(host, 'job/cancel', { id: 'a later one' });
    assert.equal(asked, before + 1);
    controller.abort();
    await assert.rejects(answered, CancelledError);
  });

  it('ends when it is cancelled before the other end has looked at it', async () => {
    const controller = new AbortController();
    const answered = gather(controller.signal);
    controller.abort();
    await assert.rejects(answered, CancelledError);
  });

  it('is not sent when it is cancelled already', async () => {
    const before = asked;
    await assert.rejects(gather(AbortSignal.abort()), CancelledError);
    await ask(host, 'job/cancel', { id: 'a later one' });
    assert.equal(asked, before);
  });
});
