/** What a comparison with the original still has to measure: jobs, in parts that the user knows. */
import { basename } from 'node:path';
import { type TextShare, withShare } from '../format/text-share';
import * as vscode from 'vscode';
import { PromptList } from '../editors/results/prompts';
import { requireArchitecture } from '../engine/checkpoint/open';
import type { BeforeAfter } from '../engine/records/before-after/before-after';
import { UserError } from '../engine/errors';
import { hashFile } from '../engine/files/regular-file';
import { DEFAULT_WINDOW } from '../engine/importance/drawing';
import { isJudged } from '../engine/records/before-after/evaluated';
import { WANTED_SAMPLES } from '../engine/records/before-after/missing';
import { modelName } from '../engine/records/record';
import { chatKindOf } from '../engine/tokenizer/instruct';
import { checkpointName } from '../jobs/titles';
import type { LabelledModel } from '../jobs/option';
import type { JobSpec } from '../protocol/jobs';
import { textName } from '../host/ask/text-name';
import type { Coppice } from '../host/coppice';
import { JUDGING_WINDOWS, judgingText, type JudgingText, REPETITIONS } from '../host/ask/judging-text';
import type { Kin, Member } from './before-after-page';

export type PartName = 'perplexity' | 'probes' | 'speed' | 'texts';

export interface MissingPart {
  readonly name: PartName;
  /** "Perplexity of both on prose.txt" */
  readonly label: string;
  readonly jobs: readonly JobSpec[];
}

/** What the caller of the command chooses. */
export interface Given {
  /** Text for perplexity. */
  readonly text?: string;
  readonly prompts?: readonly string[];
}

/** @returns the parts that are missing on the page, in the order of its rows; none when it is complete */
export async function missingParts(
  coppice: Coppice,
  kin: Kin & { readonly original: Member },
  page: BeforeAfter,
  given: Given = {},
): Promise<MissingPart[]> {
  const isNeeded = ({ kind, optional }: BeforeAfter['missing'][number]): boolean =>
    optional !== true || (kind === 'probes' && limitsProbes(coppice, kin));
  const missing = new Set(page.missing.filter(isNeeded).map(({ kind }) => kind));
  return [
    ...(missing.has('perplexity') || given.text !== undefined ? await perplexityPart(coppice, kin, given) : []),
    ...(missing.has('probes') ? [probesPart(kin)] : []),
    ...(missing.has('speed') ? [speedPart(kin)] : []),
    ...(missing.has('texts') || given.prompts ? await textsPart(coppice, kin, page, given) : []),
  ];
}

type Both = Kin & { readonly original: Member };

async function perplexityPart(coppice: Coppice, kin: Both, { text }: Given): Promise<MissingPart[]> {
  const { chosen, original, runs, exported } = kin;
  const judging = text === undefined ? await judgingTextOf(coppice, kin) : await givenText(coppice, text);
  const context = Math.min(...[chosen, original].map(({ checkpoint }) => requireArchitecture(checkpoint).context));
  const asked = judgingOptions(judging, context);
  const lacks = ({ checkpoint }: Member, compared: boolean): boolean =>
    !isJudged(runs, checkpoint.identity, { ...judging, window: asked.window, limit: asked.limit }, compared);
  const jobs: JobSpec[] = [];
  // A KL divergence needs one vocabulary.
  const isAlike = ({ checkpoint }: Member): boolean =>
    requireArchitecture(checkpoint).vocabulary === requireArchitecture(original.checkpoint).vocabulary;
  if (lacks(original, false)) jobs.push({ kind: 'eval', checkpoint: original.path, ...asked });
  // The file that ships decides, where the engine can read it.
  for (const model of [chosen, ...(exported ? [exported] : [])].filter((each) => lacks(each, isAlike(each)))) {
    const against = isAlike(model) && { against: original.path };
    jobs.push({ kind: 'eval', checkpoint: model.path, ...asked, ...against, repetition: REPETITIONS });
  }
  const label = vscode.l10n.t('Perplexity of both on {0}', judging.name);
  return jobs.length === 0 ? [] : [{ name: 'perplexity', label, jobs }];
}

