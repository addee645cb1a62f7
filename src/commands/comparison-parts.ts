/** What a comparison with the original still has to measure: jobs, in parts that the user knows, each with its work. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { Origins } from '../views/origins';
import { type MeasuredOn, PanelTexts } from '../editors/results/panel-texts';
import { PromptList } from '../editors/results/prompts';
import { RunList } from '../editors/results/run-list';
import type { Architecture } from '../engine/checkpoint/architecture';
import { requireArchitecture } from '../engine/checkpoint/open';
import type { BeforeAfter } from '../engine/records/before-after/before-after';
import { isEvaluated } from '../engine/records/before-after/evaluated';
import { WANTED_SAMPLES } from '../engine/records/before-after/missing';
import { modelName } from '../engine/records/record';
import { chatKindOf } from '../engine/tokenizer/instruct';
import { checkpointName } from '../jobs/titles';
import type { LabelledModel } from '../jobs/option';
import { drawnOptions } from '../jobs/options/calibration';
import type { JobSpec } from '../protocol/jobs';
import { perplexityWork, speedWork, textsWork } from '../host/compare-estimate';
import { textName } from '../host/text-name';
import type { Part as Work } from '../recipes/estimate/speeds';
import type { Coppice } from '../host/coppice';
import { inputFolders } from '../host/input-folders';
import { recordFolders } from '../host/run-job';
import type { Family, Member } from './before-after-page';

export type PartName = 'perplexity' | 'speed' | 'texts';

export interface Part {
  readonly name: PartName;
  /** "Perplexity of both on prose.txt" */
  readonly label: string;
  readonly jobs: readonly JobSpec[];
  readonly work: readonly Work[];
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
  family: Family & { readonly original: Member },
  page: BeforeAfter,
  given: Given = {},
): Promise<Part[]> {
  const missing = new Set(page.missing.filter(({ optional }) => !optional).map(({ kind }) => kind));
  return [
    ...(missing.has('perplexity') || given.text !== undefined ? await perplexityPart(coppice, family, given) : []),
    ...(missing.has('speed') ? [speedPart(family)] : []),
    ...(missing.has('texts') || given.prompts ? await textsPart(coppice, family, page, given) : []),
  ];
}

type Both = Family & { readonly original: Member };

async function perplexityPart(coppice: Coppice, family: Both, { text }: Given): Promise<Part[]> {
  const { chosen, original, runs } = family;
  const { source, shown } = await familyText(coppice, family, text);
  const { rowsKey } = shown;
  const lacks = ({ checkpoint }: Member, compared: boolean): boolean =>
    rowsKey === undefined || !isEvaluated(runs, checkpoint.identity, rowsKey, compared);
  const rows = { rows: shown.samples, length: shown.length };
  const jobs: JobSpec[] = [];
  const readers: Member[] = [];
  if (lacks(original, false)) {
    jobs.push({ kind: 'eval', checkpoint: original.path, ...drawnOptions(source) });
    readers.push(original);
  }
  if (lacks(chosen, true)) {
    jobs.push({ kind: 'eval', checkpoint: chosen.path, ...drawnOptions(source), against: original.path });
    readers.push(original, chosen); // the original reads the rows again beside it
  }
  const label = vscode.l10n.t('Perplexity of both on {0}', shown.name);
  const work = perplexityWork(architecturesOf(readers), rows);
  return jobs.length === 0 ? [] : [{ name: 'perplexity', label, jobs, work }];
}

/** The rows that the family was scored on, else the text of the settings. */
async function familyText(coppice: Coppice, family: Both, text: string | undefined): Promise<MeasuredOn> {
  const { chosen, original, originalIdentity, parent } = family;
  const given = inputFolders(coppice);
  const texts = new PanelTexts(
    (file) => textName(coppice, file),
    () => given,
  );
  const { calibration } = coppice.config;
  const context = Math.min(...[chosen, original].map(({ checkpoint }) => requireArchitecture(checkpoint).context));
  const usual = { ...calibration, length: Math.min(calibration.length, context) };
  if (text !== undefined) return texts.refresh([], { ...usual, file: text });
  const list = new RunList(chosen, new Origins(), (file) => textName(coppice, file));
  await list.read(recordFolders(coppice), given);
  const identities = [chosen.checkpoint.identity, ...(parent === undefined ? [] : [parent]), originalIdentity];
  const scorings = identities.map((identity) => list.scorings(identity)).find((each) => each.length > 0) ?? [];
  const found = await texts.refresh(scorings, usual);
  return found.shown.fault === undefined ? found : texts.refresh([], usual);
}

function columnsOf({ chosen, original }: Both): LabelledModel[] {
  return [original, chosen].map(({ path }) => ({ label: checkpointName(path), checkpoint: path }));
}

const architecturesOf = (members: readonly Member[]): Architecture[] =>
  members.map(({ checkpoint }) => requireArchitecture(checkpoint));

const speedPart = (family: Both): Part => ({
  name: 'speed',
  label: vscode.l10n.t('Speed of both, in turns'),
  jobs: [{ kind: 'speeds', columns: columnsOf(family) }],
  work: speedWork(architecturesOf([family.original, family.chosen])),
});

async function textsPart(coppice: Coppice, family: Both, page: BeforeAfter, given: Given): Promise<Part[]> {
  const { chosen, original } = family;
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
          columns: columnsOf(family),
          ...(chat && { chat }),
          ...(precision !== undefined && { precision }),
        },
      ],
      work: textsWork(architecturesOf([original, chosen]), prompts.length),
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
