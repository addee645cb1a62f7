/** `npm run manifest`: writes into package.json, its texts and the schema of recipes what the code says. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { withAgentTools, withAgentToolTexts } from '../src/agents/manifest';
import { withFamilyNames } from '../src/engine/checkpoint/families/table';
import { withCriterionTexts, withOptionSettings } from '../src/jobs/settings';
import { recipeSchema } from '../src/recipes/schema';

/** Replaces a JSON file at the top of the repository by what `change` makes of it. */
function rewrite<T>(name: string, change: (value: T) => T): void {
  const file = resolve(import.meta.dirname, '..', name);
  writeFileSync(file, `${JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as T), null, 2)}\n`);
}

rewrite<Parameters<typeof withOptionSettings>[0]>('package.json', (manifest) =>
  withAgentTools(withOptionSettings(manifest)),
);
rewrite<Record<string, string>>('package.nls.json', (texts) =>
  withFamilyNames(withAgentToolTexts(withCriterionTexts(texts))),
);

const schema = resolve(import.meta.dirname, '../media/coppice-recipe.schema.json');
writeFileSync(
  schema,
  await format(JSON.stringify(recipeSchema()), { ...(await resolveConfig(schema)), filepath: schema }),
);
