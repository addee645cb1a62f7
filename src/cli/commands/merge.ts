/** `coppice merge`: writes a checkpoint with a LoRA adapter in its weights. */
import { type Command, Option } from 'commander';
import type { WeightDtype } from '../../engine/formats/dtype';
import { openCheckpoint } from '../../engine/checkpoint/open';
import { counted } from '../../engine/counted';
import { adapterInput, readAdapter } from '../../engine/adapter/files';
import { mergeAdapter } from '../../engine/write/merge';
import { modelInput, recordIn } from '../../engine/records/record';
import { execute, type Exit, type Outcome, type Shell } from '../execute';
import { secondsSince } from '../opened';
import { acceptComputeOptions, addCommonOptions, type CommonOptions, otherBaseOption } from '../options';
import { facts, formatBytes, formatCount, formatSeconds } from '../terminal/text';

const DTYPES = { f32: 'F32', bf16: 'BF16', f16: 'F16' } as const satisfies Record<string, WeightDtype>;

interface MergeOptions extends CommonOptions {
  readonly adapter: string;
  readonly out: string;
  readonly dtype?: keyof typeof DTYPES;
  readonly otherBase?: true;
}

export function addMerge(program: Command, exit: Exit): void {
  const command = program
    .command('merge')
    .summary('write a checkpoint with an adapter in its weights')
    .description(
      'Adds a LoRA adapter to the weights, W + (α/r) B A, and writes an ordinary checkpoint. Blocks that the adapter was ' +
        'trained without are left out. The source is never changed; the record of the run is coppice.json in the new one.',
    )
    .argument('<checkpoint>', 'folder, .safetensors file or index: what the adapter was trained on')
    .requiredOption('--adapter <dir>', 'folder of the adapter, as coppice retrain or PEFT writes it')
    .requiredOption('--out <dir>', 'folder of the new checkpoint; it must not exist')
    .addOption(
      new Option('--dtype <name>', "type of the new weights (default: the source's)").choices(Object.keys(DTYPES)),
    )
    .addOption(otherBaseOption());
  acceptComputeOptions(addCommonOptions(command))
    .addHelpText(
      'after',
      `
Examples:
  coppice merge ./SmolLM2-135M --adapter ./adapter --out ./SmolLM2-24-retrained
  coppice merge ./SmolLM2-24 --adapter ./adapter --out ./SmolLM2-24-retrained --dtype f32`,
    )
    .action(async (path: string, options: MergeOptions) => {
      exit(await execute({ kind: 'merge', options, source: path }, (shell) => merge(path, options, shell)));
    });
}

async function merge(path: string, options: MergeOptions, shell: Shell): Promise<Outcome> {
  const start = performance.now();
  const started = new Date();
  const checkpoint = await openCheckpoint(path);
  const adapter = await readAdapter(options.adapter, checkpoint, { anyBase: options.otherBase });
  const inputs = [await adapterInput(options.adapter)];
  const dtype = options.dtype && DTYPES[options.dtype];
  const merged = await mergeAdapter(checkpoint, adapter, options.out, {
    ...shell.job,
    dtype,
    training: await recordIn(options.adapter),
    provenance: { inputs, started },
  });
  for (const { name, why } of merged.leftBehind) shell.note(`${name} was not copied: ${why}`);
  const { removed, kept, parametersBefore, parametersAfter, bytesBefore, bytesAfter, out } = merged;
  const { rank, alpha, targets } = adapter;
  const seconds = secondsSince(start);
  return {
    json: {
      ...{ removed, kept, parametersBefore, parametersAfter, bytesBefore, bytesAfter },
      ...{ rank, alpha, targets, dtype: options.dtype ?? null, out, seconds },
    },
    page: facts([
      [
        'adapter',
        `rank ${rank}, α ${alpha}, on ${targets.join(', ')} of ${counted(adapter.matrices.size, 'block', formatCount)}`,
      ],
      ['removed', removed.join(', ') || 'nothing'],
      ['size', `${formatCount(parametersAfter)} parameters, ${formatBytes(bytesAfter)}`],
      ['written', `${shell.shown(out)} in ${formatSeconds(seconds)}`],
    ]),
    run: {
      checkpoints: [checkpoint],
      inputs: [modelInput(checkpoint), ...inputs],
      settings: { dtype: options.dtype ?? null, removed },
    },
  };
}
