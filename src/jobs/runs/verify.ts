/** Compares an exported model with the model that it was written from. Changes nothing. */
import { resolve } from 'node:path';
import { pairIn } from '../../engine/draft/pair-file';
import { UserError } from '../../engine/errors';
import { wholeBlocks } from '../../engine/importance/select';
import { openForComputing, type OpenedModel } from '../../engine/model/opened';
import { option } from '../../engine/option-token';
import { detailsOf } from '../../engine/records/details';
import { sourceOf } from '../../engine/records/source';
import { modelName, type RunRecord } from '../../engine/records/record';
import { findLlamaProgram } from '../../engine/verify/consumers/there';
import { openOutput, type Output } from '../../engine/verify/output';
import type { VerifiedResult, VerifyResult } from '../results/export';
import type { OptionsFor } from '../kinds';
import { type JobContext, modelOptions, type RunEnd, secondsSince, watchDevice } from '../run';
import { verifyPair } from './verify-pair';
import { changedFiles, consumersOf, verifyOutput } from './verify-written';

type Options = OptionsFor<'verify'>;

export async function runVerify(options: Options, context: JobContext): Promise<RunEnd<VerifyResult>> {
  const start = performance.now();
  const pair = await pairIn(resolve(options.output));
  if (pair) return verifyPair(pair, options, context);
  const output = await openOutput(options.output);
  const opened = await sourceFor(output, options, context);
  const removed = wholeBlocks(opened.removed);
  const { hooks, device } = watchDevice(context.hooks);
  const compute = modelOptions(options, { ...context, hooks });
  const verification = await verifyOutput(opened, output, compute, context.job);
  const files = await changedFiles(output, context.job, verification.hashes);
  const compared: VerifiedResult = verification.verified;
  const broken = files && files.changed.length > 0;
  const verified = {
    ...compared,
    ...(files && { files }),
    ...(broken &&
      compared.passed && { passed: false, why: `${files.changed.join(', ')} changed since it was written` }),
  };
  const consumers = options.consumers
    ? await consumersOf(output, verification, opened, options.consumersFrom, context.job)
    : [];
  if (options.consumers && output.format === 'gguf' && !findLlamaProgram(options.consumersFrom)) {
    context.note(
      'Neither llama-completion nor llama-cli is on the PATH, so the program of llama.cpp itself was not run.',
    );
  }
  const against = modelName(opened.checkpoint);
  const { path: out, format } = output;
  return {
    result: { format, out, against, removed, verified, consumers, seconds: secondsSince(start) },
    run: detailsOf(opened.checkpoint, options, {
      inputs: opened.inputs,
      settings: { format, removed },
      device: device(),
    }),
  };
}

/** The model that the output was written from, with what was left out of it and changed. @throws UserError */
async function sourceFor(output: Output, options: Options, { job }: JobContext): Promise<OpenedModel> {
  const { record } = output;
  const path = options.against ?? (await foundSource(output));
  if (record) requireChanges(record, options);
  const remove = options.remove ?? (record && removedIn(record));
  return openForComputing(path, { ...options, remove }, job);
}

async function foundSource({ path, beside, record }: Output): Promise<string> {
  const source = record && (await sourceOf(record, [...new Set([beside, process.cwd()])]));
  if (source?.checkpoint) return source.checkpoint.path;
  throw new UserError(
    `The model of ${path} is not known`,
    source ? `${source.name}, which its record names, is not beside it` : 'there is no record of the run that wrote it',
    `Name it with ${option('against', 'CHECKPOINT')}.`,
  );
}

const removedIn = ({ settings: { removed } }: RunRecord): (number | string)[] =>
  Array.isArray(removed) ? removed.filter((each) => typeof each === 'number' || typeof each === 'string') : [];

/** Roles of files that change a model, and the options that name them. */
const CHANGES = [
  ['width', 'width'],
  ['patch', 'heal'],
  ['adapter', 'adapter'],
] as const;

/** @throws UserError when the record names a file that is not given: the model would be another one */
function requireChanges({ inputs }: RunRecord, options: Options): void {
  for (const [role, name] of CHANGES) {
    const input = inputs.find((each) => each.role === role);
    if (!input || options[name] !== undefined) continue;
    const kind = name === 'adapter' ? 'DIR' : 'FILE';
    throw new UserError(
      `The model was written with ${input.name}`,
      `${option(name)} is not given, so the comparison would be with another model`,
      `Add ${option(name, kind)}.`,
    );
  }
}
