/**
 * Forecast a Draft…: says beforehand whether a small copy that proposes tokens makes the model faster, which the results panel
 * shows; from there the pair is written.
 */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { openResults } from '../editors/results/panel';
import { RUNTIME_FACTS } from '../engine/draft/runtimes';
import { formatNumber } from '../format/numbers';
import type { DraftResult } from '../jobs/results/draft';
import type { draft as definition } from '../jobs/definitions/draft';
import type { SpecOf } from '../protocol/jobs';
import { answersChats } from '../host/ask/answers-chats';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import { requireSpace } from '../host/ask/disk-space';
import { type DraftAnswers, draftSteps } from '../host/ask/draft-questions';
import { askOutputFolder, outputFolder } from '../host/ask/output-folder';
import { remember } from '../host/ask/remembered';
import { askAll, type Step, when } from '../host/ask/steps';
import type { Command, CommonArguments, JobArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { hintAtGit } from '../host/git-hint';
import { inform, nextCommand } from '../host/inform';
import { draftForecast, type DraftForecast } from '../host/jobs/draft-forecast';
import { runJob } from '../host/jobs/run-job';

type Option = 'chat' | 'heldOut' | 'maxNewTokens' | 'temperature' | 'targetType' | 'maxBytes' | 'out' | 'force' | 'bos';

/** Without `out` and `run` it only forecasts. */
export interface ForecastArguments extends CommonArguments, DraftAnswers, JobArguments<'draft', Option> {
  /** Id of a recorded forecast, whose best draft is taken: asks where to write, and writes the pair. */
  readonly run?: string;
}

export const forecastDraftCommand: Command<ForecastArguments> = {
  id: 'coppice.forecastDraft',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Forecast a Draft');
    const chosen = await chooseCheckpoint(coppice, args, title);
    const forecast = args.run === undefined ? undefined : await draftForecast(coppice, args.run);
    // The card has shown what it gains.
    const known: ForecastArguments = {
      ...(forecast && { ...forecast.given, alone: true, force: true }),
      ...args,
    };
    const complete = await askAll(title, known, [
      ...draftSteps<ForecastArguments>(coppice, chosen),
      ...(forecast ? [outStep(coppice, chosen, forecast)] : []),
    ]);
    if (args.run === undefined) {
      await remember(coppice, 'draft', { for: complete.for, prompts: complete.prompts });
    }
    settle({ ...complete, checkpoint: chosen.path });
    // A model that was trained to answer is asked as in a chat; a pair is judged on the text of its forecast.
    const chat = complete.chat ?? (forecast === undefined && (await answersChats(coppice, chosen.path)));
    const spec = specOf(chosen, { ...complete, ...(chat && { chat }) });
    if (spec.out !== undefined) requireSpace(spec.out, forecast && pairBytes(forecast));
    const { result, record } = await runJob(coppice, spec, { device: args.device });
    const run = record === null ? undefined : basename(record);
    // The card shows what came of it, also where an older run was chosen in it.
    if (!args.throws) await openResults(coppice, chosen.path, chosen.checkpoint, run);
    if (result.out !== null) {
      void hintAtGit(coppice, args, result.out);
      tellWritten(args, result, run);
    }
    return result;
  },
};

function specOf({ path }: Chosen, complete: ForecastArguments): SpecOf<typeof definition> {
  const { for: program = 'genai', prompts = '', drafts, remove, heal, type, costs, ...more } = complete;
  const { chat, heldOut, maxNewTokens, temperature, targetType, maxBytes, out, force, bos, consumers, consumersFrom } =
    more;
  return {
    kind: 'draft',
    checkpoint: path,
    ...{ for: program, prompts, drafts, remove, heal, type, costs, targetType, maxBytes, heldOut, maxNewTokens },
    ...{ chat, temperature, out, force, bos, consumers, consumersFrom },
  };
}

/** Of both models. */
const pairBytes = ({ digest, bytes = 0 }: DraftForecast): number | undefined =>
  digest.bytes === undefined ? undefined : digest.bytes + bytes;

function outStep(coppice: Coppice, { checkpoint }: Chosen, forecast: DraftForecast): Step<ForecastArguments> {
  return when<ForecastArguments>(
    ({ out }) => out === undefined,
    async (_, place) => {
      const { digest } = forecast;
      const { title } = RUNTIME_FACTS[digest.program];
      const value = outputFolder(coppice.config.outputFolder, checkpoint, vscode.l10n.t('pair'));
      const what = vscode.l10n.t('The model and the draft {0}, for {1}', digest.chosen ?? '', title);
      const prompt = [what, vscode.l10n.t('The new folder')].join('. ');
      return { out: await askOutputFolder(place, { prompt, value, bytes: pairBytes(forecast) }) };
    },
  );
}

function tellWritten(args: CommonArguments, { out, chosen, verified }: DraftResult, run: string | undefined): void {
  const { t } = vscode.l10n;
  const name = basename(out ?? '');
  const speedup = chosen?.speedupHeldOut ?? chosen?.speedup ?? null;
  const faster = speedup === null ? '' : t('{0} times as fast by the forecast', formatNumber(speedup, 3));
  const ran = verified ? t('{0} of {1} texts are the model’s own', verified.textsEqual, verified.texts) : '';
  const told = [faster, ran].filter((each) => each !== '').join(', ');
  inform(
    args,
    told === '' ? t('Wrote the pair {0}.', name) : t('Wrote the pair {0}: {1}.', name, told),
    ...(run === undefined ? [] : [nextCommand(t('Copy Code'), 'coppice.copyLoadingCode', { pair: run })]),
  );
}
