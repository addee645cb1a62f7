/** `coppice mcp`: serves the tools for agents over stdio. */
import type { Command } from 'commander';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { version } from '../../../package.json';
import { UserError } from '../../engine/errors';
import type { Complete } from '../../jobs/define';
import { amount, folder, list } from '../../jobs/option';
import { compute } from '../../jobs/options/compute';
import type * as Serve from '../../mcp/serve';
import { ownRoots } from '../../mcp/roots';
import type { Compute } from '../../protocol/jobs';
import type { Exit } from '../execute';
import { addOptions, type CommonOptions } from '../options';
import { reportAssets } from '../report-assets';
import { listenForClosedPipe, listenForInterruption } from '../signals';

const options = {
  root: list(folder(''), 'folder that agents may read and write; may be repeated (default: the current folder)', {
    repeated: true,
    placeholder: 'dir',
  }),
  wait: amount('how long a call waits for its job before it answers with the id of the job', {
    placeholder: 'seconds',
    default: 25, // less than clients wait for an answer, usually a minute
  }),
};

type Given = Compute & Complete<typeof options> & Pick<CommonOptions, 'verbose' | 'color'>;

export function addMcp(program: Command, exit: Exit): void {
  const command = program
    .command('mcp')
    .summary('serve the tools for agents over stdio (Model Context Protocol)')
    .description(
      'Serves tools for agents over stdin and stdout, by the Model Context Protocol: inspect, score, plan, prune, heal, ' +
        'export, perplexity, tasks, texts, recipes and jobs. An agent may use the folders of --root, and if the client names roots, only what is ' +
        'in both. Long jobs run on while the agent works. The server ends, with its jobs, when stdin closes.',
    );
  addOptions(addOptions(command, options), compute)
    .option('--verbose', 'print the stack trace of an error')
    .option('--no-color', 'print no colors (also: the environment variable NO_COLOR)')
    .addHelpText(
      'after',
      `
Examples:
  coppice mcp --root ./models
  coppice mcp --root ./models --root ./texts --threads 4

In the configuration of an agent:
  { "command": "coppice", "args": ["mcp", "--root", "/path/to/models"] }`,
    )
    .action(async ({ root = [], wait, verbose: _verbose, color: _color, ...settings }: Given) => {
      exit(await serve(root, wait * 1000, settings));
    });
}

/** @returns the exit code: 0 once the client has closed stdin */
async function serve(roots: readonly string[], waitMs: number, compute: Compute): Promise<number> {
  const interruption = listenForInterruption();
  try {
    const signal = AbortSignal.any([interruption.signal, listenForClosedPipe()]);
    const own = await ownRoots(roots);
    const sidecar = beside('sidecar.cjs');
    await program().serveMcp({ roots: own, waitMs, compute, sidecar, version, assets: reportAssets, signal });
    return interruption.code() ?? 0;
  } finally {
    interruption.stop();
  }
}

/** A program that is built with this one. */
const beside = (name: string): string => join(dirname(fileURLToPath(import.meta.url)), name);

/**
 * The server is a program of its own: within this one it would make the start of every command slower.
 * @throws UserError when the installation does not have it
 */
function program(): typeof Serve {
  const file = beside('mcp.cjs');
  try {
    return createRequire(import.meta.url)(file) as typeof Serve;
  } catch (error) {
    throw new UserError('The server cannot start', `${file} cannot be loaded`, 'Install Coppice again.', {
      cause: error,
    });
  }
}
