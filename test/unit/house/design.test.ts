/** The pages on the design and on the formulas: files and identifiers that they name exist, and each begins with its purpose. */
import assert from 'node:assert/strict';
import { exists, filesIn, textOf, trackedFiles } from './repository';

const FOLDERS = ['docs/design', 'docs/how-it-works'];
const pages = ['ARCHITECTURE.md', ...FOLDERS.flatMap((folder) => filesIn(folder).map((name) => `${folder}/${name}`))];

/** ARCHITECTURE.md is the map: more than this belongs to the pages of docs/design. */
const MOST_LINES = 450;

/** Operators of onnxruntime that were tried and not taken. */
const NOT_TAKEN = ['DynamicQuantizeMatMul', 'SkipSimplifiedLayerNormalization', 'GatherBlockQuantized'];

/** The code spans of a page, without its fenced blocks. */
const spansOf = (text: string): string[] =>
  [...text.replace(/^```.*?^```/gms, '').matchAll(/`([^`\n]+)`/g)].map(([, span]) => span);

describe('design', () => {
  const files = trackedFiles();
  if (files === undefined) {
    it.skip('(needs a git checkout)');
    return;
  }
  const folders = new Set(files.flatMap((file) => file.split('/').map((_, i, all) => all.slice(0, i).join('/'))));
  const isPlace = (path: string): boolean =>
    [...files, ...folders].some((place) => place === path || place.endsWith(`/${path}`));
  const words = new Set(
    files
      .filter((file) => /\.(ts|mts|mjs|json)$/.test(file) && !/^(package-lock\.json|test\/golden\/)/.test(file))
      .flatMap((file) => textOf(file).match(/[A-Za-z_$][\w$]*/g) ?? []),
  );

  it('keeps the map short', () => assert.ok(textOf('ARCHITECTURE.md').split('\n').length <= MOST_LINES));

  for (const page of pages) {
    const text = textOf(page);

    it(`${page} begins with what it is for`, () => {
      assert.match(text, /^# \S[^\n]*\n\n(This page says|These pages say) /);
    });

    it(`${page} names files that exist`, () => {
      const places = spansOf(text).filter(
        (span) => !span.includes('…') && /^[\w.@-]+(\/[\w.@-]+)*\.tsx?$|^(src|test|bench|webview|scripts)\//.test(span),
      );
      assert.deepEqual(
        places.map((span) => span.replace(/\/$/, '')).filter((place) => !exists(place) && !isPlace(place)),
        [],
      );
    });

    it(`${page} names identifiers that exist`, () => {
      const named = spansOf(text).flatMap(
        (span) => /^([A-Za-z]\w*)(?:\.(\w+))?(?:\(.*\))?$/.exec(span)?.slice(1, 3) ?? [],
      );
      const identifiers = named.filter((name) => name !== undefined && /[a-z][A-Z]/.test(name));
      assert.deepEqual(
        identifiers.filter((name) => !words.has(name) && !NOT_TAKEN.includes(name)),
        [],
      );
    });
  }
});
