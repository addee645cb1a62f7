/** Notifications go through src/host/toast.ts, which takes stacks, paths and patterns out. Questions in dialogs do not. */
import assert from 'node:assert/strict';
import { sourcesIn, textOf } from './repository';

describe('notifications', () => {
  it('are all shown by one module', () => {
    const others = sourcesIn('src').filter((file) => file !== 'src/host/toast.ts');
    const strays = others.flatMap((file) => {
      const calls = textOf(file).matchAll(/show(?:Error|Warning|Information)Message\(([^;]*)/g);
      return [...calls].filter(([, args]) => !/modal: true|options/.test(args)).map(([call]) => `${file}: ${call}`);
    });
    assert.deepEqual(strays, []);
  });
});
