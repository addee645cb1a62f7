/** Asks what a forecast of drafts needs: the program that runs both, prompts, which drafts are tried, and what passes cost there. */
import { existsSync, statSync } from 'node:fs';
import * as vscode from 'vscode';
import { type Runtime, RUNTIME_FACTS, RUNTIMES } from '../../engine/draft/runtimes';
import { healable } from '../../engine/heal/healable';
import { consumersThere, LLAMA } from '../../engine/verify/consumers/there';
import type { GivenFor } from '../../jobs/kinds';
import { SELF } from '../../jobs/healing-amounts';
import { numberRanges } from '../../format/ranges';
import type { Coppice } from '../coppice';
import type { Chosen } from './choose-checkpoint';
import { listedTexts, pickOrBrowse } from './choose-file';
import { timeWords } from './job-time';
import { recall } from './remembered';
import { pick, type PickChoice, type Place, type Step, unlessBack, when } from './steps';
import { TEXT_EXTENSIONS } from './text-files';

type Named = 'for' | 'prompts' | 'drafts' | 'remove' | 'heal' | 'type' | 'costs' | 'consumers' | 'consumersFrom';

/** What is forecast. */
export interface DraftAnswers extends Partial<Pick<GivenFor<'draft'>, Named>> {
  /** Only the model in fewer bits is tried, which always is. */
  readonly alone?: boolean;
}

/** @param chosen the model whose text it is */
export function draftSteps<S extends DraftAnswers>(coppice: Coppice, chosen: Chosen): readonly Step<S>[] {
  return [
    when<DraftAnswers>(({ for: given }) => given === undefined, programStep(coppice)),
    when<DraftAnswers>(({ prompts }) => prompts === undefined, promptsStep(coppice)),
    when<DraftAnswers>(namesNoDraft, triesStep(coppice, chosen)),
    when<DraftAnswers>(needsCosts, costsStep),
  ] as unknown as Step<S>[];
}

const namesNoDraft = ({ drafts, remove, heal, type, alone }: DraftAnswers): boolean =>
  [drafts, remove, heal, type, alone].every((each) => each === undefined);

/** Passes for onnxruntime-genai are timed in the onnxruntime that Coppice has. */
const needsCosts = ({ for: program, costs, consumers }: DraftAnswers): boolean =>
  program !== undefined && program !== 'genai' && [costs, consumers].every((each) => each === undefined);

const programStep =
  (coppice: Coppice): Step<DraftAnswers> =>
  async (_, place) => {
    const { t } = vscode.l10n;
    const words: Readonly<Record<Runtime, string>> = {
      genai: t('ONNX; its costs are measured by Coppice itself'),
      transformers: t('Python, safetensors'),
      'llama.cpp': t('GGUF; llama-server and others'),
      'node-llama-cpp': t('GGUF in Node'),
    };
    const choices = RUNTIMES.map((value) => ({
      label: RUNTIME_FACTS[value].title,
      description: words[value],
      value,
    }));
    const before = recall<string>(coppice, 'draft', 'for', 'genai');
    const program = await pick<Runtime>(place, t('Which program will run the model?'), choices, before as Runtime);
    return { for: program };
  };

/** The application's own prompts decide best, then those of the last time. */
const promptsStep =
  (coppice: Coppice): Step<DraftAnswers> =>
  async (_, place) => {
    const { t } = vscode.l10n;
    const { application } = coppice.config;
    const before = recall<string>(coppice, 'draft', 'prompts', '');
    const own = application !== undefined && isFile(application) ? [application] : [];
    const files = [...new Set([...own, ...(await listedTexts(coppice, 'calibration'))])];
    const choices = files.map((value) => ({
      label: vscode.workspace.asRelativePath(value),
      ...(own.includes(value) && { description: t('the application’s text') }),
      value,
    }));
    const filters = { [t('Prompts')]: [...TEXT_EXTENSIONS.training, 'ndjson'] };
    const prompts = await pickOrBrowse(
      place,
      t('Select prompts like those of your application: one a line, or JSON'),
      choices,
      () => vscode.window.showOpenDialog({ title: place.title, canSelectMany: false, filters }),
      before === '' ? own.at(0) : before,
    );
    return { prompts };
  };

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

