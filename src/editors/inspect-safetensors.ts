/** Describes a safetensors file or an index for the editor: the checkpoint, or the readable part of a damaged one. */
import { basename, dirname, resolve } from 'node:path';
import { openCheckpoint } from '../engine/checkpoint/open';
import { filesBytes } from '../engine/checkpoint/file-bytes';
import { elements } from '../engine/checkpoint/parameters';
import { type Salvaged, salvageCheckpoint } from '../engine/checkpoint/salvage';
import { summarize } from '../engine/checkpoint/summary';
import type { Checkpoint } from '../engine/checkpoint/types';
import type { Shard } from '../engine/formats/safetensors/file';
import type { TensorInfo } from '../engine/formats/tensor';
import { tensorPlace } from '../engine/formats/tensor-place';
import { UserError } from '../engine/errors';
import { l10n } from '../l10n';
import type { Property, ShardDescription, TensorRow } from '../protocol/editor';
import { actionsOf, cut, factsOf, jsonProperties, textProperty } from './facts';
import type { Inspection } from './inspection';
import { noteOf, problemOf } from './problems';
import { sizeStripOf } from './size-strip';

export async function inspectSafetensors(path: string): Promise<Inspection> {
  let checkpoint: Checkpoint;
  try {
    checkpoint = await openCheckpoint(path);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return inspectDamaged(path, await salvageCheckpoint(path, error));
  }
  const inspection = inspect(checkpoint, [...checkpoint.tensors.values()]);
  const problems = checkpoint.notes.map(noteOf);
  return { ...inspection, description: { ...inspection.description, problems, problemCount: problems.length } };
}

/** Describes a damaged file by its readable entries. */
function inspectDamaged(path: string, salvaged: Salvaged): Inspection {
  const { config, shards, tensors, problems, found } = salvaged;
  const checkpoint: Checkpoint = {
    path: resolve(path),
    folder: dirname(resolve(path)),
    home: dirname(resolve(path)),
    format: path.endsWith('.json') ? 'safetensors-sharded' : 'safetensors',
    ...(config && { config }),
    unsupported: { why: l10n.t('it is damaged or incomplete'), action: l10n.t('See the problems above.') },
    shards,
    files: [],
    size: filesBytes(shards),
    tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    identity: '',
    notes: [],
  };
  const inspection = inspect(checkpoint, tensors);
  return {
    ...inspection,
    description: {
      ...inspection.description,
      actions: { ...inspection.description.actions, isDamaged: true },
      problems: problems.map(problemOf),
      problemCount: found,
      noStatistics: l10n.t('Statistics are not available for a damaged file.'),
    },
  };
}

function inspect(checkpoint: Checkpoint, tensors: readonly TensorInfo[]): Inspection {
  const names = new Map(checkpoint.shards.map(({ file, name }) => [file, name]));
  const rows = tensors.map((tensor): TensorRow => {
    const { name, dtype, shape, bytes } = tensor;
    const { file, firstByte } = tensorPlace(tensor);
    const shard = names.get(file) ?? basename(file);
    return { name, dtype, shape, elements: elements(shape), bytes, offset: firstByte, file: shard };
  });
  const summary = summarize(checkpoint);
  return {
    description: {
      name: basename(checkpoint.path),
      format:
        checkpoint.format === 'safetensors'
          ? 'safetensors'
          : l10n.t('safetensors, {0} files', checkpoint.shards.length),
      facts: factsOf(summary),
      actions: actionsOf(summary),
      problems: [],
      problemCount: 0,
      // A vision tower's blocks are not the model's.
      strip: sizeStripOf(rows.filter(({ name }) => !checkpoint.others?.has(name))),
      config: checkpoint.config ? jsonProperties(checkpoint.config) : [],
      metadata: metadataOf(checkpoint.shards),
      shards: shardsOf(checkpoint.shards, rows),
      tensors: rows.length,
    },
    rows,
  };
}

/** Metadata of all shards. An entry that several shards have is listed once. */
function metadataOf(shards: readonly Shard[]): Property[] {
  const seen = new Map<string, { readonly name: string; readonly value: string; shards: number }>();
  for (const { metadata } of shards) {
    for (const [name, value] of Object.entries(metadata)) {
      const key = JSON.stringify([name, value]);
      const known = seen.get(key);
      if (known) known.shards++;
      else seen.set(key, { name, value, shards: 1 });
    }
  }
  return cut(
    [...seen.values()].map(({ name, value, shards: count }) => {
      return textProperty(
        name,
        value,
        count < shards.length ? l10n.t('in {0} of {1} files', count, shards.length) : undefined,
      );
    }),
  );
}

function shardsOf(shards: readonly Shard[], rows: readonly TensorRow[]): ShardDescription[] {
  const counts = new Map<string, number>();
  for (const { file } of rows) counts.set(file, (counts.get(file) ?? 0) + 1);
  return shards.map(({ name, bytes }) => ({ name, bytes, tensors: counts.get(name) ?? 0 }));
}
