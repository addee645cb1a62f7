/** package.json and the code speak of the same commands, settings and texts. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  OPTION_SETTINGS,
  type SettingGroup,
  settingsByOption,
  settingsOf,
  withCriterionTexts,
  withOptionSettings,
} from '../../src/jobs/settings';
import { INSIDE } from '../../src/host/contributions';
import { COMMAND_TITLES, EDITOR_NAMING, settingTitle } from '../../src/host/option-names';
import { withAgentTools, withAgentToolTexts } from '../../src/agents/manifest';
import { OPTION_NAMES } from '../../src/engine/option-token';

interface Manifest {
  readonly name: string;
  readonly icon: string;
  readonly contributes: {
    readonly commands: readonly { readonly command?: string }[];
    readonly menus: Readonly<Record<string, readonly { readonly command: string }[]>>;
    readonly configuration: readonly SettingGroup[];
    readonly walkthroughs: readonly {
      readonly steps: readonly {
        readonly media: { readonly svg: string };
        readonly completionEvents: readonly string[];
      }[];
    }[];
  };
}

const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;
const sources = readdirSync(join(root, 'src'), { recursive: true })
  .map((file) => `src/${String(file)}`)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => read(file));
const inSources = (pattern: RegExp): Set<string> =>
  new Set(sources.flatMap((text) => [...text.matchAll(pattern)].map(([, found]) => found)));

describe('the manifest', () => {
  const { commands, menus, configuration, walkthroughs } = manifest.contributes;
  const properties = settingsOf(manifest);

  it('has a text for every key, and no text too many', () => {
    const used = new Set([...read('package.json').matchAll(/"%([\w.-]+)%"/g)].map(([, key]) => key));
    const texts = JSON.parse(read('package.nls.json')) as Record<string, string>;
    assert.deepEqual([...used].sort(), Object.keys(texts).sort());
  });

  it('lists the commands that the code registers', () => {
    const listed = commands.map(({ command }) => command).sort();
    assert.deepEqual(
      [...listed, ...INSIDE].sort(),
      [...inSources(/^\s*(?:readonly )?id: '(coppice\.\w+)',$/gm)].sort(),
    );
    const known = new Set(listed);
    for (const { command } of Object.values(menus).flat())
      if (command !== undefined) assert.ok(known.has(command), command);
  });

  it('describes every setting that the code reads, with a scope and a default', () => {
    for (const [key, { scope, default: fallback }] of Object.entries(properties)) {
      assert.ok(scope !== undefined && fallback !== undefined, key);
    }
    const read = inSources(/this\.(?:text|folder|count|oneOf|read(?:<unknown>)?)\('([\w.]+)'/g);
    assert.deepEqual([...read].map((key) => `coppice.${key}`).sort(), Object.keys(properties).sort());
  });

  it('has the settings in groups with titles, each in one of them', () => {
    const texts = JSON.parse(read('package.nls.json')) as Record<string, string>;
    const titles = configuration.map(({ title }) => texts[title.replaceAll('%', '')]);
    assert.deepEqual(titles, ['Scoring', 'Output', 'Cluster and Agents', 'Computing']);
    const grouped = configuration.flatMap((group) => Object.keys(group.properties));
    assert.equal(new Set(grouped).size, grouped.length);
    assert.deepEqual([grouped[0], grouped.length], ['coppice.criterion', Object.keys(properties).length]);
    assert.equal(grouped.at(-1), 'coppice.logLevel');
  });

  it('has the settings and titles of commands that errors name', () => {
    const settings = Object.keys(properties);
    const titles = settings.map(settingTitle);
    for (const name of OPTION_NAMES) {
      const [, title] = /“(Coppice[^”]*)”/.exec(EDITOR_NAMING.option(name)) ?? [];
      if (title !== undefined) assert.ok(titles.includes(title), `${name}: ${title}`);
    }
    assert.ok(OPTION_NAMES.some((name) => EDITOR_NAMING.option(name) === '“Coppice › Calibration: Samples”'));
    const texts = Object.values(JSON.parse(read('package.nls.json')) as Record<string, string>);
    for (const title of Object.values(COMMAND_TITLES)) assert.ok(texts.includes(title()), title());
  });

  it('says of the settings of options what the options say: run `npm run manifest`', () => {
    assert.deepEqual(withOptionSettings(manifest), manifest);
    const texts = JSON.parse(read('package.nls.json')) as Record<string, string>;
    assert.deepEqual(withCriterionTexts(texts), texts);
    assert.deepEqual([...new Set(settingsByOption().values())].sort(), Object.keys(OPTION_SETTINGS).sort());
    for (const key of Object.keys(OPTION_SETTINGS)) assert.ok(key in properties, key);
  });

  it('offers the tools of agents as they are: run `npm run manifest`', () => {
    assert.deepEqual(withAgentTools(manifest), manifest);
    const texts = JSON.parse(read('package.nls.json')) as Record<string, string>;
    assert.deepEqual(withAgentToolTexts(texts), texts);
  });

  it('has a picture for every step of the tour, and the code completes each', () => {
    const keys = inSources(/'(coppice\.did\.\w+)'/g);
    const ours = new Set(commands.map(({ command }) => command));
    const isCommand = (id: string): boolean => ours.has(id) || id.startsWith('workbench.');
    for (const { media, completionEvents } of walkthroughs.flatMap(({ steps }) => steps)) {
      assert.ok(existsSync(join(root, media.svg)), media.svg);
      for (const event of completionEvents) {
        const [kind, name] = event.split(':');
        assert.ok(kind === 'onCommand' ? isCommand(name) : kind === 'onContext' && keys.has(name), event);
      }
    }
    const texts = Object.values(JSON.parse(read('package.nls.json')) as Record<string, string>);
    const links = texts.flatMap((text) => [...text.matchAll(/\(command:([\w.]+)\)/g)].map(([, id]) => id));
    assert.ok(links.includes('coppice.exportModel'));
    for (const id of links) assert.ok(isCommand(id), id);
    assert.ok(existsSync(join(root, manifest.icon)));
  });
});