/** The options of an evaluation that judges. */
export const judgingOptions = (
  { file, share }: Pick<JudgingText, 'file' | 'share'>,
  context: number,
): { readonly text: string; readonly window: number; readonly limit: number; readonly share?: TextShare } => ({
  text: file,
  window: Math.min(DEFAULT_WINDOW, context),
  limit: JUDGING_WINDOWS,
  ...withShare(share),
});

/** A text that chose nothing and fitted nothing. @throws UserError where there is none */
async function judgingTextOf(coppice: Coppice, { chosen, original, used }: Both): Promise<JudgingText> {
  const found = await judgingText(coppice, used, [chosen.path, original.path]);
  if (found) return found;
  throw noOtherText();
}

export const noOtherText = (): UserError =>
  new UserError(
    vscode.l10n.t('There is no text to judge the model by'),
    vscode.l10n.t('every text in the workspace chose its blocks or fitted its weights'),
    vscode.l10n.t('Put another text (.txt) into the workspace, then compare again.'),
  );

/** A text of the caller's choice: the page says so if it chose or fitted. */
async function givenText(coppice: Coppice, file: string): Promise<JudgingText> {
  return { file, sha256: await hashFile(file), name: textName(coppice, file) };
}

function columnsOf({ chosen, original }: Both): LabelledModel[] {
  return [original, chosen].map(({ path }) => ({ label: checkpointName(path), checkpoint: path }));
}

/** Whether the goal cannot be decided without them. */
const limitsProbes = ({ goals }: Coppice, { originalIdentity }: Kin): boolean =>
  goals.goal(originalIdentity)?.maxProbeLoss !== undefined;

const probesPart = (kin: Both): MissingPart => ({
  name: 'probes',
  label: vscode.l10n.t('Probes of both, which the goal limits'),
  jobs: [{ kind: 'tasks', columns: columnsOf(kin), probes: ['all'] }],
});

const speedPart = (kin: Both): MissingPart => ({
  name: 'speed',
  label: vscode.l10n.t('Speed of both, in turns'),
  jobs: [{ kind: 'speeds', columns: columnsOf(kin) }],
});

async function textsPart(coppice: Coppice, kin: Both, page: BeforeAfter, given: Given): Promise<MissingPart[]> {
  const { chosen, original } = kin;
  const written = new Set(page.samples.map(({ prompt }) => prompt));
  const chat = await bothAnswer([original, chosen]);
  const list = new PromptList(coppice.context.globalState);
  const offered = given.prompts ?? (chat ? list.questions : list.all);
  const wanted = given.prompts ? Infinity : WANTED_SAMPLES - written.size;
  const prompts = offered.filter((prompt) => !written.has(prompt)).slice(0, wanted);
  if (prompts.length === 0) return [];
  const precision = coppice.config.textPrecision;
  return [
    {
      name: 'texts',
      label:
        prompts.length === 1
          ? vscode.l10n.t('One sample text of both')
          : vscode.l10n.t('{0} sample texts of both', prompts.length),
      jobs: [
        {
          kind: 'samples',
          prompts,
          columns: columnsOf(kin),
          ...(chat && { chat }),
          ...(precision !== undefined && { precision }),
        },
      ],
    },
  ];
}

/** Both have a chat template, and the files of one tell that it answers: a shorter model may have lost what tells it. */
async function bothAnswer(members: readonly Member[]): Promise<boolean> {
  const kinds = await Promise.all(
    members.map(({ checkpoint }) =>
      chatKindOf(checkpoint.home, modelName(checkpoint), checkpoint.architecture?.eosTokenIds),
    ),
  );
  return kinds.every(({ template }) => template) && kinds.some(({ instruct }) => instruct);
}

/** "short and model" */
export const namesOf = ({ chosen, original }: Both): readonly [string, string] => [
  basename(chosen.path),
  basename(original.path),
];
