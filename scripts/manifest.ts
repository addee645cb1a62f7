/** `npm run manifest`: writes into package.json what the options of jobs say of their settings. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { withOptionSettings } from '../src/jobs/settings';

const file = resolve(import.meta.dirname, '../package.json');
const manifest = JSON.parse(readFileSync(file, 'utf8')) as Parameters<typeof withOptionSettings>[0];
writeFileSync(file, `${JSON.stringify(withOptionSettings(manifest), null, 2)}\n`);
