/** `coppice hand-over`: writes a folder with which another program trains a plan on GPUs. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { TARGETS, type Target } from '../../hand-over/manifest';
import { JOBS } from '../../jobs/definitions';
import type { GivenFor } from '../../jobs/kinds';
import { execute, type Exit } from '../execute';
import { addOptions, addOutputOptions, type CommonOptions, optionsOf } from '../options';

const action = () => import('../actions/hand-over');

/** The options of `retrain` that mean the same for a training elsewhere. */
const SHARED = [
  ...['checkpoint', 'data', 'application', 'out', 'remove', 'width', 'heal', 'rank', 'alpha', 'dropout', 'targets'],
  ...['teacher', 'teacherWeight', 'selfTokens', 'prompt', 'length', 'heldOut', 'share', 'bos', 'epochs', 'steps'],
  ...['batch', 'lr', 'warmup', 'clip', 'weightDecay', 'betas', 'evalEvery', 'seed', 'threads', 'memory'],
] as readonly (keyof typeof JOBS.retrain.options)[];

const options = {
  ...Object.fromEntries(SHARED.map((name) => [name, JOBS.retrain.options[name]])),
  teacher: {
    ...JOBS.retrain.options.teacher,
    help: 'the model that teaches (default: the original: the checkpoint itself where blocks are left out, or the one that its record names)',
  },
};

interface Own extends CommonOptions {
  readonly to: Target;
  readonly copyOriginal?: true;
}

export function addHandOver(program: Command, exit: Exit): void {
  const command = program
    .command('hand-over')
    .summary('write a folder to train a plan elsewhere')
    .description(
      'Writes all that another program needs to train a shortened model on several GPUs, with the original as its teacher: the ' +
        'pruned and healed checkpoint, the rows as retrain would choose them, scripts, and a check that the first loss there is ' +
        'that of Coppice. coppice take brings the result back. A GGUF file is written as a Hugging Face folder.',
    );
  addOptions(command, options);
  command
    .addOption(
      new Option('--to <program>', 'who trains: Hugging Face TRL, or NVIDIA ModelOpt; both with PEFT')
        .choices([...TARGETS])
        .argParser(targetOf)
        .default('trl'),
    )
    .option(
      '--copy-original',
      'copy the original into the folder too (default: name its place; always copied from GGUF)',
    );
  addOutputOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  coppice hand-over ./SmolLM2-135M --remove 13-18 --data self --out ./to-train
  coppice hand-over ./gemma.gguf --remove 8,9,15 --application ./chats --to trl --out ./to-train
  coppice hand-over ./SmolLM2-24 --teacher ./SmolLM2-135M --data alpaca.json --copy-original --out ./to-train`,
    )
    .action(async (...given: unknown[]) => {
      const { to, copyOriginal, ...common } = command.opts<Own>();
      const asked = optionsOf(options, command, given) as unknown as GivenFor<'retrain'>;
      exit(
        await execute({ kind: 'hand-over', options: common, source: asked.checkpoint }, async (shell) =>
          (await action()).handedOver({ to, given: asked, copyOriginal: copyOriginal === true }, shell),
        ),
      );
    });
}

function targetOf(text: string): Target {
  const found = TARGETS.find((target) => target === text);
  if (found) return found;
  if (text !== 'torchtune') throw new InvalidArgumentError(`It must be ${TARGETS.join(' or ')}.`);
  throw new InvalidArgumentError(
    'The development of torchtune has ended: its last version, 0.6.1, does not start with current PyTorch packages, and its ' +
      'recipes distil into LoRA only. Take trl, which trains in the same way.',
  );
}
