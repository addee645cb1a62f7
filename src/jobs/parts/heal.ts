/**
 * Healing in parts: each takes its rows through the blocks, and all meet after each site (engine/heal/shared.ts). At the end all
 * know the whole result; the first part writes the model.
 */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { version } from '../../../package.json';
import { isObject, type JsonObject, objectIn, stringifyJson } from '../../format/json';
import { UserError } from '../../engine/errors';
import type { Others } from '../../engine/heal/heal';
import { SharedAgreement } from '../../engine/heal/shared';
import { namesIn } from '../../engine/files/names';
import { writeOnce } from '../../engine/files/once';
import { readSmallFile } from '../../engine/files/regular-file';
import type { OpenedModel } from '../../engine/model/opened';
import { removedJson } from '../../engine/model/view';
import { onnxruntimeVersion } from '../../engine/onnx/session';
import { option } from '../../engine/option-token';
import { type Part, partText } from '../../engine/parts/part';
import { TableFault } from '../../engine/parts/table';
import { modelInput } from '../../engine/records/record';
import type { HealingRows } from '../../engine/retrain/data/healing-rows';
import type { OptionsFor } from '../kinds';
import type { HealResult } from '../results/heal';
import { healAll } from '../runs/heal';
import type { CutJob } from './cut';
import { healFault } from './faults';

/** What all parts know of the result. */
type Known = Omit<HealResult, 'out' | 'patch' | 'leftBehind' | 'seconds' | 'writingSeconds' | 'device' | 'precision'>;
/** What the first part wrote. */
type Wrote = Pick<HealResult, 'out' | 'patch' | 'leftBehind'>;

/** The file that says whose state a folder has. */
const OWNER = 'healing.json';
const MOST_OWNER_BYTES = 2 ** 20;

export const cutHeal: CutJob<'heal'> = {
  fault: healFault,
  measure: async (options, context, part, shared) => {
    if (shared === undefined) throw noFolder(part);
    const { folder, look, rest } = shared;
    const hasBegun = (await namesIn(folder)).includes(OWNER);
    const { signal } = context.job;
    const meet = async (opened: OpenedModel, rows: HealingRows): Promise<Others> => {
      const digest = await own(folder, ownerOf(options, opened, rows, part));
      const meeting = { folder, digest, part, checkpoint: opened.checkpoint, look, rest, signal };
      return { part, meet: (runs, sink, work) => new SharedAgreement(meeting, runs, sink, work) };
    };
    const isFirst = part.number === 1;
    const { result, run } = await healAll(options, context, { writes: isFirst, checks: !hasBegun, meet });
    const { out, patch, leftBehind, seconds: _, writingSeconds: __, device: ___, precision: ____, ...known } = result;
    const wrote: Wrote = { out, ...(leftBehind && { leftBehind }), patch };
    return {
      work: `its rows of ${result.text.rows}`,
      frame: known satisfies Known,
      data: isFirst ? wrote : null,
      path: options.checkpoint,
      run,
      ...(isFirst && { after: () => removeWeights(folder) }),
    };
  },
  finish: ({ frame, data: [wrote], seconds, device, precision }) => {
    if (!isObject(wrote)) throw new TableFault('the first part does not say what it wrote');
    const result = { ...(frame as Known), ...(wrote as Wrote), seconds, writingSeconds: 0 };
    const where = { device: device?.provider ?? 'cpu', precision: precision ?? 'float32' };
    return { result: { ...result, ...where } as HealResult, warnings: [] };
  },
};

const noFolder = (part: Part): UserError =>
  new UserError(
    `${option('part', partText(part))} of a healing needs a folder`,
    'its parts meet in a folder that all of them see',
    'Name the same folder for all parts.',
  );

/** What makes a healing another one. */
function ownerOf(
  { method, ridge, step, stepCut }: OptionsFor<'heal'>,
  { checkpoint, removed, inputs }: OpenedModel,
  { fit, heldOut }: HealingRows,
  { of }: Part,
): JsonObject {
  const idsOf = (rows: HealingRows['fit']): string =>
    createHash('sha256')
      .update(JSON.stringify(rows.map((row) => Array.from(row))))
      .digest('hex');
  return {
    schema: 1,
    versions: [version, onnxruntimeVersion()],
    model: [modelInput(checkpoint), ...inputs].map(({ identity, sha256 }) => identity ?? sha256),
    removed: removedJson(removed),
    rows: idsOf(fit),
    'rows held out': idsOf(heldOut),
    settings: { method, ridge: ridge ?? null, step, stepCut },
    parts: of,
  };
}

/**
 * The digest of a healing, whose folder this is from now on.
 * @throws UserError if it is that of another one
 */
async function own(folder: string, owner: JsonObject): Promise<string> {
  const file = join(folder, OWNER);
  await writeOnce(file, (output) => output.handle.writeFile(`${stringifyJson(owner, 2)}\n`));
  const found = objectIn((await readSmallFile(file, MOST_OWNER_BYTES)).toString('utf8'));
  const mine = objectIn(stringifyJson(owner));
  if (!isDeepStrictEqual(found, mine)) {
    const other = isObject(found)
      ? Object.keys(owner).find((name) => !isDeepStrictEqual(found[name], mine?.[name]))
      : undefined;
    throw new UserError(
      `${folder} has the state of another healing`,
      other === undefined ? `${OWNER} in it is damaged` : `they differ in: ${other}`,
      'Start all parts with the same options, or name another folder.',
    );
  }
  return createHash('sha256').update(stringifyJson(owner)).digest('hex');
}

/** The published weights, and sums that came too late, are of no more use; what parts said is small, and stays. */
async function removeWeights(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (name.endsWith('.safetensors')) await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}
