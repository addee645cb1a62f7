/** `coppice add-to-project`: writes an example that asks an exported model, in a project's own language. */
import { relative, resolve } from 'node:path';
import {
  KIND_WORDS,
  MARKERS,
  type ProjectFacts,
  type ProjectKind,
  projectFacts,
} from '../../engine/write/project/kinds';
import { libraryFor } from '../../engine/write/project/libraries';
import { type ProjectModel, projectModel } from '../../engine/write/project/model';
import { planExample, type ProjectPlan } from '../../engine/write/project/plan';
import { writeExample } from '../../engine/write/project/write';
import { counted } from '../../format/words';
import type { Outcome, Shell } from '../execute';
import { UsageError } from '../failure';
import type { CommonOptions } from '../options';

export interface AddToProjectOptions extends CommonOptions {
  readonly project?: string;
  readonly kind?: ProjectKind;
  readonly out?: string;
  readonly copy?: true;
  readonly dryRun?: true;
}

/** @param exported the model's file or folder */
export async function addToProject(
  exported: string,
  { project, kind, out, copy, dryRun }: AddToProjectOptions,
  shell: Shell,
): Promise<Outcome> {
  const model = await projectModel(exported);
  const facts = await projectFacts(resolve(project ?? '.'));
  const plan = await planExample(facts, model, { kind: kind ?? onlyKind(facts, model), out, copy }, SHELL);
  const isWritten = dryRun !== true;
  if (isWritten) await writeExample(plan);
  return {
    json: jsonOf(plan, isWritten),
    page: pageOf(plan, isWritten, project, shell),
    run: { inputs: [], settings: { project: plan.project, kind: plan.kind, out: plan.folder, copy: copy === true } },
  };
}

/** The usual one of the system. */
const SHELL = process.platform === 'win32' ? 'powershell' : 'posix';

/** Of several kinds the one that the model can be loaded in, if that is one. @throws UsageError else */
function onlyKind({ folder, kinds }: ProjectFacts, model: ProjectModel): ProjectKind {
  const [first, ...others] = kinds;
  if (first === undefined) {
    const files = Object.entries(MARKERS).map(
      ([kind, names]) => `${names.join(', ')} (${KIND_WORDS[kind as ProjectKind]})`,
    );
    throw new UsageError(
      `${folder} is not a project of a known kind`,
      `it has none of ${files.join(', ')}`,
      'Name the folder of the project with --project, or its kind with --kind.',
    );
  }
  const fitting = kinds.filter(({ kind }) => libraryFor(model, kind) !== undefined);
  if (fitting.length === 1) return fitting[0].kind;
  if (others.length === 0 || fitting.length === 0) return first.kind; // the plan says why the model cannot be loaded
  throw new UsageError(
    `${folder} can be projects of several kinds`,
    `it has ${fitting.map(({ kind, file }) => `${file} (${KIND_WORDS[kind]})`).join(' and ')}`,
    `Choose with ${fitting.map(({ kind }) => `--kind ${kind}`).join(' or ')}.`,
  );
}

const jsonOf = (plan: ProjectPlan, isWritten: boolean): object => ({
  written: isWritten,
  project: plan.project,
  kind: plan.kind,
  model: plan.model.loadable.path,
  format: plan.model.loadable.format,
  library: plan.library,
  chats: plan.chats,
  folder: plan.folder,
  files: [...plan.files, ...plan.copied].map(({ name }) => name),
  copied: plan.copied.map(({ name }) => name),
  ...plan.commands,
});

/** @param given the project as the user named it */
function pageOf(plan: ProjectPlan, isWritten: boolean, given: string | undefined, { shown, style }: Shell): string[] {
  const { project, folder, files, copied, library, commands, model } = plan;
  const into = given === undefined ? '' : ` into ${shown(given)}`;
  const name = shown(relative(project, folder));
  return [
    `${isWritten ? 'Wrote' : 'Would write'} ${style.bold(name)}${into}, for ${plan.kind === 'browser' ? 'a browser' : KIND_WORDS[plan.kind]} with ${library}:`,
    ...files.map((each) => `  ${each.name}`),
    ...(copied.length === 0 ? [] : [`  model: ${counted(copied.length, 'file')} of ${shown(model.loadable.path)}`]),
    '',
    'In the folder of the project:',
    `  install  ${shown(commands.install)}`,
    `  run      ${shown(commands.run)}`,
    `  test     ${shown(commands.test)}`,
    '',
    isWritten
      ? `Nothing else was changed. To undo it, delete ${name}.`
      : 'Nothing was written. The command without --dry-run writes these files, and changes nothing else.',
  ];
}
