/**
 * The site of the documents: `npm run docs` builds it into dist/site. It needs nothing from the network: its search is local,
 * its fonts are the system's, and formulas are drawings.
 *
 * DOCS_BASE is the path under which it is served, "/coppice/" for example. DOCS_REPOSITORY is the address of the repository, for
 * links to files that are not documents; without it (and without one in package.json) they are plain text.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, posix, relative, resolve, sep } from 'node:path';
import { defineConfig } from 'vitepress';
import { anchorOf, headingsIn } from '../../scripts/docs/anchors.mjs';
import { repositoryOf } from '../../scripts/package-page.mjs';

const docs = resolve(import.meta.dirname, '..');
const root = dirname(docs);
const manifest = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'));
const repository = repositoryOf(manifest, process.env.DOCS_REPOSITORY || undefined);
const base = process.env.DOCS_BASE ?? '/';

/** The groups of the sidebar, each with its pages in order. A folder stands for all its pages that are not named before. */
const GROUPS = [
  ['Start', ['index', 'install', 'tutorial']],
  [
    'Guide',
    [
      'guide/when-to-prune',
      'guide/choose-blocks',
      'guide/heal',
      'guide/retrain',
      'guide/judge',
      'guide/iterate',
      'guide/width',
      'guide/experts',
      'guide/vocabulary',
      'guide/speed',
      'guide/drafts',
      'guide/export',
      'guide/add-to-project',
      'guide/recipes',
      'guide/ci',
      'guide/vscode',
      'guide/agents',
      'guide/cluster',
      'guide/library',
      'guide/troubleshooting',
      'guide/',
    ],
  ],
  [
    'How it works',
    [
      'how-it-works/importance',
      'how-it-works/healing',
      'how-it-works/screening',
      'how-it-works/racing',
      'how-it-works/streaming',
      'how-it-works/vocabulary',
      'how-it-works/drafts',
      'how-it-works/training',
      'how-it-works/',
    ],
  ],
  ['Results', ['results/protocol', 'results/']],
  ['Background', ['compare', 'references', 'glossary']],
  [
    'Reference',
    [
      'reference/index',
      'reference/models',
      'reference/formats',
      'reference/criteria',
      'reference/tasks',
      'reference/settings',
      'reference/commands',
      'reference/tools',
      'reference/recipe',
      'reference/tasks-file',
      'reference/record',
      'reference/exit-codes',
      'reference/environment',
    ],
  ],
  ['Command line', ['reference/cli/index', 'reference/cli/']],
  ['JSON of commands', ['reference/json/index', 'reference/json/']],
  ['Design', ['design/index', 'design/']],
];

const isPage = (page) => existsSync(resolve(docs, `${page}.md`));

/** Pages of a folder, by name. */
const pagesIn = (folder) =>
  existsSync(resolve(docs, folder))
    ? readdirSync(resolve(docs, folder))
        .filter((file) => file.endsWith('.md'))
        .map((file) => `${folder}${file.slice(0, -3)}`)
        .sort()
    : [];

const plain = (heading) => heading.replaceAll('`', '').replace(/\\(?=\W)/g, '');
/** The first heading, shorter where the group says the rest. */
function titleOf(page) {
  const [heading = page] = headingsIn(readFileSync(resolve(docs, `${page}.md`), 'utf8'));
  if (page === 'index') return 'I want to …';
  if (page.endsWith('/index')) return 'Overview';
  return plain(heading).replace(/^(JSON of )?coppice (?=\S)/, '');
}

function sidebar() {
  const seen = new Set();
  return GROUPS.map(([text, names]) => {
    const pages = names.flatMap((name) => (name.endsWith('/') ? pagesIn(name) : [name]));
    const items = pages.filter((page) => isPage(page) && !seen.has(page) && seen.add(page));
    return {
      text,
      collapsed: ['Command line', 'JSON of commands', 'Design'].includes(text),
      items: items.map((page) => ({ text: titleOf(page), link: `/${page.replace(/(^|\/)index$/, '$1')}` })),
    };
  }).filter(({ items }) => items.length > 0);
}

/** Links to files beside the documents lead to the repository; without its address they are text. */
function repositoryLinks(md) {
  md.core.ruler.push('repository-links', ({ tokens, env }) => {
    for (const { children } of tokens.filter(({ type }) => type === 'inline')) relink(children, env.path);
  });
}

function relink(tokens, page) {
  const ends = [];
  for (const token of tokens) {
    if (token.type === 'link_open') ends.push(relinked(token, page));
    else if (token.type === 'link_close' && ends.pop() === 'text') hide(token, '</span>');
  }
}

const hide = (token, content) => Object.assign(token, { type: 'html_inline', tag: '', nesting: 0, content });

/** @returns "text" if the link is none any more */
function relinked(token, page) {
  const href = token.attrGet('href');
  if (/^([a-z]+:|#|\/)/i.test(href)) return 'link';
  const [path, anchor] = href.split('#');
  const target = relative(root, resolve(dirname(page), decodeURI(path)))
    .split(sep)
    .join(posix.sep);
  if (target.startsWith('docs/') && target.endsWith('.md')) return 'link';
  if (repository === undefined) {
    hide(token, '<span>');
    return 'text';
  }
  token.attrSet('href', `${repository}/blob/HEAD/${target}${anchor === undefined ? '' : `#${anchor}`}`);
  return 'link';
}

const icon = `data:image/svg+xml,${encodeURIComponent(readFileSync(resolve(root, 'media/icon.svg'), 'utf8'))}`;
const library = existsSync(resolve(root, 'dist/docs/index.html'));

export default defineConfig({
  title: 'Coppice',
  description: 'Removes Transformer blocks of language models, and repairs what is left',
  lang: 'en-US',
  base,
  outDir: '../dist/site',
  cacheDir: '.vitepress/cache',
  vite: { build: { chunkSizeWarningLimit: 4000 } }, // the index of the search is one file
  head: [['link', { rel: 'icon', href: icon }]],
  // The library's pages are put beside these when the site is made.
  ignoreDeadLinks: [/\/library\//],
  markdown: {
    math: true,
    anchor: { slugify: anchorOf },
    toc: { slugify: anchorOf },
    languageAlias: { bibtex: 'latex' },
    config: repositoryLinks,
  },
  themeConfig: {
    logo: icon,
    nav: [
      { text: 'Tutorial', link: '/tutorial' },
      { text: 'Guide', link: '/guide/when-to-prune', activeMatch: '/guide/' },
      { text: 'Reference', link: '/reference/', activeMatch: '/reference/' },
      ...(library ? [{ text: 'Library', link: `${base}library/index.html`, target: '_self' }] : []),
    ].filter(({ link }) => link.includes('library') || isPage(link.slice(1).replace(/\/$/, '/index'))),
    sidebar: sidebar(),
    outline: { level: [2, 3] },
    search: { provider: 'local' },
    docFooter: { prev: false, next: false },
    externalLinkIcon: true,
    ...(repository !== undefined && { socialLinks: [{ icon: 'github', link: repository }] }),
  },
});
