/** Pages of the editor: settings and commands, from package.json and its texts. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type SettingGroup, settingsOf } from '../../src/jobs/settings';
import { code, list, type Page, page, section, table, valueText } from './page';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string): unknown => JSON.parse(readFileSync(resolve(root, file), 'utf8'));

interface MenuItem {
  readonly command?: string;
  readonly submenu?: string;
  readonly when?: string;
}

interface Key {
  readonly key: string;
  readonly mac?: string;
  readonly command: string;
  readonly when?: string;
}

interface Manifest {
  readonly engines: { readonly vscode: string };
  readonly contributes: {
    readonly configuration: readonly SettingGroup[];
    readonly commands: readonly { readonly command: string; readonly title: string }[];
    readonly keybindings: readonly Key[];
    readonly menus: Readonly<Record<string, readonly MenuItem[]>>;
    readonly submenus?: readonly { readonly id: string; readonly label: string }[];
    readonly views: Readonly<Record<string, readonly { readonly id: string; readonly name: string }[]>>;
  };
}

const manifest = read('package.json') as Manifest;
const texts = read('package.nls.json') as Readonly<Record<string, string>>;
const { configuration, commands, keybindings, menus, submenus = [], views } = manifest.contributes;

/** "%command.heal%" → "Heal…" */
const shown = (text: string): string => text.replace(/^%(.*)%$/, (_, key: string) => texts[key] ?? key);

/** Links of settings and commands work in the editor alone. */
const markdown = (text: string): string =>
  shown(text)
    .replaceAll(/`#([\w.]+)#`/g, '`$1`')
    .replaceAll(/\[([^\]]+)\]\(command:[^)]*\)/g, '_$1_');

interface Property {
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly enumItemLabels?: readonly string[];
  readonly enumDescriptions?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly scope?: string;
  readonly markdownDescription?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Property>>;
}

const SCOPES: Readonly<Record<string, string>> = {
  application: 'user',
  machine: 'user and remote',
  'machine-overridable': 'user, remote, workspace',
  window: 'user, workspace',
  resource: 'user, workspace, folder',
};

function settingSection(key: string, property: Property): string {
  const { enum: values, enumItemLabels: labels = [], enumDescriptions: about = [] } = property;
  const range = [
    ...(property.minimum === undefined ? [] : [`at least ${property.minimum}`]),
    ...(property.maximum === undefined ? [] : [`at most ${property.maximum}`]),
  ];
  const facts = [
    `Type: ${[property.type].flat().join(' or ')}${range.length === 0 ? '' : `, ${range.join(', ')}`}.`,
    `Default: ${valueText(property.default) || 'empty'}.`,
    ...(property.scope === undefined ? [] : [`Settings of: ${SCOPES[property.scope] ?? property.scope}.`]),
  ];
  return [
    `### ${key}`,
    markdown(property.markdownDescription ?? property.description ?? ''),
    facts.join(' '),
    table(
      ['Value', 'In the list', 'Meaning'],
      (values ?? []).map((value, at) => [code(value), shown(labels[at] ?? ''), markdown(about[at] ?? '')]),
    ),
    table(
      ['Field', 'Meaning', 'Default'],
      Object.entries(property.properties ?? {}).map(([name, field]) => [
        code(name),
        markdown(field.markdownDescription ?? field.description ?? ''),
        valueText(field.default),
      ]),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

const settingsPage = (): Page =>
  page(
    'settings.md',
    'Settings of VS Code',
    `The ${Object.keys(settingsOf(manifest)).length} settings of the extension, in the groups that the editor shows. They are the defaults of ` +
      'what commands ask. The command line does not read them.',
    ...configuration.map(({ title, properties }) =>
      section(shown(title), ...Object.entries(properties).map(([key, property]) => settingSection(key, property))),
    ),
    section('See also', list(['[Coppice in VS Code](../guide/vscode.md), [commands](commands.md).'])),
  );

const viewNames = new Map(
  Object.values(views)
    .flat()
    .map(({ id, name }) => [id, shown(name)]),
);

/** Where a menu is: "context menu of Models". */
function placesOf(menu: string, { when = '' }: MenuItem): string[] {
  const names = [...when.matchAll(/view == ([\w.]+)/g)].flatMap(([, id]) => viewNames.get(id) ?? []);
  const of = names.length === 0 ? '' : ` of _${names[0]}_`;
  const submenu = submenus.find(({ id }) => id === menu);
  if (submenu !== undefined) {
    const isOf = (parent: string): boolean => menus[parent].some((item) => item.submenu === menu);
    return [`${isOf('explorer/context') ? 'Explorer' : `context menu${of}`}, _${shown(submenu.label)}_`];
  }
  switch (menu) {
    case 'view/title':
      return [`title${of}`];
    case 'view/item/context':
      return [`context menu${of}`];
    case 'explorer/context':
      return ['Explorer'];
    case 'editor/title':
      return ['title of an editor'];
    default:
      return [];
  }
}

function commandRow({ command, title }: (typeof commands)[number]): string[] {
  const palette = menus.commandPalette.find((item) => item.command === command);
  const places = Object.entries(menus).flatMap(([menu, items]) =>
    items.filter((item) => item.command === command).flatMap((item) => placesOf(menu, item)),
  );
  return [
    `_${shown(title)}_`,
    code(command),
    palette === undefined ? 'always' : palette.when === 'false' ? '' : 'where it applies',
    [...new Set(places)].join('; '),
  ];
}

const keyName = (key: string): string =>
  key
    .split('+')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('+');

function keyRow({ key, mac, command, when = '' }: Key): string[] {
  const title = commands.find((each) => each.command === command)?.title ?? command;
  const view = /focusedView == ([\w.]+)/.exec(when)?.[1] ?? '';
  return [
    code(keyName(key)),
    mac === undefined ? '' : code(keyName(mac)),
    `_${shown(title)}_`,
    viewNames.get(view) ?? '',
  ];
}

const commandsPage = (): Page =>
  page(
    'commands.md',
    'Commands of VS Code',
    'Every command of the extension. In the Command Palette their names begin with _Coppice:_.',
    section('Keys', table(['Key', 'On a Mac', 'Command', 'In the view'], keybindings.map(keyRow))),
    section(
      'Commands',
      table(
        ['Command', 'Name for key bindings', 'In the Command Palette', 'In menus'],
        commands.toSorted((a, b) => (shown(a.title) < shown(b.title) ? -1 : 1)).map(commandRow),
      ),
    ),
    section('See also', list(['[Coppice in VS Code](../guide/vscode.md), [settings](settings.md).'])),
  );

export const editorPages = (): Page[] => [settingsPage(), commandsPage()];
