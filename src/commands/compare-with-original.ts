/**
 * Compare with the Original…: opens the page of before and after, and offers to measure what it still lacks, and nothing else,
 * as one job with its time before it starts. The model card of a checkpoint that Coppice wrote gets the numbers.
 */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { BeforeAfter } from '../engine/records/before-after/before-after';
import type { Checkpoint } from '../engine/checkpoint/types';
import { CancelledError, UserError } from '../engine/errors';
import { updateCard } from '../engine/records/card-section';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { Command, CommonArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { timeWords } from '../host/ask/job-time';
import { inform, nextCommand } from '../host/inform';
import { runParts } from '../host/jobs/run-parts';
import { requireTrusted } from '../host/restricted';
import { did } from '../host/tour';
import { askAll, pickMany, type Step } from '../host/ask/steps';
import { judgePlan } from './judge-plan';
import { type Kin, type Member, pageOf, readKin, showPage } from './before-after-page';
import { type Given, missingParts, namesOf, type MissingPart, type PartName } from './comparison-parts';

export interface CompareArguments extends CommonArguments, Given {
  /** Path of the original; the one that records name when undefined. */
  readonly original?: string;
  /** What may be measured; asked when undefined, unless `throws` is set. */
  readonly parts?: readonly PartName[];
  /** Only what the verdict waits for: the perplexity on another text, of the plan where there is one. */
  readonly judge?: boolean;
}

/** What a comparison did. */
export interface Comparison {
  /** Jobs that ran. */
  readonly ran: number;
  /** What is not measured, in words. */
  readonly missing: readonly string[];
  /** The model card that has the numbers now. */
  readonly card?: string;
}

type Both = Kin & { readonly original: Member };

export const compareWithOriginalCommand: Command<CompareArguments> = {
  id: 'coppice.compareWithOriginal',
  async run(coppice, args, settle): Promise<Comparison> {
    const trusted = vscode.workspace.isTrusted;
    if (!isAsked(args)) requireTrusted(trusted);
    const title = vscode.l10n.t('Compare with the Original');
    const made = await coppice.tree.madeFromListed();
    const chosen = await chooseCheckpoint(coppice, args, title, { takes: ({ path }) => made.has(path) });
    if (args.judge && coppice.plans.removed(chosen.subject).length > 0) return judgePlan(coppice, chosen, args);
    const kin = await kinOf(coppice, chosen, args, title);
    const page = (await pageOf(coppice, kin))!;
    if (isAsked(args)) await showPage(coppice, kin, page);
    if (!trusted) return { ran: 0, missing: neededBy(page) };
    const lacking = await missingParts(coppice, kin, page, args);
    const { parts } = await chooseParts(coppice, kin, lacking, args);
    settle({ ...args, checkpoint: chosen.path, original: kin.original.path, parts });
    const jobs = lacking
      .filter(({ name }) => parts.includes(name))
      .flatMap(({ name, jobs: all }) => all.map((spec) => ({ what: nameOfPart(name), spec })));
    const about = {
      ...({ kind: 'compare', checkpoint: chosen.path } as const),
      ...{ title: vscode.l10n.t('Compare'), word: vscode.l10n.t('Comparing') },
    };
    if (jobs.length > 0) await runParts(coppice, about, jobs, args.device);
    return finish(coppice, chosen, kin.original, jobs.length, args);
  },
};

/** The user sees the page first, and decides what is measured. */
const isAsked = ({ parts, judge, throws }: CompareArguments): boolean =>
  parts === undefined && judge !== true && throws !== true;

const neededBy = ({ missing }: BeforeAfter): string[] =>
  missing.filter(({ optional }) => !optional).map(({ what }) => what);

/** The model and its original. @throws UserError without an original; CancelledError */
async function kinOf(coppice: Coppice, chosen: Chosen, args: CompareArguments, title: string): Promise<Both> {
  const named = args.original === undefined ? undefined : await memberAt(coppice, args.original);
  const kin = await readKin(coppice, chosen, named);
  if (named === undefined && kin.original) return { ...kin, original: kin.original };
  const original = named ?? (args.throws ? undefined : await askOriginal(coppice, chosen, title));
  if (!original || original.checkpoint.identity === chosen.checkpoint.identity) throw noOriginal(chosen);
  return { ...(await readKin(coppice, chosen, original)), original };
}

async function memberAt({ library }: Coppice, given: string): Promise<Member> {
  const path = await library.resolve(given);
  return { path, checkpoint: await library.load(path) };
}

/** Among the listed models that compute. Undefined if it is the only one. */
async function askOriginal(coppice: Coppice, chosen: Chosen, title: string): Promise<Member | undefined> {
  const { library } = coppice;
  const others = library
    .entries()
    .filter(({ path }) => path !== chosen.path && couldBeOriginal(library.peek(path), chosen));
  if (others.length === 0) return undefined;
  const items = others.map(({ path }) => ({ label: basename(path), description: path, path }));
  const placeHolder = vscode.l10n.t('Select the original that {0} was made from', basename(chosen.path));
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder, matchOnDescription: true });
  if (!picked) throw new CancelledError();
  return memberAt(coppice, picked.path);
}

