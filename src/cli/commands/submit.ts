/**
 * `coppice submit SCHEDULER JOB …`: runs a job in parts on a cluster. Under the command of each scheduler is one for each job
 * that can be cut, with the job's options and the scheduler's.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { resolve } from 'node:path';
import type { RunRequest } from '../../cluster/submit';
import { MAX_PARTS } from '../../engine/parts/part';
import { checkpointsIn, type AnyJob } from '../../jobs/define';
import { JOBS } from '../../jobs/definitions';
import { CUT_KINDS, type CutKind } from '../../jobs/parts/part-record';
import { execute, type Exit } from '../execute';
import { isListed } from '../listed';
import { addOptions, addOutputOptions, type CommonOptions, optionsOf } from '../options';
import type { SchedulerFace } from '../schedulers/face';
import { kubernetesFace } from '../schedulers/kubernetes';
import { skypilotFace } from '../schedulers/skypilot';
import { addRecipeOf, type SubmitParts } from './submit-recipe';
import { slurmFace } from '../schedulers/slurm';

/** One for each scheduler. */
const FACES: readonly SchedulerFace[] = [slurmFace, kubernetesFace, skypilotFace];

const action = () => import('../actions/submit');

interface Options extends CommonOptions {
  readonly parts: number;
  readonly folder?: string;
  readonly write?: true;
  readonly command?: string;
}

export function addSubmit(program: Command, exit: Exit): void {
  const submit = program
    .command('submit')
    .summary('run a job in parts on a cluster')
    .description(
      'Cuts the work of a job into parts (as --part does), and hands them to the scheduler of a cluster. All its machines write ' +
        'their records into one folder, that of the run. coppice status says how far it is.',
    );
  if (isListed(submit)) return;
  for (const face of FACES) {
    const ofScheduler = submit.command(face.name).summary(`on ${face.title}`).description(face.description);
    for (const kind of CUT_KINDS) addJobOf(ofScheduler, face, kind, exit);
    addRecipeOf(ofScheduler, face, partsOf(face), exit);
  }
}

function addJobOf(parent: Command, face: SchedulerFace, kind: CutKind, exit: Exit): void {
  const job: AnyJob = JOBS[kind];
  const command = parent
    .command(kind)
    .summary(job.summary)
    .description(`${job.description} In parts, on ${face.title}.`);
  addOptions(command, job.options);
  const { addTo, commandOf } = partsOf(face);
  addTo(command, 'folder for the run: a new one (default: ./JOB-MODEL.cluster)');
  face.addOptions(command);
  addOutputOptions(command)
    .addHelpText(
      'after',
      `\nExamples:\n${face.examples.map((words) => `  coppice submit ${face.name} score ${words}`).join('\n')}`,
    )
    .action(async (...given: unknown[]) => {
      const own = command.opts<Options>();
      const options = optionsOf(job.options, command, given);
      const request: RunRequest = {
        kind,
        options,
        parts: own.parts,
        folder: own.folder ?? folderFor(job, options),
        scheduler: face.name,
        asked: face.asked(command.opts()),
        command: commandOf(own.command),
      };
      exit(
        await execute({ kind: `submit`, options: own }, async (shell) =>
          (await action()).submitted(request, own.write === true, shell),
        ),
      );
    });
}

const partsOf = (face: SchedulerFace): SubmitParts => ({
  addTo: (command, folder) =>
    command
      .requiredOption('--parts <n>', 'number of parts', (text) => partsIn(text))
      .option('--folder <dir>', folder)
      .option('--write', 'only write the folder with its scripts, to be read, changed and submitted later')
      .option(
        '--command <words>',
        `how to start Coppice on the machines of the cluster (default: ${face.command?.join(' ') ?? 'as it was started here'})`,
      ),
  commandOf: (words) => (words === undefined ? (face.command ?? thisProgram()) : words.trim().split(/\s+/)),
});

function partsIn(text: string): number {
  const parts = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (parts >= 1 && parts <= MAX_PARTS) return parts;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_PARTS}.`);
}

/** "score-SmolLM2-135M.cluster" */
function folderFor(job: AnyJob, options: object): string {
  const model = checkpointsIn(job, options).at(0);
  const name = model === undefined ? undefined : resolve(model).split(/[\\/]/).at(-1);
  return `${[job.kind, ...(name ? [name] : [])].join('-')}.cluster`;
}

/** The words that started this program. */
const thisProgram = (): string[] => [process.execPath, resolve(process.argv[1])];
