/** `coppice schema`: what a command takes and what it prints with `--json`, as JSON Schema. */
import type { Command } from 'commander';
import { stringifyJson } from '../../format/json';
import { nearest } from '../../format/nearest';
import { type AnyJob } from '../../jobs/define';
import { JOBS } from '../../jobs/definitions';
import { resultSchemaOf, schemaOf } from '../../jobs/schema';
import { RECIPE_NAMING } from '../../recipes/naming';
import { execute, type Exit } from '../execute';
import { UsageError } from '../failure';
import { addOutputOptions, type CommonOptions } from '../options';

interface Options extends CommonOptions {
  readonly result?: true;
}

export function addSchema(program: Command, exit: Exit): void {
  const command = program
    .command('schema')
    .summary("print the JSON Schema of a command's options or result")
    .description(
      'Prints the JSON Schema (draft 2020-12) of the options of a command, as recipes and scripts give them, or with --result ' +
        'of what it prints with --json: which fields there are, what each says, and in which unit.',
    )
    .argument('<command>', 'a command that computes: score, eval, heal …')
    .option('--result', 'of what it prints with --json');
  addOutputOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  coppice schema eval --result
  coppice schema prune > prune.schema.json`,
    )
    .action(async (kind: string, options: Options) => {
      exit(await execute({ kind: 'schema', options }, () => Promise.resolve(printed(kind, options))));
    });
}

/** @throws UsageError where the command does not run a job */
function printed(kind: string, { result }: Options): { json: object; page: string[] } {
  const known = Object.values<AnyJob>(JOBS).filter(({ sidecarOnly }) => !sidecarOnly);
  const job = known.find((each) => each.kind === kind);
  if (job) {
    const json = result ? resultSchemaOf(job) : schemaOf(job, RECIPE_NAMING);
    return { json, page: [stringifyJson(json, 2)] };
  }
  const names = known.map((each) => each.kind);
  const near = nearest(kind, names);
  throw new UsageError(
    `Coppice has no schema of ${kind}`,
    `the commands with one are ${names.join(', ')}`,
    near === undefined ? 'Name one of them.' : `Name ${near}.`,
  );
}