/** Pruning leaves width and vocabulary as they are, and no model has more blocks than its original. */
function couldBeOriginal(other: Checkpoint | undefined, { architecture }: Chosen): boolean {
  const original = other?.architecture;
  return (
    original?.hidden === architecture.hidden &&
    original.vocabulary === architecture.vocabulary &&
    original.layers.length >= architecture.layers.length
  );
}

const noOriginal = ({ path }: Chosen): UserError =>
  new UserError(
    vscode.l10n.t('There is no original to compare {0} with', basename(path)),
    vscode.l10n.t('no record says which model it was made from, or that model is not in the view'),
    vscode.l10n.t('Open the original with “Coppice: Open Checkpoint…”, then compare again.'),
  );

const nameOfPart = (name: PartName): string =>
  ({
    perplexity: vscode.l10n.t('perplexity'),
    probes: vscode.l10n.t('probes'),
    speed: vscode.l10n.t('speed'),
    texts: vscode.l10n.t('sample texts'),
  })[name];

/** Says what runs and how long each part takes; all are ticked. */
async function chooseParts(
  coppice: Coppice,
  kin: Both,
  lacking: readonly MissingPart[],
  args: CompareArguments,
): Promise<{ readonly parts: readonly PartName[] }> {
  const all = lacking.map(({ name }) => name);
  if (args.parts !== undefined) return { parts: args.parts };
  if (args.judge) return { parts: ['perplexity'] };
  if (args.throws || all.length === 0) return { parts: all };
  const [result, original] = namesOf(kin);
  const choices = lacking.map(({ label, name, jobs }) => {
    return { label, description: timeWords(coppice, kin.chosen, ...jobs), value: name };
  });
  const time = timeWords(coppice, kin.chosen, ...lacking.flatMap(({ jobs }) => jobs));
  const { t } = vscode.l10n;
  const title = t('Compare {0} with {1}: {2} in all', result, original, time);
  const placeholder = t('Press Enter to measure the selected items');
  const step: Step<{ parts: readonly PartName[] }> = async (_, place) => {
    return { parts: await pickMany(place, placeholder, choices, all) };
  };
  return askAll(title, { parts: all }, [step]);
}

async function finish(
  coppice: Coppice,
  chosen: Chosen,
  original: Member,
  ran: number,
  args: CompareArguments,
): Promise<Comparison> {
  const kin = await readKin(coppice, chosen, original);
  const page = (await pageOf(coppice, kin))!;
  const needed = neededBy(page);
  const card = needed.length === 0 ? await updateCard(chosen.checkpoint, page) : undefined;
  await showPage(coppice, kin, page);
  await did('coppice.did.compare');
  const name = basename(chosen.path);
  const told = card
    ? vscode.l10n.t('{0} was compared with the original. Its model card (README.md) has the numbers.', name)
    : vscode.l10n.t('{0} was compared with the original.', name);
  if (ran > 0)
    inform(args, told, nextCommand(vscode.l10n.t('Open Results'), 'coppice.openResults', { checkpoint: chosen.path }));
  return { ran, missing: needed, ...(card !== undefined && { card }) };
}
