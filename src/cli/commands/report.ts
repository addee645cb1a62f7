/** `coppice report`: records of runs as one self-contained HTML page with charts. */
import type { Command } from 'commander';
import type { ReportOptions } from '../actions/report';
import { execute, type Exit } from '../execute';
import { acceptedCompute } from '../../jobs/options/compute';
import { addCommonOptions, addOptions } from '../options';

const action = () => import('../actions/report');

export function addReport(program: Command, exit: Exit): void {
  const command = program
    .command('report')
    .summary('write runs as one HTML page, or as Markdown')
    .description(
      'Writes records of runs (from --record or the folder .coppice/runs) into one HTML page with ' +
        'charts and tables that works offline. If the name ends in .md, it writes Markdown for a model card.',
    )
    .argument('<run...>', 'records of runs')
    .requiredOption('--out <file>', 'file to write: FILE.html or FILE.md')
    .option(
      '--before-after',
      'only the original beside what was made of it: perplexity, KL divergence, accuracy, size, speed and sample texts, ' +
        'and which commands measure what is missing',
    )
    .option(
      '--inputs <dir...>',
      "more folders with files that the runs read, to check whether they changed; each record's folder and this one are checked always",
    );
  addOptions(addCommonOptions(command), acceptedCompute)
    .addHelpText(
      'after',
      `
Examples:
  coppice report score.json curve.json --out report.html
  coppice report .coppice/runs/*.json --out report.md
  coppice report .coppice/runs/*.json --before-after --out decision.html`,
    )
    .action(async (runs: string[], options: ReportOptions) => {
      const given: ReportOptions & { readonly runs: readonly string[] } = { ...options, runs };
      exit(
        await execute({ kind: 'report', options: given }, async (shell) =>
          (await action()).report(runs, options, shell),
        ),
      );
    });
}
