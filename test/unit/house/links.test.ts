/** Links of the documents lead somewhere: files and headings exist, and addresses are of hosts that the project knows. */
import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { anchorsIn, documents, documentText, fencesIn, linksIn } from '../../support/documents';
import { exists } from './repository';

/** Whose addresses documents may name. `npm run docs:links` asks them all. */
const HOSTS: ReadonlySet<string> = new Set([
  ...['arxiv.org', 'doi.org', 'aclanthology.org', 'openreview.net', 'proceedings.mlr.press', 'proceedings.neurips.cc'],
  ...['github.com', 'docs.github.com', 'raw.githubusercontent.com', 'huggingface.co', 'www.gutenberg.org'],
  ...[
    'marketplace.visualstudio.com',
    'code.visualstudio.com',
    'open-vsx.org',
    'www.npmjs.com',
    'docs.npmjs.com',
    'nodejs.org',
  ],
  ...[
    'onnxruntime.ai',
    'pytorch.org',
    'ollama.com',
    'lmstudio.ai',
    'slurm.schedmd.com',
    'kubernetes.io',
    'kueue.sigs.k8s.io',
    'docs.skypilot.co',
    'docs.docker.com',
  ],
  ...['modelcontextprotocol.io', 'json-schema.org', 'no-color.org', 'keepachangelog.com', 'semver.org'],
  ...[
    'www.apache.org',
    'creativecommons.org',
    'spdx.org',
    'www.contributor-covenant.org',
    'citation-file-format.github.io',
  ],
  // Of the public tasks (tasks/sources.ts).
  ...['storage.googleapis.com', 'ai2-public-datasets.s3.amazonaws.com'],
]);

/** Folders that a clone does not have. */
const NOT_CLONED = /^(dist|node_modules|docs\/node_modules|l10n|test\/out)\//;

/** What is wrong with a link; undefined if nothing is. */
function faultOf(file: string, link: string): string | undefined {
  if (/^[a-z][a-z+.-]*:/i.test(link)) {
    const { protocol, hostname } = new URL(link);
    if (protocol !== 'https:') return 'it does not begin with https://';
    return HOSTS.has(hostname) ? undefined : `${hostname} is not in the list of hosts`;
  }
  if (link === '' || link.startsWith('/')) return 'it must be relative';
  const [path, anchor] = link.split('#');
  const target = path === '' ? file : posix.normalize(posix.join(posix.dirname(file), decodeURI(path)));
  if (target.startsWith('..') || NOT_CLONED.test(target) || !exists(target)) return `there is no ${target}`;
  if (anchor === undefined) return undefined;
  if (!target.endsWith('.md')) return 'only documents have headings';
  return anchorsIn(documentText(target)).includes(decodeURI(anchor))
    ? undefined
    : `${target} has no heading #${anchor}`;
}

describe('links', () => {
  it('are found in text, not in code', () => {
    const text =
      '[a](b.md#c) ![p](d.png "title") `[no](x.md)` <https://e.org/f> https://g.org/h.\n\n```sh\n[no](y.md)\n```\n\n[r]: https://i.org/j\n';
    assert.deepEqual(linksIn(text), ['b.md#c', 'd.png', 'https://i.org/j', 'https://e.org/f', 'https://g.org/h']);
    assert.deepEqual(linksIn('[w](https://en.org/a_(b)) and ``a ` b`` [x](<c d.md>)'), [
      'https://en.org/a_(b)',
      'c d.md',
    ]);
  });

  it('name headings as GitHub does', () => {
    const text =
      '# What `--json` prints\n\n## A, B & C: §4\n\n## _Set Goal…_ in [VS Code](x.md)\n\n## A, B & C: §4\n\n```sh\n# no heading\n```\n\n### `coppice_score`\n\n## Über 1.5×\n';
    assert.deepEqual(anchorsIn(text), [
      'what---json-prints',
      'a-b--c-4',
      'set-goal-in-vs-code',
      'a-b--c-4-1',
      'coppice_score',
      'über-15',
    ]);
  });

  it('with a mistake are refused', () => {
    for (const [link, why] of [
      ['http://github.com/x', /https/],
      ['https://example.org', /list of hosts/],
      ['/docs/index.md', /relative/],
      ['../README.md', /there is no/],
      ['missing.md', /there is no missing\.md/],
      ['README.md#no-such-heading', /no heading/],
      ['package.json#scripts', /only documents/],
      ['dist/cli.cjs', /there is no/],
    ] as const) {
      assert.match(faultOf('README.md', link) ?? '', why, link);
    }
    assert.equal(faultOf('CONTRIBUTING.md', 'ARCHITECTURE.md#code-map'), undefined);
  });

  const all = documents();

  it('are in many documents', () => {
    for (const file of ['README.md', 'docs/reference/index.md', 'recipes/README.md', 'media/sample/README.md']) {
      assert.ok(all.includes(file), file);
    }
    assert.ok(!all.some((file) => file.includes('node_modules')));
  });

  for (const file of all) {
    it(`lead somewhere: ${file}`, () => {
      const faults = linksIn(documentText(file)).flatMap((link) => {
        const fault = faultOf(file, link);
        return fault === undefined ? [] : [`${link}: ${fault}`];
      });
      assert.deepEqual(faults, []);
    });
  }

  it('fences are closed, so that what follows is read', () => {
    for (const file of all) {
      const text = documentText(file);
      const fences = [...text.matchAll(/^ {0,3}```/gm)].length;
      assert.equal(fences, 2 * fencesIn(text).length, file);
    }
  });
});
