/** Every text that the host or a page shows can be translated: prose in the code is a literal in a call of `t`. */
import assert from 'node:assert/strict';
import { l10n, translateBy } from '../../src/l10n';
import { pageDocument } from '../../src/editors/page-document';
import { translator } from '../../webview/support/l10n';
import { textsIn } from '../support/l10n-texts';
import { sourcesIn, textOf } from './house/repository';

/** Files without text for a person: HTML, prompts for a model, names of models as records have them; or with texts of a list. */
const NO_TEXTS = [
  'src/editors/page-document.ts',
  'src/host/ask/criteria.ts', // the list of criteria has them
  'src/editors/results/prompts.ts',
  'src/editors/results/model-labels.ts',
  'webview/panel/state/model-labels.ts',
  'src/commands/report-issue.ts', // an issue is written for the developers, in English
  'src/host/issue-report.ts',
];

/** What runs in the extension host. The engine and the sidecar's process are English, as the command line is. */
const HOST = [
  ...['src/commands', 'src/host', 'src/state', 'src/views', 'src/editors', 'src/lm'].flatMap(sourcesIn),
  ...['client', 'connection', 'interrupted', 'lifecycle', 'supervisor'].map((name) => `src/sidecar/${name}.ts`),
  'src/extension.ts',
];
const PAGES = sourcesIn('webview');

const faultsOf = (files: readonly string[]): string[] =>
  files.filter((file) => !NO_TEXTS.includes(file)).flatMap((file) => textsIn(file, textOf(file)).faults);

describe('texts', () => {
  it('of the host can be translated', () => {
    assert.ok(HOST.length > 100);
    assert.deepEqual(faultsOf(HOST), []);
  });

  it('of the pages can be translated', () => {
    assert.ok(PAGES.length > 50);
    assert.deepEqual(faultsOf(PAGES), []);
  });

  it('outside of a translation are found', () => {
    const { faults, texts } = textsIn(
      'x.ts',
      `show('Open it'); t('Open {0}', \`the \${x} file\`); t(text); log.info('it runs'); el('p', { class: 'a b' });
       t({ message: 'Run', comment: 'Noun' }); t({ message: text, comment: 'Noun' });`,
    );
    assert.deepEqual(
      faults.map((fault) => fault.replace(/^.*?: /, '')),
      ['"Open it"', '"the {} file"', 'a translation without a literal', 'a translation without a literal'],
    );
    assert.deepEqual(texts, [
      { message: 'Open {0}', comment: '' },
      { message: 'Run', comment: 'Noun' },
    ]);
  });

  it('stay as written without a translation', () => {
    assert.equal(l10n.t('{0} of {1}', 3, 'four'), '3 of four');
    translateBy((message) => message.toUpperCase());
    assert.equal(l10n.t('of'), 'OF');
    translateBy((message, ...args) => message.replace(/\{(\d)\}/g, (_, index) => String(args[Number(index)])));
  });
});

describe('texts of a page', () => {
  it('come from the bundle by message, and by message and comment', () => {
    const t = translator({ 'Open {0}': '{0} öffnen', Run: 'Ausführen', 'Run/Noun': 'Lauf', 'Run/NounRun': 'Läufe' });
    assert.equal(t('Open {0}', 'a.txt'), 'a.txt öffnen');
    assert.equal(t('Run'), 'Ausführen');
    assert.equal(t({ message: 'Run', comment: 'Noun' }), 'Lauf');
    assert.equal(t({ message: 'Run', comment: ['Noun', 'Run'] }), 'Läufe');
    assert.equal(t({ message: '{0} blocks', args: [3], comment: 'x' }), '3 blocks', 'it is not in the bundle');
    assert.equal(t('{0} {1}', 'x'), 'x {1}', 'a missing argument leaves its place');
  });

  it('are a block of data in its document that no text can end', () => {
    const page = { title: '', language: 'de', script: 's.js', styleSheet: 's.css', source: 'x:', nonce: 'n' };
    const html = pageDocument({ ...page, bundle: { Open: '</script><script>alert(1)</script>' } });
    const [, json] = /<script nonce="n" type="application\/json" id="l10n">(.*?)<\/script>/.exec(html)!;
    assert.deepEqual(JSON.parse(json), { Open: '</script><script>alert(1)</script>' });
    assert.ok(!pageDocument(page).includes('id="l10n"'));
  });
});
