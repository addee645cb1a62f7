/**
 * What the Marketplace shows of the extension. Its pictures must have an address on the web: a picture in the page itself
 * (`data:image/png;base64,…`, in Markdown and as `<img>`) was tried in a window of VS Code 1.139. Its policy allows that, but
 * its sanitiser takes the address away, and what is left is the sign of a broken picture. vsce refuses drawings in SVG. So the
 * page has pictures only where the repository's address is known: from package.json, or told by who packs it (the workflows
 * do). So it is with links to the repository and the badge of its tests. Without an address the page has its figures in text.
 */

/** Fields of package.json that speak to npm. vsce refuses `files` beside an ignore file. */
const FIELDS_OF_NPM = [
  'private',
  'type',
  'exports',
  'types',
  'bin',
  'files',
  'scripts',
  'dependencies',
  'devDependencies',
];

/** A picture of the repository, in a paragraph of its own. */
const PICTURE = /^!\[[^\]]*\]\((?!https:)[^)]*\)\n\n?/gm;

/**
 * @param {string | undefined} given an address, as GitHub's `https://github.com/OWNER/NAME`
 * @returns {string | undefined} it, or what package.json has, without a slash or `.git` at its end
 * @throws {Error} if it is no address of a page
 */
export function repositoryOf(manifest, given) {
  const own = typeof manifest.repository === 'string' ? manifest.repository : manifest.repository?.url;
  const address = (given ?? own)?.replace(/^git\+/, '').replace(/(\.git)?\/?$/, '');
  if (address !== undefined && !/^https:\/\/[\w.-]+(\/[\w.-]+){2,}$/.test(address)) {
    throw new Error(`${address} is no address of a repository. Give --repository https://github.com/OWNER/NAME.`);
  }
  return address;
}

/** The page, without the pictures that would not be shown. */
export const pageOf = (text, repository) => (repository === undefined ? text.replace(PICTURE, '') : text);

/** package.json as the extension has it. */
export function manifestOf(manifest, repository) {
  const kept = Object.fromEntries(Object.entries(manifest).filter(([field]) => !FIELDS_OF_NPM.includes(field)));
  if (repository === undefined) return kept;
  const tests = `${repository}/actions/workflows/test.yml`;
  return {
    ...kept,
    repository: { type: 'git', url: repository },
    homepage: `${repository}#readme`,
    bugs: { url: `${repository}/issues` },
    // The Marketplace takes badges of few hosts; GitHub's of a workflow is one.
    ...(repository.startsWith('https://github.com/') && {
      badges: [{ url: `${tests}/badge.svg`, href: tests, description: 'Tests on Linux, macOS and Windows' }],
    }),
  };
}

/** How vsce makes addresses of the page's pictures and links. */
export const addressesOf = (repository) =>
  repository === undefined
    ? { allowMissingRepository: true, rewriteRelativeLinks: false }
    : { baseContentUrl: `${repository}/blob/HEAD`, baseImagesUrl: `${repository}/raw/HEAD` };
