/** When something was, as people say it. */
import assert from 'node:assert/strict';
import { ago } from '../../../src/format/ago';

const MINUTE = 60_000;

describe('how long ago', () => {
  const at = (text: string): number => new Date(text).getTime();
  const now = at('2026-03-10T09:00:00');
  const days = (text: string, language = 'en'): string => ago(at(text), { language }, now);

  it('counts minutes and hours, then days', () => {
    const words = { language: 'en', justNow: 'just now' };
    const minutes = [-5, 0.5, 1, 59.9, 60, 23 * 60, 24 * 60, 48 * 60, 7 * 24 * 60];
    assert.deepEqual(
      minutes.map((each) => ago(now - each * MINUTE, words, now)),
      [
        'just now',
        'just now',
        '1 minute ago',
        '59 minutes ago',
        '1 hour ago',
        '23 hours ago',
        'yesterday',
        '2 days ago',
        '7 days ago',
      ],
    );
    assert.equal(ago(at('2026-03-08T23:59:00'), words, now), '2 days ago'); // 33 hours
    assert.equal(ago(at('2026-02-02T12:00:00'), words, now), 'Feb 2, 2026');
    assert.equal(ago(NaN, words, now), '');
    assert.equal(ago(now - 5 * MINUTE, { ...words, language: 'de' }, now), 'vor 5 Minuten');
  });

  it('counts days alone where the text stays; they begin at midnight', () => {
    assert.equal(days('2026-03-10T00:01:00'), 'today');
    assert.equal(days('2026-03-09T23:59:00'), 'yesterday');
    assert.equal(days('2026-03-08T23:59:00'), '2 days ago');
    assert.equal(days('2026-03-02T12:00:00'), 'Mar 2, 2026');
    assert.equal(days('2026-03-11T12:00:00'), 'today'); // a clock that was set back
    assert.equal(days('2026-03-08T23:59:00', 'de'), 'vorgestern');
  });
});