type Tried = 'bits' | 'plan' | 'healed' | 'model';

function triesStep(coppice: Coppice, chosen: Chosen): Step<DraftAnswers> {
  const removed = coppice.plans.removed(chosen.subject);
  return async ({ for: program = 'genai', prompts = '' }, place) => {
    const { t } = vscode.l10n;
    const timeOf = (more: DraftAnswers): string =>
      timeWords(coppice, chosen, { kind: 'draft', checkpoint: chosen.path, for: program, prompts, ...more });
    const bits = { label: t('The model itself in fewer bits'), description: timeOf({}), value: 'bits' as const };
    const blocks = numberRanges(removed, '–');
    const planned: PickChoice<Tried>[] = [
      {
        label: t('Also the model without blocks {0}, as planned', blocks),
        description: timeOf({ remove: removed }),
        value: 'plan',
      },
      ...(healable(chosen.architecture)
        ? [
            {
              label: t('The same, healed on the model’s own text'),
              description: timeOf({ remove: removed, heal: SELF }),
              value: 'healed' as const,
            },
          ]
        : []),
    ];
    const other: PickChoice<Tried> = {
      label: t('Also another, smaller model…'),
      description: t('with the same vocabulary'),
      value: 'model',
    };
    const choices = [bits, ...(removed.length > 0 ? planned : []), other];
    for (;;) {
      const active = removed.length > 0 ? 'plan' : 'bits';
      const tried = await pick<Tried>(place, t('Which drafts should be tried?'), choices, active);
      if (tried === 'bits') return { alone: true };
      if (tried !== 'model') return { remove: removed, ...(tried === 'healed' && { heal: SELF }) };
      const model = await unlessBack(askModel(coppice, chosen, place));
      if (model !== undefined) return { drafts: [model] };
    }
  };
}

/** Models of the view with as many tokens, or any other. */
async function askModel({ library }: Coppice, { path, architecture }: Chosen, place: Place): Promise<string> {
  const fitting = library.entries().filter((entry) => {
    const other = library.peek(entry.path)?.architecture;
    return entry.path !== path && other?.vocabulary === architecture.vocabulary;
  });
  const choices = fitting.map((entry) => ({ label: vscode.workspace.asRelativePath(entry.path), value: entry.path }));
  return pickOrBrowse(
    { ...place, step: place.step + 1, totalSteps: undefined },
    vscode.l10n.t('Select the model that proposes tokens'),
    choices,
    () => vscode.window.showOpenDialog({ title: place.title, canSelectFiles: true, canSelectFolders: true }),
  );
}

type Costs = 'there' | 'folder' | 'file';

/** Other programs are started only where the user says so. */
const costsStep: Step<DraftAnswers> = async ({ for: program = 'llama.cpp' }, place) => {
  const { t } = vscode.l10n;
  const { title, format } = RUNTIME_FACTS[program];
  const found = format === 'gguf' ? (await consumersThere(format)).find(({ name }) => name === LLAMA) : undefined;
  const choices: PickChoice<Costs>[] = [
    ...(found
      ? [
          {
            label: t('Measure them here'),
            detail: t('Starts {0} in {1}', [found.name, found.version].filter(Boolean).join(' '), found.place),
            value: 'there' as const,
          },
        ]
      : []),
    {
      label: t('Measure them in a program of another folder…'),
      detail: t('Starts {0} from the node_modules or the Python of that folder', title),
      value: 'folder',
    },
    {
      label: t('A file of costs…'),
      detail: t('JSON with “rows”, “v”, and “c”, as the guide of drafts says'),
      value: 'file',
    },
  ];
  for (;;) {
    const how = await pick<Costs>(place, t('What do passes cost in {0}?', title), choices, found ? 'there' : 'file');
    if (how === 'there') return { consumers: true };
    const isFolder = how === 'folder';
    const picked = await vscode.window.showOpenDialog({
      title: place.title,
      canSelectFiles: !isFolder,
      canSelectFolders: isFolder,
      ...(!isFolder && { filters: { JSON: ['json'] } }),
    });
    const path = picked?.[0]?.fsPath;
    if (path === undefined) continue;
    return isFolder ? { consumers: true, consumersFrom: path } : { costs: path };
  }
};
