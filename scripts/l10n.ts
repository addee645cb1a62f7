/**
 * `npx tsx scripts/l10n.ts [FILE]`: writes every text that a translation covers to FILE (l10n/bundle.l10n.json), in the
 * form of VS Code's bundles. A translation is a copy of it named bundle.l10n.LANGUAGE.json.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { bundleKey, textsOfCode } from '../test/support/l10n-texts';

const root = resolve(import.meta.dirname, '..');
const out = resolve(process.argv[2] ?? join(root, 'l10n/bundle.l10n.json'));

const bundle = new Map(
  textsOfCode().map((text) => {
    const { message, comment } = text;
    return [bundleKey(text), comment === '' ? message : { message, comment: [comment] }];
  }),
);
const sorted = [...bundle].sort(([a], [b]) => (a < b ? -1 : 1));
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
console.log(`${bundle.size} texts: ${out}`);
