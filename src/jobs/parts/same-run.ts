/** Whether parts are of one run: its identity, which all its parts agree in, and words for where they do not. */
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../engine/errors';
import { option, OPTION_NAMES, type OptionName } from '../../engine/option-token';
import { partText } from '../../engine/parts/part';
import type { RunInput } from '../../engine/records/record';
import { isObject } from '../../format/json';
import type { AnyJob } from '../define';
import { JOBS } from '../definitions';
import { isOfMachine } from '../option';
import type { CutKind, PartRecord } from './part-record';

/** Where two parts differ. */
interface Difference {
  /** After "they differ in". */
  readonly where: string;
  /** What the first and the other one have; absent where that says nothing to a reader. */
  readonly values?: readonly [first: unknown, other: unknown];
  /** What to do; running the part again with the same options if it is undefined. */
  readonly action?: string;
}

/**
 * @param first any part of the run
 * @throws UserError when `other` is a part of another run, with the first thing that differs
 */
export function requireSameRun(first: PartRecord, other: PartRecord): void {
  const found = differenceOf(first, other);
  if (!found) return;
  const [one, two] = (found.values ?? []).map(shortText);
  const again = option('part', partText(other.results.part));
  throw new UserError(
    `${other.file} is not a part of the same run as ${first.file}`,
    `they differ in ${found.where}${one === two ? '' : `: ${two} instead of ${one}`}`,
    found.action ?? `Gather the parts of one run, or run ${again} again with the same options.`,
  );
}

function differenceOf(first: PartRecord, other: PartRecord): Difference | undefined {
  const [a, b] = [first, other].map(({ record, results }) => ({ ...record, ...results }));
  const one = 'Run all parts with the same version.';
  const cuts = 'Give the parts of one run: all have the same n in i/n.';
  return (
    differing('the job', a.part.job, b.part.job) ??
    differing('the number of parts', a.part.of, b.part.of, cuts) ??
    differing('the version of Coppice', a.versions.coppice, b.versions.coppice, one) ??
    differing('the version of onnxruntime', a.versions.onnxruntime, b.versions.onnxruntime, one) ??
    inputDifference(a.inputs, b.inputs) ??
    settingDifference(a.part.job, a.settings, b.settings) ??
    differing('the seed', a.seed, b.seed) ??
    differing(option('precision'), a.precision, b.precision) ??
    differing(option('device'), providerOf(a.device), providerOf(b.device)) ??
    frameDifference(a.frame, b.frame)
  );
}

const differing = (where: string, first: unknown, other: unknown, action?: string): Difference | undefined =>
  isDeepStrictEqual(first, other) ? undefined : { where, values: [first, other], action };

const providerOf = (device: unknown): unknown => (isObject(device) ? device.provider : device);

function inputDifference(first: readonly RunInput[], other: readonly RunInput[]): Difference | undefined {
  for (const [i, a] of first.entries()) {
    const b = other.at(i);
    if (a.role !== b?.role) break;
    const isSame = (a.identity ?? a.sha256) === (b.identity ?? b.sha256);
    if (a.name !== b.name) return { where: a.role, values: [a.name, b.name] };
    if (!isSame) return { where: `the contents of ${a.role} (${a.name})` };
  }
  const [a, b] = [first, other].map((inputs) => inputs.map(({ role }) => role).join(', '));
  return differing('what they read', a, b);
}

function settingDifference(job: CutKind, first: object, other: object): Difference | undefined {
  const { options }: AnyJob = JOBS[job];
  const ofRun = (settings: object): object =>
    Object.fromEntries(Object.entries(settings).filter(([name]) => !isOfMachine(options[name])));
  const leaf = differingLeaf(ofRun(first), ofRun(other));
  if (!leaf) return undefined;
  const { path, values } = leaf;
  const named = [path.at(-1), path[0]].map((name) => optionOf(job, name)).find((name) => name !== undefined);
  return { where: named === undefined ? `the setting ${path.join('.')}` : option(named), values };
}

/** Settings whose options have other names. */
const OPTIONS: Readonly<Partial<Record<string, OptionName>>> = { removed: 'remove' };

function optionOf(job: CutKind, setting = ''): OptionName | undefined {
  const { options }: AnyJob = JOBS[job];
  const name = OPTIONS[setting] ?? setting;
  return Object.hasOwn(options, name) ? OPTION_NAMES.find((each) => each === name) : undefined;
}

function frameDifference(first: unknown, other: unknown): Difference | undefined {
  const leaf = differingLeaf(first, other);
  return leaf && { where: `what their numbers mean (${['frame', ...leaf.path].join('.')})`, values: leaf.values };
}

interface Leaf {
  readonly path: readonly string[];
  readonly values: readonly [first: unknown, other: unknown];
}

/** The first value in which two objects differ, at any depth; their fields in the order of names. */
function differingLeaf(first: unknown, other: unknown): Leaf | undefined {
  if (isDeepStrictEqual(first, other)) return undefined;
  if (!isObject(first) || !isObject(other)) return { path: [], values: [first, other] };
  for (const name of [...new Set([...Object.keys(first), ...Object.keys(other)])].sort()) {
    const [a, b] = [first, other].map((of) => (Object.hasOwn(of, name) ? of[name] : undefined));
    const leaf = differingLeaf(a, b);
    if (leaf) return { path: [name, ...leaf.path], values: leaf.values };
  }
  return { path: [], values: [first, other] };
}

const shortText = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return text.length > 60 ? `${text.slice(0, 20)}…` : text;
};
