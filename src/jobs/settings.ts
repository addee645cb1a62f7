/** The VS Code settings with defaults for options, in the form of package.json. Pure. */
import { citedHelp, CRITERION_LIST } from '../engine/importance/criteria';
import { DEFAULT_DRAWING } from '../engine/importance/drawing';
import { QUANTIZED_LIMIT } from '../engine/precision';
import { JOBS } from './definitions';
import type { AnyJob } from './define';
import type { Option } from './option';
import { calibration } from './options/calibration';
import { compute } from './options/compute';
import { criterionOrPpl, objective } from './options/criterion';
import { keep } from './options/keep';
import { textPrecision } from './options/precision';
import { type JsonSchema, typeOf } from './schema';

/** The value 0 of the setting means no option. */
const UNSET = { minimum: 0, default: 0 };

/** Type, values, range and default of each setting by its key. */
export const OPTION_SETTINGS: Readonly<Record<string, JsonSchema>> = {
  'coppice.device': settingOf(compute.device),
  'coppice.threads': settingOf(compute.threads, { ...UNSET, maximum: 1024 }),
  'coppice.memoryLimit': settingOf(compute.memory, UNSET), // in MiB
  'coppice.textPrecision': settingOf(textPrecision),
  'coppice.quantized.folder': settingOf(compute.quantizedFolder, { default: '' }),
  'coppice.quantized.limit': settingOf(compute.quantizedLimit, { minimum: 0, default: QUANTIZED_LIMIT / 2 ** 20 }), // in MiB
  'coppice.criterion': settingOf(criterionOrPpl),
  'coppice.objective': settingOf(objective, { default: 'ppl' }),
  'coppice.calibration.file': settingOf(calibration.calibration, { default: '' }),
  'coppice.calibration.samples': settingOf(calibration.samples, { default: DEFAULT_DRAWING.samples }),
  'coppice.calibration.length': settingOf(calibration.length, { minimum: 2, default: DEFAULT_DRAWING.length }),
  'coppice.calibration.seed': settingOf(calibration.seed),
  'coppice.keepFirstAndLast': settingOf(keep.keepEnds),
  'coppice.keep': { type: 'string', default: '' }, // a list in the form of the command line
};

/** @param own fields in which the setting differs from the option */
function settingOf({ kind, default: usual }: Option, own: JsonSchema = {}): JsonSchema {
  return { ...typeOf(kind), ...(usual !== undefined && { default: usual }), ...own };
}

/** The setting of each option that has one, by the name that messages have for the option. */
export function settingsByOption(): ReadonlyMap<string, string> {
  const jobs: readonly AnyJob[] = Object.values(JOBS);
  return new Map(
    jobs.flatMap(({ options }) =>
      Object.entries(options).flatMap(([name, { setting, token = name }]): [string, string][] =>
        setting === undefined ? [] : [[token, setting]],
      ),
    ),
  );
}

/** The groups of the settings in VS Code's editor, each with its settings in their order. */
const SETTING_GROUPS: Readonly<Record<string, readonly string[]>> = {
  scoring: [
    ...['criterion', 'objective', 'application.path', 'calibration.file', 'calibration.samples'],
    ...['calibration.length', 'calibration.seed', 'keepFirstAndLast', 'keep'],
  ],
  output: ['outputFolder', 'runsFolder', 'discovery.exclude'],
  other: ['cluster', 'mcpServer'],
  compute: [
    ...['device', 'threads', 'memoryLimit', 'textPrecision', 'quantized.folder', 'quantized.limit'],
    ...['computeProcess.idleMinutes', 'logLevel'],
  ],
};

/** A group of settings in package.json. */
export interface SettingGroup {
  readonly title: string;
  readonly properties: Readonly<Record<string, JsonSchema>>;
}

interface Manifest {
  readonly contributes: { readonly configuration: readonly SettingGroup[] };
}

/** All settings of package.json by their keys. */
export const settingsOf = ({ contributes }: Manifest): SettingGroup['properties'] =>
  Object.assign({}, ...contributes.configuration.map(({ properties }) => properties)) as SettingGroup['properties'];

/** package.json with the settings derived from the options. Everything else remains unchanged. */
export function withOptionSettings<M extends Manifest>(manifest: M): M {
  const all = settingsOf(manifest);
  const written = (name: string): [string, JsonSchema] => {
    const key = `coppice.${name}`;
    const property = all[key];
    const { enum: values } = OPTION_SETTINGS[key] ?? {};
    const texts = Array.isArray(values)
      ? {
          enumItemLabels: values.map((value) => `%setting.${name}.${String(value)}.label%`),
          enumDescriptions: values.map((value) => `%setting.${name}.${String(value)}%`),
        }
      : {};
    return [key, { ...property, ...OPTION_SETTINGS[key], ...texts }];
  };
  const configuration = Object.entries(SETTING_GROUPS).map(([group, names], order) => ({
    title: `%settings.${group}%`,
    order,
    properties: Object.fromEntries(
      names.map(written).map(([key, property], at) => [key, { ...property, order: at + 1 }]),
    ),
  }));
  return { ...manifest, contributes: { ...manifest.contributes, configuration } };
}

const CRITERION_TEXT = 'setting.criterion.';

/** The texts of package.nls.json with the texts of the criteria. All others remain unchanged. */
export function withCriterionTexts(texts: Readonly<Record<string, string>>): Record<string, string> {
  const own = CRITERION_LIST.flatMap(({ name, title, ...criterion }) => [
    [`${CRITERION_TEXT}${name}.label`, title],
    [`${CRITERION_TEXT}${name}`, `${citedHelp(criterion)}.`],
  ]);
  const entries = Object.entries(texts);
  const at = entries.findIndex(([key]) => key.startsWith(CRITERION_TEXT));
  const others = entries.filter(([key]) => !key.startsWith(CRITERION_TEXT));
  return Object.fromEntries([...others.slice(0, at), ...own, ...others.slice(at)]) as Record<string, string>;
}
