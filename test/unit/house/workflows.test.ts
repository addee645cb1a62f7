/** GitHub's workflows of the project: valid by GitHub's own parser, pinned, modest, and they call what exists. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } from '@actions/workflow-parser';
import { temporaryFolder } from '../../support/temporary';
import { exists, filesIn, textOf } from './repository';

const root = resolve(import.meta.dirname, '../../..');
const FOLDER = '.github/workflows';
const files = filesIn(FOLDER).map((name) => `${FOLDER}/${name}`);

/** What GitHub would find wrong with a workflow, those included that it calls. */
async function faultsOf(name: string, content: string): Promise<string[]> {
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  if (value !== undefined) {
    const files = {
      getFileContent: (ref: object) => {
        assert.ok('path' in ref && typeof ref.path === 'string');
        return Promise.resolve({ name: ref.path, content: textOf(ref.path) });
      },
    };
    const { errors = [] } = await convertWorkflowTemplate(context, value, files, { fetchReusableWorkflowDepth: 1 });
    if (errors.length > 0) return errors.map(({ Message }) => Message);
  }
  return context.errors.getErrors().map((error) => error.message);
}

describe('workflows', () => {
  it('test, pack and release', () => {
    assert.deepEqual(
      files.sort(),
      ['package', 'release', 'test'].map((name) => `${FOLDER}/${name}.yml`),
    );
  });

  for (const file of files) {
    it(`are valid: ${file}`, async () => {
      assert.deepEqual(await faultsOf(file, textOf(file)), []);
    });

    it(`run fixed versions of actions: ${file}`, () => {
      const used = [...textOf(file).matchAll(/uses: (\S+)(.*)/g)];
      assert.ok(used.length > 0);
      for (const [, action, comment] of used.filter(([, name]) => !name.startsWith('./'))) {
        assert.match(action, /^actions\/[\w-]+@[0-9a-f]{40}$/);
        assert.match(comment, /^ # v\d+\.\d+\.\d+$/, action);
      }
    });

    it(`may only read where nothing else is said, and take secrets by the environment: ${file}`, () => {
      assert.match(textOf(file), /^permissions:\n {2}contents: read\n/m);
      for (const [line] of textOf(file).matchAll(/^.*\$\{\{ secrets\..*$/gm))
        assert.match(line, /^ +\w+: \$\{\{ secrets\.\w+ \}\}$/);
    });

    it(`call what exists: ${file}`, () => {
      const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Readonly<Record<string, string>> };
      const text = `${textOf(file)}\n${textOf('.ci/run')}`;
      const called = [...text.matchAll(/\bnpm (?:run (\S+)|(test)\b)/g)].map(([, name, test]) => name ?? test);
      assert.ok(called.includes('test'));
      for (const name of called) assert.ok(name in scripts, name);
      for (const [, path] of text.matchAll(/(?:bash|node|uses:) (\.\S+)/g)) assert.ok(exists(path), path);
    });
  }

  it('with a mistake are refused', async () => {
    const text = textOf(`${FOLDER}/release.yml`);
    const wrong = (from: string, to: string): Promise<string[]> => {
      assert.ok(text.includes(from), from);
      return faultsOf('release.yml', text.replace(from, to));
    };
    assert.match((await wrong('runs-on:', 'run-on:')).join(), /run-on/);
    assert.match((await wrong('needs: [test, package]', 'needs: [test, pack]')).join(), /pack/);
    assert.match((await wrong('github.ref_name', 'github.ref_name +')).join(), /Unexpected/);
    assert.match(
      (
        await wrong('uses: ./.github/workflows/test.yml', 'uses: ./.github/workflows/test.yml\n    with: {x: 1}')
      ).join(),
      /x/,
    );
  });
});

describe('the notes of a release', () => {
  const repository = (version: string, changelog: string): string => {
    const folder = temporaryFolder();
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ version }));
    writeFileSync(join(folder, 'CHANGELOG.md'), changelog);
    return folder;
  };
  const notes = (
    tag: string,
    folder: string,
    ...more: string[]
  ): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [join(root, 'scripts/release-notes.mjs'), tag, '--root', folder, ...more], {
      encoding: 'utf8',
    });

  it('are the section of its version', () => {
    const folder = repository(
      '1.2.3',
      '# Changelog\n\n## Unreleased\n\n- Later.\n\n## 1.2.3 - 2030-01-02\n\n### Added\n\n- A thing.\n\n## 1.2.2\n\n- Old.\n',
    );
    const { status, stdout } = notes('v1.2.3', folder);
    assert.deepEqual({ status, stdout }, { status: 0, stdout: '### Added\n\n- A thing.\n' });
    assert.equal(notes('v1.2.3', folder, '--out', join(folder, 'notes.md')).status, 0);
    assert.equal(readFileSync(join(folder, 'notes.md'), 'utf8'), stdout);
  });

  it('are refused for another version, and without a section', () => {
    assert.match(
      notes('v1.2.4', repository('1.2.3', '## 1.2.3\n\n- A.\n')).stderr,
      /The tag is v1\.2\.4, and package\.json has version 1\.2\.3/,
    );
    for (const changelog of ['## Unreleased\n\n- A.\n', '## 1.2.3\n\n## 1.2.2\n\n- A.\n']) {
      const { status, stderr } = notes('v1.2.3', repository('1.2.3', changelog));
      assert.equal(status, 1);
      assert.match(stderr, /no section "## 1\.2\.3"/);
    }
  });
});
