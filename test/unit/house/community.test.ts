/** What an open project has beside its code: issue forms that GitHub takes, a citation, updates, and who holds the rights. */
import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { exists, filesIn, textOf } from './repository';

const FORMS = '.github/ISSUE_TEMPLATE';
const { version, license } = JSON.parse(textOf('package.json')) as { version: string; license: string };

interface Field {
  readonly type: string;
  readonly id?: string;
  readonly attributes: { readonly label?: string; readonly options?: readonly unknown[]; readonly render?: string };
  readonly validations?: { readonly required?: boolean };
}
interface Form {
  readonly name: string;
  readonly description: string;
  readonly body: readonly Field[];
}

describe('issue forms', () => {
  const forms = filesIn(FORMS).filter((name) => name !== 'config.yml');

  it('are for a bug, a model and a number', () => {
    assert.deepEqual(forms.sort(), ['bug.yml', 'model.yml', 'number.yml']);
  });

  for (const file of forms) {
    it(`are what GitHub takes: ${file}`, () => {
      const form = parse(textOf(`${FORMS}/${file}`)) as Form;
      assert.ok(form.name && form.description && form.body.length > 0);
      const ids = form.body.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
      assert.equal(new Set(form.body.map(({ attributes }) => attributes.label)).size, ids.length);
      for (const { type, id, attributes, validations } of form.body) {
        assert.match(type, /^(markdown|textarea|input|dropdown|checkboxes)$/);
        assert.match(id!, /^[\w-]+$/);
        assert.ok(attributes.label, id);
        const choices = type === 'dropdown' || type === 'checkboxes';
        assert.equal(attributes.options !== undefined, choices, id);
        for (const choice of attributes.options ?? []) {
          const label = type === 'dropdown' ? choice : (choice as { readonly label: unknown }).label;
          assert.equal(typeof label, 'string', `${id}: ${String(label)} is no text in YAML`);
        }
        assert.ok(attributes.render === undefined || type === 'textarea', id);
        assert.ok(validations === undefined || typeof validations.required === 'boolean', id);
      }
    });
  }

  it('name commands of the editor by their titles', () => {
    const titles = Object.values(JSON.parse(textOf('package.nls.json')) as Record<string, string>);
    for (const file of forms) {
      for (const [, title] of textOf(`${FORMS}/${file}`).matchAll(/"(?:Coppice: )?([A-Z][^"\n]*)"/g))
        assert.ok(titles.includes(title), title);
    }
  });
});

describe('citation', () => {
  const citation = parse(textOf('CITATION.cff')) as Record<string, unknown> & {
    readonly 'preferred-citation': Record<string, unknown>;
  };

  it('has the fields of the format, the version and the licence', () => {
    assert.equal(citation['cff-version'], '1.2.0');
    for (const field of ['title', 'message', 'authors']) assert.ok(citation[field], field);
    assert.equal(citation.version, version);
    assert.equal(citation.license, license);
  });

  it('prefers the paper, as the references have it', () => {
    const paper = citation['preferred-citation'];
    const references = textOf('docs/references.md').replace(/\s+/g, ' ');
    assert.ok(references.includes(String(paper.title)), String(paper.title));
    assert.ok(references.includes(String(paper.url)), String(paper.url));
  });
});

describe('the project', () => {
  it('says who holds the rights, how to report and how people treat each other', () => {
    assert.match(textOf('NOTICE'), /^Coppice\nCopyright \d{4} The Coppice authors\n/);
    for (const file of ['LICENSE', 'SECURITY.md', 'CODE_OF_CONDUCT.md', '.github/pull_request_template.md'])
      assert.ok(exists(file), file);
  });

  it('is kept up to date: packages and actions', () => {
    const { version: format, updates } = parse(textOf('.github/dependabot.yml')) as {
      version: number;
      updates: readonly { readonly 'package-ecosystem': string; readonly directory: string }[];
    };
    assert.equal(format, 2);
    assert.deepEqual(updates.map((update) => `${update['package-ecosystem']} ${update.directory}`).sort(), [
      'github-actions /',
      'npm /',
      'npm /docs',
    ]);
  });

  it('packs its NOTICE wherever it packs its LICENSE', () => {
    for (const file of [
      '.vscodeignore',
      'deploy/Dockerfile.dockerignore',
      'deploy/Dockerfile',
      'scripts/package.mjs',
      'scripts/npm-package.ts',
    ])
      assert.match(textOf(file), /\bNOTICE\b/, file);
    const seen = textOf('.vscodeignore').split('\n').concat(textOf('deploy/Dockerfile.dockerignore').split('\n'));
    assert.deepEqual(
      seen.filter((line) => /^!(docs|ARCHITECTURE|SECURITY|CODE_OF|CITATION|\.github)/.test(line)),
      [],
    );
  });
});
