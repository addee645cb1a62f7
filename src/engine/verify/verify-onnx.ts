/** Compares the models of an exported ONNX folder, each run by onnxruntime as its file is, with the view. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors';
import type { ModelOptions } from '../model/model';
import type { OpenedModel } from '../model/opened';
import { inPhases, type JobOptions } from '../progress';
import { HALF_END } from '../write/onnx/float-weights';
import { ONNX_FILES, ONNX_FOLDER, ONNX_KINDS, type OnnxKind } from '../write/onnx/kinds';
import { positionsOf } from '../write/onnx/positions';
import { compareLogits, compareTokens } from './compare';
import { largestInHalf } from './half-range';
import { openOnnxReader, type OnnxReader } from './onnx-reader';
import type { VerificationRows } from './rows';
import { faultOfFile, unusable } from './unusable';
import { type Verified, verdictOf } from './verdict';
import { rowsFor, type Said, saidBy, saidBySource, type Verification } from './verify';

/** The verdict on one kind. */
export interface VerifiedKind extends Verified {
  readonly kind: OnnxKind;
}

/** The worst of all kinds, and each. */
export interface VerifiedOnnx extends Verified {
  readonly kinds: readonly VerifiedKind[];
}

export const onnxFile = (folder: string, kind: OnnxKind): string => join(folder, ONNX_FOLDER, ONNX_FILES[kind]);

/** The kinds that a folder has. @throws UserError if it has none */
export async function kindsIn(folder: string): Promise<OnnxKind[]> {
  const found: OnnxKind[] = [];
  for (const kind of ONNX_KINDS) {
    const isThere = await access(onnxFile(folder, kind)).then(
      () => true,
      () => false,
    );
    if (isThere) found.push(kind);
  }
  if (found.length > 0) return found;
  const names = ONNX_KINDS.map((kind) => ONNX_FILES[kind]).join(', ');
  throw new UserError(`${folder} has no models`, `none of ${names} is in its folder ${ONNX_FOLDER}`, 'Check the path.');
}

/** @throws UserError when a file cannot be read; CancelledError */
export async function verifyOnnx(
  source: OpenedModel,
  folder: string,
  compute: ModelOptions,
  job: JobOptions,
): Promise<Verification & { readonly verified: VerifiedOnnx }> {
  const kinds = await kindsIn(folder);
  const [reading, ...running] = inPhases(job, [{ share: 1 }, ...kinds.map(() => ({ share: 1 }))]);
  const rows = await rowsFor(source, job, positionsOf(source.architecture));
  const expected = await saidBySource(source, rows, compute, reading);
  const verified: VerifiedKind[] = [];
  const said: { of: OnnxKind; said: Said }[] = [];
  for (const [i, kind] of kinds.entries()) {
    const most = kind === 'fp16' ? await largestInHalf(source, folder, rows.rows, compute, job) : undefined;
    const overflows = most !== undefined && most >= HALF_END;
    const exact = kind === 'fp32';
    const found = await saidByFile(folder, kind, rows, compute, running[i]);
    if (typeof found === 'string') {
      verified.push({ kind, ...unusable(found, exact) });
      continue;
    }
    const measured = {
      logits: compareLogits(expected.logits, found.logits),
      greedy: compareTokens(expected.greedy, found.greedy),
      margins: expected.margins,
      exact,
      overflows,
    };
    verified.push({ kind, ...verdictOf(measured) });
    said.push({ of: kind, said: found });
  }
  return { verified: { ...worstOf(verified), kinds: verified }, rows, said };
}

/** What a file says, or in a sentence why it says nothing. @throws UserError, CancelledError */
async function saidByFile(
  folder: string,
  kind: OnnxKind,
  rows: VerificationRows,
  { threads }: ModelOptions,
  job: JobOptions,
): Promise<Said | string> {
  const file = onnxFile(folder, kind);
  let reader: OnnxReader | undefined;
  try {
    reader = await openOnnxReader(file, kind, threads);
    return await saidBy(reader, rows, job);
  } catch (error) {
    const fault = faultOfFile(error);
    if (fault === undefined) throw error;
    return `${file} cannot be ${reader ? 'run' : 'opened'}: ${fault}`;
  } finally {
    await reader?.close();
  }
}

/** The kind that is furthest from the source; one that failed before all others. */
function worstOf(kinds: readonly VerifiedKind[]): Verified {
  const [{ kind, why, ...worst }] = [...kinds].sort(
    (a, b) => Number(a.passed) - Number(b.passed) || b.relative - a.relative,
  );
  return { ...worst, ...(why !== undefined && { why: `${kind}: ${why}` }) };
}
