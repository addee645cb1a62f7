/** Evaluate Perplexity…: measures a checkpoint, whole or pruned by its plan, on a text. */
import { DEFAULT_WINDOW } from '../engine/importance/drawing';
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import type { EvaluateSpec } from '../protocol/jobs';
import { formatCount, formatNumber } from '../format/numbers';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import { chooseFile } from '../host/ask/choose-file';
import type { Command, CommonArguments, JobArguments } from '../host/command';
import { measuredRows } from '../jobs/amounts';
import { timeAndMemory } from '../host/ask/job-time';
import { inform } from '../host/inform';
import { wholeNumberFault } from '../host/ask/numbers';
import { recall, remember } from '../host/ask/remembered';
import { settingsText } from '../host/ask/settings-text';
import { runJob } from '../host/jobs/run-job';
import { flatteryOf, scoringTextsOf } from '../host/ask/scoring-texts';
import { ask, askAll, pick, type Place, type Step, when } from '../host/ask/steps';
import { type ModelChoice, modelSource, modelStep } from '../host/ask/model-choice';

export interface EvaluateArguments
  extends CommonArguments, ModelChoice, JobArguments<'eval', 'text' | 'window' | 'bos' | 'limit'> {}

export const evaluatePerplexityCommand: Command<EvaluateArguments> = {
  id: 'coppice.evaluatePerplexity',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Evaluate Perplexity');
    const chosen = await chooseCheckpoint(coppice, args, title);
    const textStep: Step<EvaluateArguments> = async (_, place) => {
      const { file } = coppice.config.calibration;
      const texts = await scoringTextsOf(coppice, chosen);
      const describe = (path: string): Promise<string | undefined> => flatteryOf(path, texts);
      const flattery = await describe(file);
      const bundled = settingsText(coppice);
      const description = [bundled.description, ...(flattery === undefined ? [] : [flattery])].join(' · ');
      const last = recall(coppice, 'evaluate', 'text', '', file);
      const placeholder = vscode.l10n.t('Select the text to measure perplexity on');
      const question = {
        placeholder,
        use: 'evaluation',
        fixed: [{ ...bundled, description }],
        active: last,
        describe,
      } as const;
      return { text: await chooseFile(coppice, place, question) };
    };
    const steps = [modelStep<EvaluateArguments>(coppice, chosen), textStep, limitStep(coppice, chosen)];
    const complete = args.text === undefined ? await askAll(title, args, steps) : args;
    const chosenText = args.text === undefined ? complete.text : undefined;
    await remember(coppice, 'evaluate', { text: chosenText }, { text: coppice.config.calibration.file });
    settle({ ...complete, checkpoint: chosen.path });
    const { window, bos, limit, text } = complete;
    const spec: EvaluateSpec = {
      kind: 'eval',
      ...modelSource(coppice, chosen, complete),
      text: text!,
      window,
      bos,
      limit,
    };
    const { result, notes, seen } = await runJob(coppice, spec, { device: args.device });
    const { windows, tokens, ppl } = result;
    const [words, name, count] = [formatNumber(ppl), basename(text!), formatCount(tokens)];
    // A part of a text does not measure the whole, so the message tells.
    const numbers =
      limit === undefined
        ? vscode.l10n.t('Perplexity {0} on {1} ({2} tokens).', words, name, count)
        : vscode.l10n.t(
            'Perplexity {0} on the first {1} windows of {2} ({3} tokens).',
            ...([words, formatCount(windows), name, count] as const),
          );
    if (!seen) inform(args, [numbers, ...notes].join(' '));
    return result;
  },
};

/** Numbers of windows to offer. */
const LIMITS = [16, 100, 500];
/** Enter takes this many, or the whole text if it is shorter. */
const USUAL = 100;
/** Values of the first and the last choice. */
const ALL = 0;
const OWN = -1;

/** Asks for a number of windows, with the time that it takes. */
async function askLimit(place: Place, last: number, whole: number, time: (rows: number) => string): Promise<number> {
  const text = await ask(place, {
    prompt: vscode.l10n.t('Number of windows to read, from the beginning of the text'),
    value: String(Math.max(1, Math.min(last > ALL ? last : USUAL, whole))),
    fault: (typed) => wholeNumberFault(typed, 1, Infinity),
    meaning: (typed) => time(Math.min(Number(typed), whole)),
  });
  return Number(text);
}

/** Asks how much of the text to read, with time estimates. A short text is read whole without asking. */
function limitStep(coppice: Coppice, chosen: Chosen): Step<EvaluateArguments> {
  const least = Math.min(...LIMITS);
  const all = ({ text, window = DEFAULT_WINDOW }: EvaluateArguments): number =>
    measuredRows({ text, window }, window)?.rows ?? 0;
  const step: Step<EvaluateArguments> = async (state, place) => {
    const { text, window } = state;
    const whole = all(state);
    const source = modelSource(coppice, chosen, state);
    const time = (limit: number): string =>
      timeAndMemory(coppice, chosen, { kind: 'eval', ...source, text, window, limit });
    const some = LIMITS.filter((limit) => limit < whole);
    const { t } = vscode.l10n;
    const choices = [
      { label: t('All {0} windows', formatCount(whole)), description: time(whole), value: ALL },
      ...some.map((limit) => ({ label: t('First {0} windows', limit), description: time(limit), value: limit })),
      { label: t('Another number…'), value: OWN },
    ];
    const last = recall<number>(coppice, 'evaluate', 'limit', USUAL);
    const active = choices.some(({ value }) => value === last) ? last : last > ALL && last < whole ? OWN : ALL;
    const picked = await pick(place, t('Select how much of the text to read'), choices, active);
    const limit = picked === OWN ? await askLimit(place, last, whole, time) : picked;
    await remember(coppice, 'evaluate', { limit });
    return limit === ALL ? {} : { limit };
  };
  return when((state) => {
    if (state.limit !== undefined) return false;
    return state.text === undefined ? undefined : all(state) > least;
  }, step);
}
