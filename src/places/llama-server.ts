/** `llama-server` of llama.cpp: a task in .vscode/tasks.json that serves the model on this machine. */
import { relative, sep } from 'node:path';
import { join } from 'node:path';
import { isInside } from '../engine/files/paths';
import { findProgram } from '../engine/verify/consumers/places';
import { ggufFacts } from '../engine/write/gguf/beside';
import { l10n } from '../l10n';
import { isFolder } from './folder-there';
import type { Place } from './place';

const PROGRAM = 'llama-server';
const PORT = 8080;
/** llama.cpp reserves the memory for a text of this length at once. */
const MOST_CONTEXT = 8192;

export const llamaServer: Place = {
  name: 'llama-server',
  title: 'llama-server',
  takes: 'gguf',
  hasFolder: true,
  async find({ env, folder }) {
    if (findProgram(PROGRAM, env) === undefined) {
      return {
        why: l10n.t('there is no program {0} on the PATH', PROGRAM),
        todo: l10n.t('Install llama.cpp, or add its folder to the PATH.'),
      };
    }
    if (folder === undefined || !(await isFolder(folder))) {
      return { why: l10n.t('no folder is open'), todo: l10n.t('Open the folder of your application.') };
    }
    return { at: folder };
  },
  async plan(model, at, name) {
    const [{ file }] = model.files;
    const { context } = await ggufFacts(file);
    const label = `llama-server: ${name}`;
    const place = isInside(model.path, at)
      ? `\${workspaceFolder}/${relative(at, model.path).split(sep).join('/')}`
      : model.path;
    const args = [
      '-m',
      place,
      '-c',
      String(Math.min(context, MOST_CONTEXT)),
      '--host',
      '127.0.0.1',
      '--port',
      String(PORT),
    ];
    return {
      name: label,
      model,
      change: {
        kind: 'task',
        file: join(at, '.vscode', 'tasks.json'),
        // A process, not a shell: nothing in a path is a command then.
        task: { label, type: 'process', command: PROGRAM, args, isBackground: true, problemMatcher: [] },
      },
      notes: [],
      use: l10n.t('Run the task “{0}” in VS Code; it answers at {1}.', label, `http://127.0.0.1:${PORT}/v1`),
    };
  },
};
