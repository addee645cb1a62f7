/** The words of a line of the view "Jobs". Does not use VS Code. */
import { messageOf, UserError } from '../../engine/errors';
import { formatCount } from '../../format/numbers';
import { shortNumber } from '../../engine/records/compare';
import type { DraftDigest } from '../../engine/records/draft-digest';
import { precisionWords } from '../../format/arithmetic';
import { capitalized } from '../../format/words';
import { isKind } from '../../jobs/definitions';
import { doneTitle, jobTitle, titledJob, withoutWords } from '../../jobs/titles';
import { ago } from '../../format/ago';
import { judgedSpeedup } from '../../format/drafts';
import { evaluatedIn } from '../../format/evaluated';
import { l10n } from '../../l10n';
import type { JobInfo, JobSpec } from '../../protocol/jobs';
import type { StoredRun } from '../../jobs/record-store';
import { percentOf, progressShort, stateLine } from '../words/progress-words';
import type { FailedJob, JobLine, StoppedJob } from './line';

export interface LineWords {
  readonly label: string;
  readonly description: string;
  /** Lines of plain text. */
  readonly hover: readonly string[];
  /** What a screen reader says: state first, since icons tell it otherwise. */
  readonly spoken: string;
}

/** @param now milliseconds since the epoch */
export function wordsOf(line: JobLine, now: number): LineWords {
  const { t } = l10n;
  switch (line.kind) {
    case 'running':
    case 'queued':
      return liveWords(line.info, line.kind === 'queued', line.spec);
    case 'elsewhere':
      return words(titleOf(line.spec), t('runs in another window'), []);
    case 'training': {
      const { out, step, steps, request } = line.training;
      const label = jobTitle({ kind: 'retrain', checkpoint: request?.checkpoint ?? out });
      const description = t('stopped at step {0} of {1}', step, steps);
      return words(label, description, [t('Output folder: {0}', out)]);
    }
    case 'stopped': {
      return words(titleOf(line.job.spec), stoppedWords(line.job), []);
    }
    case 'parts':
      return words(jobTitle({ ...titledJob(line.run.spec), on: 'cluster' }), t('parts failed'), [line.run.folder]);
    case 'failed':
      return failedWords(line.failed, now);
    case 'finished':
      return finishedWords(line.run, now);
    case 'more':
      return { label: t('Show More…'), description: '', hover: [], spoken: t('Show more runs') };
  }
}

function words(label: string, description: string, hover: readonly string[], spoken?: string): LineWords {
  const said = spoken ?? `${label}, ${description}`;
  return { label, description, hover: [label, capitalized(description), ...hover], spoken: said };
}

const waitingWord = ({ lacks }: JobInfo): string => (lacks ? l10n.t('waiting for memory') : l10n.t('waiting'));

/** What a job leaves out tells it from others over the same model. */
const titleOf = (spec: JobSpec, on?: JobInfo['on']): string =>
  withoutWords(jobTitle({ ...titledJob(spec), ...(on && { on }) }), 'remove' in spec ? (spec.remove ?? []) : []);

const stoppedWords = ({ resumes, cancelled }: StoppedJob): string => {
  if (resumes) return l10n.t('stopped; can go on');
  return cancelled ? l10n.t('cancelled') : l10n.t('interrupted');
};

/** The place stands in the label only for a cluster: this machine is the usual one. */
function liveWords(info: JobInfo, behind: boolean, spec: JobSpec | undefined): LineWords {
  const { progress, on } = info;
  const label = spec ? titleOf(spec, on) : jobTitle(info);
  const state = stateLine(info, behind);
  const far = progress && percentOf(progress) !== undefined ? progressShort(progress) : state;
  const where = on === 'cluster' ? l10n.t('Runs on the cluster') : l10n.t('Runs on this machine');
  return {
    label,
    description: behind ? waitingWord(info) : far,
    hover: [label, state, ...(behind ? [] : [where])],
    // Without numbers: a screen reader would read the line at every change.
    spoken: behind ? l10n.t('{0}, waiting', label) : l10n.t('{0}, running', label),
  };
}

function failedWords({ spec, on, error, ended }: FailedJob, now: number): LineWords {
  const label = titleOf(spec, on);
  const { why, more } = reasonOf(error);
  const description = l10n.t('failed: {0}', why);
  return words(label, description, [...more, agoWords(ended, now)], l10n.t('Failed: {0}, {1}', label, why));
}

const agoWords = (then: number, now: number): string =>
  ago(then, { language: l10n.language, justNow: l10n.t('just now') }, now);

function reasonOf(error: unknown): { readonly why: string; readonly more: readonly string[] } {
  if (!(error instanceof UserError)) return { why: messageOf(error), more: [] };
  return { why: error.why, more: [capitalized(error.what), error.action] };
}

function finishedWords({ digest, file }: StoredRun, now: number): LineWords {
  const { kind, model, finished, removed, adapter, device, precision, exported, vocabulary, draft } = digest;
  const known = isKind(kind);
  const criterion = digest.score?.criterion ?? digest.curve?.criterion;
  const label = known
    ? doneTitle(
        { kind, checkpoint: model.name, options: { criterion, out: vocabulary?.written ?? draft?.written } },
        removed,
      )
    : withoutWords(`${kind} ${model.name}`, removed);
  const [measured] = evaluatedIn(digest);
  const facts = [
    ...(measured ? [l10n.t('perplexity {0}', shortNumber(measured.ppl))] : []),
    ...(exported === undefined ? [] : [exported]),
    ...(vocabulary ? [l10n.t('{0} of {1} tokens', formatCount(vocabulary.kept), formatCount(vocabulary.size))] : []),
    ...(draft ? draftFacts(draft) : []),
    ...(adapter === undefined ? [] : [l10n.t('with {0}', adapter)]),
  ];
  const hover = [
    label,
    ...facts.map(capitalized),
    new Date(finished).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' }),
    ...(device === null ? [] : [l10n.t('Computed on {0}, {1}', device, precisionWords(precision))]),
    file,
  ];
  const when = agoWords(Date.parse(finished), now);
  return {
    label,
    description: [when, ...facts].join(' · '),
    hover,
    spoken: l10n.t('{0}, finished {1}', [label, ...facts].join(', '), when),
  };
}

function draftFacts(draft: DraftDigest): string[] {
  if (draft.verdict === 'refused') return [l10n.t('no draft pays')];
  const speedup = judgedSpeedup(draft);
  return speedup === null ? [] : [l10n.t('{0} times as fast', shortNumber(speedup))];
}
