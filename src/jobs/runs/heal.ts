/** Heals a model after blocks were left out, and writes the new weights: a checkpoint, a patch, or both. */
import { askedWarning } from '../../engine/importance/text-fit';
import { foldersOf } from '../../engine/checkpoint/folders';
import { asStored } from '../../engine/checkpoint/width';
import { tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { withShare } from '../../format/text-share';
import { adapterDigest } from '../../engine/adapter/adapter';
import { UserError } from '../../engine/errors';
import { checkTarget } from '../../engine/files/target';
import { heal, type Others } from '../../engine/heal/heal';
import { requireHealable } from '../../engine/heal/healable';
import { HEAL_DEFAULTS } from '../../engine/heal/methods';
import type { Healed } from '../../engine/heal/result';
import { correctedKeys } from '../../engine/heal/sites';
import { choiceInputs, choiceSettings } from '../../engine/importance/choice';
import type { DeviceReport } from '../../engine/onnx/device';
import { type Model, openModel } from '../../engine/model/model';
import { openForComputing, type OpenedModel, withModel } from '../../engine/model/opened';
import { removedJson, stepsOf } from '../../engine/model/view';
import { option } from '../../engine/option-token';
import { inPhases, type JobOptions } from '../../engine/progress';
import { detailsOf, type RunDetails } from '../../engine/records/details';
import { healingRows, type HealingRows, SELF_TEXT } from '../../engine/retrain/data/healing-rows';
import { optionalTokenizer } from '../../engine/tokenizer/optional';
import { Overlay } from '../../engine/weights/overlay';
import { type PatchContents, PatchWriter } from '../../engine/weights/patch-writer';
import { readWide, type WeightSource } from '../../engine/weights/source';
import { type HealFacts, isPatchWritten, isWritten, writableBlocks, writeHealed } from '../../engine/write/healed';
import { companionsOf } from '../../engine/write/write-checkpoint';
import type { HealResult } from '../results/heal';
import { heal as definition } from '../definitions/heal';
import { checkFileTarget } from '../file-target';
import type { OptionsFor } from '../kinds';
import { type JobContext, modelOptions, recordedOptions, type RunEnd, secondsSince } from '../run';

type Options = OptionsFor<'heal'>;

/** What is different in a part of a healing. */
export interface HealPart {
  /** The first part writes the outputs of all. */
  readonly writes: boolean;
  /** False where an earlier attempt may have begun: then the outputs may be there. */
  readonly checks: boolean;
  /** The other processes, once the rows are known. */
  readonly meet: (opened: OpenedModel, rows: HealingRows) => Promise<Others>;
}

export const runHeal = (options: Options, context: JobContext): Promise<RunEnd<HealResult>> =>
  healAll(options, context);

/** @param part undefined in one process */
export async function healAll(options: Options, context: JobContext, part?: HealPart): Promise<RunEnd<HealResult>> {
  const start = performance.now();
  const opened = await openForComputing(options.checkpoint, options, context.job);
  requireHealable(opened.architecture, options.method);
  requireBlock(opened);
  if (part?.checks !== false) await checkOutputs(options, opened);
  const { checkpoint, view, changes } = opened;
  const compute = modelOptions(options, context);
  return withModel(checkpoint, { ...compute, changes }, async (model) => {
    const [reading, fitting] = inPhases(context.job, phasesOf(options));
    const isChanged = changes.length > 0 || checkpoint.narrowing !== undefined;
    const whole = isChanged ? await openModel(asStored(checkpoint), compute) : model;
    try {
      const rows = await textOf(options, whole, reading);
      rows.warnings.forEach(context.warn);
      const begun = await askedWarning(whole, rows.fit, rows.asked, context.job);
      if (begun !== undefined) context.warn(begun);
      const sink = await openSink(options, opened, rows, part !== undefined);
      try {
        const heldOut = rows.heldOut;
        const others = await part?.meet(opened, rows);
        const settings = { ...options, heldOut, target: whole, sink, others };
        const healed = await heal(model, view, rows.fit, settings, fitting);
        const given = part?.writes === false ? { ...options, out: undefined, patch: undefined } : options;
        const { device, weights } = model;
        const of = { options: given, asked: options, isApart: part !== undefined };
        return await finish({ ...of, opened, rows, sink, healed, device, weights }, start, context);
      } finally {
        await sink.discard();
      }
    } finally {
      if (whole !== model) await whole.close();
    }
  });
}

function requireBlock({ view }: OpenedModel): void {
  if (stepsOf(view).length > 0) return;
  throw new UserError(
    'There is nothing left to heal',
    'all blocks are left out',
    `Leave out fewer with ${option('remove')}.`,
  );
}

/** Refuses outputs that could not be written, before the work starts. */
async function checkOutputs(
  { checkpoint: path, out, patch }: Options,
  { checkpoint, removed }: OpenedModel,
): Promise<void> {
  if (out !== undefined) {
    writableBlocks(removed);
    await checkTarget(out, foldersOf(checkpoint));
  }
  if (patch !== undefined) await checkFileTarget('the new weights', patch, path);
}

/** The new weights go to their file, or to a temporary one beside the output; those of a part, to one of its own machine. */
function openSink(
  { out, patch, method }: Options,
  opened: OpenedModel,
  rows: HealingRows,
  isPart: boolean,
): Promise<PatchWriter> {
  const { checkpoint } = opened;
  const contents = contentsOf(method, opened, rows);
  if (isPart) return PatchWriter.temporary(checkpoint, contents);
  if (patch !== undefined) return PatchWriter.create(patch, checkpoint, contents);
  return PatchWriter.temporary(checkpoint, contents, out === undefined ? tmpdir() : dirname(resolve(out)));
}

function contentsOf(
  method: Options['method'],
  { checkpoint, architecture, view, removed, adapter }: OpenedModel,
  { inputs }: HealingRows,
): PatchContents {
  return {
    keys: correctedKeys(architecture, view, adapter !== undefined || checkpoint.narrowing !== undefined),
    removed: removedJson(removed),
    adapter: adapter && adapterDigest(adapter),
    method,
    texts: inputs.flatMap(({ name, sha256, share }) =>
      sha256 === undefined ? [] : [{ name, sha256, ...withShare(share) }],
    ),
    facts: {},
  };
}

/** The model writes text much more slowly than it reads. */
const phasesOf = ({ calibration, data = [SELF_TEXT] }: Options): { readonly share: number }[] => [
  { share: calibration === undefined && data.includes(SELF_TEXT) ? 2 : 0.05 },
  { share: 1 },
];

async function textOf(options: Options, author: Model, job: JobOptions): Promise<HealingRows> {
  const tokenizer = await optionalTokenizer(author.checkpoint.home, job);
  const { tokens, length } = HEAL_DEFAULTS;
  return healingRows(options, { author, tokenizer, defaults: { tokens, length } }, job);
}

/** Whether the healed model, as it is written, is nearer to the whole one on rows that were not fitted. */
function improves({ heldOut, steps }: Healed): boolean {
  if (steps.length === 0) return false;
  return heldOut === undefined || heldOut.rounded.kl < heldOut.before.kl;
}

/** How the blocks were chosen, for the record. Single modules are never suggested. */
function chosen({ choice }: Options, { removed }: OpenedModel): Readonly<Record<string, unknown>> {
  const blocks = removed.flatMap(({ block, part }) => (part === undefined ? [block] : []));
  return choice === undefined ? {} : choiceSettings(choice, blocks);
}

/** The main numbers, for people who look into a file of new weights. */
function measured({ heldOut, fit }: HealFacts): Readonly<Record<string, number>> {
  const { before, after } = heldOut ?? fit;
  return {
    'perplexity before': before.ppl,
    'perplexity after': after.ppl,
    'KL before': before.kl,
    'KL after': after.kl,
  };
}

interface Finished {
  readonly options: Options;
  readonly opened: OpenedModel;
  readonly rows: HealingRows;
  readonly sink: PatchWriter;
  readonly healed: Healed;
  readonly device: DeviceReport;
  /** Of the model that was healed. */
  readonly weights: WeightSource;
  /** As they were given; a part that writes nothing has fewer in `options`. */
  readonly asked: Options;
  /** Whether the new weights lie in the files of parts, and not in the sink alone. */
  readonly isApart: boolean;
}

const NO_GAIN =
  'healing does not bring this model nearer to the original on the rows held out, so the plain weights are kept; use more text, or another text';

/** Decides what is kept, writes it, and makes the result. */
async function finish(finished: Finished, start: number, context: JobContext): Promise<RunEnd<HealResult>> {
  const { asked: options, opened, rows, healed, device } = finished;
  const { method, ridge = null, step, stepCut } = options;
  const isBetter = improves(healed);
  if (!isBetter) context.warn(NO_GAIN);
  const facts: HealFacts = {
    method,
    ridge,
    step,
    stepCut,
    tokens: rows.fit.length * rows.text.length,
    fit: healed.fit!,
    heldOut: healed.heldOut ?? null,
    steps: healed.steps,
    weights: isBetter ? 'healed' : 'plain',
    texts: rows.inputs.map(({ name }) => name),
  };
  const removed = removedJson(opened.removed);
  const details = detailsOf(opened.checkpoint, options, {
    inputs: [...rows.inputs, ...opened.inputs, ...choiceInputs(options.choice)],
    settings: {
      ...recordedOptions(definition, options),
      ridge,
      removed,
      text: rows.text,
      tokens: facts.tokens,
      ...chosen(options, opened),
    },
    seed: options.seed,
    device,
  });
  const written = await write(finished, facts, details, context);
  const { texts: _, ...numbers } = facts;
  const times = { seconds: secondsSince(start), writingSeconds: rows.writingSeconds };
  return {
    result: {
      removed,
      ...numbers,
      text: rows.text,
      ...written,
      ...times,
      device: device.provider,
      precision: 'float32',
    },
    run: details,
  };
}

async function write(
  { options: { out, patch, choice, method }, opened, healed, rows, sink, weights, isApart }: Finished,
  facts: HealFacts,
  details: RunDetails,
  { job, started, note }: JobContext,
): Promise<Pick<HealResult, 'out' | 'patch' | 'leftBehind'>> {
  const { checkpoint, removed, adapter } = opened;
  const patches = facts.weights === 'healed' ? healed.patches : [];
  const model = { removed, patches, adapter };
  let folder: Pick<HealResult, 'out' | 'leftBehind'> = { out: null };
  if (out !== undefined && isApart && (await isWritten(checkpoint, model, out))) {
    folder = { out: resolve(out), leftBehind: (await companionsOf(checkpoint)).leftBehind };
  } else if (out !== undefined) {
    const provenance = { ...details, inputs: details.inputs.slice(1), started }; // the model is the first input
    const options = { ...job, facts, choice, provenance };
    const written = await writeHealed(checkpoint, model, out, options);
    for (const { name, why } of written.leftBehind) note(`${name} was not copied: ${why}`);
    folder = { out: written.out, leftBehind: written.leftBehind };
  }
  if (patch === undefined || patches.length === 0) return { ...folder, patch: null };
  if (isApart && (await isPatchWritten(checkpoint, model, patch))) return { ...folder, patch: resolve(patch) };
  const { tokens, ridge } = facts;
  const file = isApart ? await together(patch, opened, { weights, patches }, contentsOf(method, opened, rows)) : sink;
  try {
    return { ...folder, patch: await file.finish({ tokens, ridge, text: rows.text.name, ...measured(facts) }) };
  } finally {
    await file.discard();
  }
}

/** One file of the new weights that parts have found. */
async function together(
  path: string,
  { checkpoint }: OpenedModel,
  { weights, patches }: { readonly weights: WeightSource; readonly patches: Healed['patches'] },
  contents: PatchContents,
): Promise<PatchWriter> {
  const file = await PatchWriter.create(path, checkpoint, contents);
  const healed = new Overlay(weights, patches);
  for (const [key] of patches) await file.add(key, Float32Array.from(await readWide(healed, key)));
  return file;
}
