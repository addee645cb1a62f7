/** The licences of what is bundled, because a bundle has the code of others in it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { requireAllowed } from './licenses.mjs';

const root = resolve(import.meta.dirname, '..');
const LICENCE = /^(licen[cs]e|copying|notice)([.-].*)?$/i;

/**
 * @param files the sources of a bundle, as esbuild names them
 * @returns a text with the name, version, licence and licence text of every package among them
 * @throws Error for a package whose licence is not allowed (licenses.mjs), or that does not say it
 */
export function noticesOf(files) {
  const folders = new Set(files.flatMap((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    requireAllowed(name, license);
    const found = readdirSync(join(root, folder)).filter((file) => LICENCE.test(file));
    const licences = found.map((file) => readFileSync(join(root, folder, file), 'utf8').trim());
    return [`${name} ${version} (${license})`, ...licences].join('\n\n');
  });
  const head = 'Coppice has code of these packages in it.';
  return `${[head, ...texts].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
