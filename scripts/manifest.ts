/** `npm run manifest`: writes into package.json and its texts what the options of jobs and the list of criteria say. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { withCriterionTexts, withOptionSettings } from '../src/jobs/settings';

/** Replaces a JSON file at the top of the repository by what `change` makes of it. */
function rewrite<T>(name: string, change: (value: T) => T): void {
  const file = resolve(import.meta.dirname, '..', name);
  writeFileSync(file, `${JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as T), null, 2)}\n`);
}

rewrite<Parameters<typeof withOptionSettings>[0]>('package.json', withOptionSettings);
rewrite<Record<string, string>>('package.nls.json', withCriterionTexts);
