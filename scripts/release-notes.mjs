/**
 * `npm run release:notes -- v1.2.3 [--out FILE]`: what the changelog says of a version. Fails if the tag is not the
 * version of package.json, or if the changelog has no section `## 1.2.3` with something in it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' }, root: { type: 'string', default: resolve(import.meta.dirname, '..') } },
});
const { version } = JSON.parse(readFileSync(resolve(values.root, 'package.json'), 'utf8'));
const [tag] = positionals;
if (tag !== `v${version}`) fail(`The tag is ${tag ?? 'missing'}, and package.json has version ${version}.`);

const sections = readFileSync(resolve(values.root, 'CHANGELOG.md'), 'utf8').split(/^## /m).slice(1);
const section = sections.find((text) => /^\[?([^\s\]]+)/.exec(text)?.[1] === version);
const notes = section?.slice(section.indexOf('\n')).trim();
if (!notes) fail(`CHANGELOG.md has no section "## ${version}" with something in it.`);
if (values.out) writeFileSync(values.out, `${notes}\n`);
else console.log(notes);

function fail(why) {
  console.error(why);
  process.exit(1);
}
