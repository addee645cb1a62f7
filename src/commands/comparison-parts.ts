/** What a comparison with the original still has to measure: jobs, in parts that the user knows, each with its work. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { Origins } from '../views/origins';
import { nameOf } from '../editors/results/panel-host';
import { type MeasuredOn, PanelTexts } from '../editors/results/panel-texts';
import { PromptList } from '../editors/results/prompts';
import { RunList } from '../editors/results/run-list';
import { requireArchitecture } from '../engine/checkpoint/open';
import type { BeforeAfter } from '../engine/records/before-after/before-after';
import { isEvaluated } from '../engine/records/before-after/evaluated';
import { WANTED_SAMPLES } from '../engine/records/before-after/missing';
import { hasChatTemplate } from '../engine/tokenizer/files';
import { checkpointName } from '../jobs/titles';
import type { LabelledModel } from '../jobs/option';
import { drawnOptions } from '../jobs/options/calibration';
import type { JobSpec } from '../protocol/jobs';
import type { Work } from '../host/compare-estimate';
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

/** The defaults of the jobs. */
const SPEED = { promptTokens: 128, newTokens: 64, repeats: 5 };
const NEW_TOKENS = 64;

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
  const reads = { rows: shown.samples, length: shown.length };
  const jobs: JobSpec[] = [];
  const work: Work[] = [];
  if (lacks(original, false)) {
    jobs.push({ kind: 'eval', checkpoint: original.path, ...drawnOptions(source) });
    work.push({ architecture: requireArchitecture(original.checkpoint), reads });
  }
  if (lacks(chosen, true)) {
    jobs.push({ kind: 'eval', checkpoint: chosen.path, ...drawnOptions(source), against: original.path });
    // The original is read again beside it.
    for (const each of [original, chosen]) work.push({ architecture: requireArchitecture(each.checkpoint), reads });
  }
  const label = vscode.l10n.t('Perplexity of both on {0}', shown.name);
  return jobs.length === 0 ? [] : [{ name: 'perplexity', label, jobs, work }];
}

/** The rows that the family was scored on, else the text of the settings. */
async function familyText(coppice: Coppice, family: Both, text: string | undefined): Promise<MeasuredOn> {
  const { chosen, original, originalIdentity, parent } = family;
  const given = inputFolders(coppice);
  const texts = new PanelTexts(
    (file) => nameOf(coppice, file),
    () => given,
  );
  const { calibration } = coppice.config;
  const context = Math.min(...[chosen, original].map(({ checkpoint }) => requireArchitecture(checkpoint).context));
  const usual = { ...calibration, length: Math.min(calibration.length, context) };
  if (text !== undefined) return texts.refresh([], { ...usual, file: text });
  const list = new RunList(chosen, new Origins(), (file) => nameOf(coppice, file));
  await list.read(recordFolders(coppice), given);
  const identities = [chosen.checkpoint.identity, ...(parent === undefined ? [] : [parent]), originalIdentity];
  const scorings = identities.map((identity) => list.scorings(identity)).find((each) => each.length > 0) ?? [];
  const found = await texts.refresh(scorings, usual);
  return found.shown.fault === undefined ? found : texts.refresh([], usual);
}

function columnsOf({ chosen, original }: Both): LabelledModel[] {
  return [original, chosen].map(({ path }) => ({ label: checkpointName(path), checkpoint: path }));
}

function speedPart(family: Both): Part {
  const work = [family.original, family.chosen].flatMap(({ checkpoint }): Work[] => {
    const architecture = requireArchitecture(checkpoint);
    const reads = { rows: 1, length: Math.min(SPEED.promptTokens, architecture.context) };
    // One more for warming up.
    return Array.from({ length: SPEED.repeats + 1 }, () => ({ architecture, reads, writes: SPEED.newTokens }));
  });
  return {
    name: 'speed',
    label: vscode.l10n.t('Speed of both, in turns'),
    jobs: [{ kind: 'speeds', columns: columnsOf(family) }],
    work,
  };
}

async function textsPart(coppice: Coppice, family: Both, page: BeforeAfter, given: Given): Promise<Part[]> {
  const { chosen, original } = family;
  const written = new Set(page.samples.map(({ prompt }) => prompt));
  const offered = given.prompts ?? new PromptList(coppice.context.globalState).all;
  const wanted = given.prompts ? Infinity : WANTED_SAMPLES - written.size;
  const prompts = offered.filter((prompt) => !written.has(prompt)).slice(0, wanted);
  if (prompts.length === 0) return [];
  const templates = await Promise.all([chosen, original].map(({ checkpoint }) => hasChatTemplate(checkpoint.home)));
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
          ...(templates.every(Boolean) && { chat: true }),
          ...(precision !== undefined && { precision }),
        },
      ],
      work: [original, chosen].flatMap(({ checkpoint }) =>
        prompts.map(() => ({ architecture: requireArchitecture(checkpoint), writes: NEW_TOKENS })),
      ),
    },
  ];
}

/** "short and model" */
export const namesOf = ({ chosen, original }: Both): readonly [string, string] => [
  basename(chosen.path),
  basename(original.path),
];
