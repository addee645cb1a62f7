/** What Kubernetes says of a run's jobs and their pods. Its answer is checked: a number that is missing is not a zero. */
import { UserError } from '../../engine/errors';
import { isObject } from '../../format/json';
import type { Submission } from '../folder';
import type { Queue, Queued } from '../scheduler';

/** A job, as far as it matters here. */
export interface JobState {
  readonly name: string;
  readonly pods: number;
  /** By index. */
  readonly completed: ReadonlySet<number>;
  readonly failed: ReadonlySet<number>;
  /** Why nothing of it runs any more: "Complete", "DeadlineExceeded". */
  readonly ended?: string;
  /** It waits for its queue, and has no pods. */
  readonly suspended?: true;
}

/** A pod of a job. */
export interface PodState {
  readonly job: string;
  readonly index: number;
  /** Milliseconds since 1970: of several pods of an index, the youngest counts. */
  readonly created: number;
  readonly phase: string;
  readonly host?: string;
  readonly reason?: string;
}

const JOB_LABEL = 'batch.kubernetes.io/job-name';
const INDEX_ANNOTATION = 'batch.kubernetes.io/job-completion-index';

export const podsOf = (jobs: readonly string[]): string => `${JOB_LABEL} in (${jobs.join(',')})`;

/** @param text a List of Jobs, or nothing where there are none @throws UserError */
export const readJobs = (text: string): JobState[] => itemsOf(text, 'jobs').map(jobOf);

/** @param text a List of Pods @throws UserError */
export const readPods = (text: string): PodState[] => itemsOf(text, 'pods').map(podOf);

function itemsOf(text: string, what: string): unknown[] {
  if (text.trim() === '') return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw noAnswer(what, 'it is not JSON', error);
  }
  if (!isObject(value)) throw noAnswer(what, 'it is not an object');
  if (value.kind === 'Job') return [value]; // of one name that is given, kubectl prints no list
  if (!Array.isArray(value.items)) throw noAnswer(what, 'it has no list of items');
  return value.items;
}

const noAnswer = (what: string, why: string, cause?: unknown): UserError =>
  new UserError(`Kubernetes' answer about ${what} cannot be read`, why, 'Try `kubectl get jobs` here.', { cause });

function jobOf(value: unknown): JobState {
  const { metadata, spec, status } = objects(value, ['metadata', 'spec', 'status'], 'jobs');
  const { name } = metadata;
  const { completions } = spec;
  if (typeof name !== 'string') throw noAnswer('jobs', 'a job has no name');
  if (typeof completions !== 'number' || !Number.isSafeInteger(completions) || completions < 1)
    throw noAnswer('jobs', `${name} has no number of completions`);
  const indexes = (field: string): ReadonlySet<number> => {
    const found = parseIndexes(status[field] ?? '', completions);
    if (!found) throw noAnswer('jobs', `${name}: ${field} is ${JSON.stringify(status[field])}`);
    return found;
  };
  const end = conditionsOf(status).find(({ type, status: is }) => is === 'True' && (type === 'Complete' || type === 'Failed')); // prettier-ignore
  return {
    name,
    pods: completions,
    completed: indexes('completedIndexes'),
    failed: indexes('failedIndexes'),
    ...(end && { ended: textOf(end.reason) || textOf(end.type) }),
    ...(spec.suspend === true && { suspended: true as const }),
  };
}

/** "1,3-5,7", ascending, as indexes below `count`. @returns undefined for anything else */
export function parseIndexes(text: unknown, count: number): ReadonlySet<number> | undefined {
  if (typeof text !== 'string') return undefined;
  const found = new Set<number>();
  let next = 0; // the least that may follow
  for (const range of text === '' ? [] : text.split(',')) {
    const [, first, last = first] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(range) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (!(from >= next && to >= from && to < count)) return undefined;
    for (let index = from; index <= to; index++) found.add(index);
    next = to + 1;
  }
  return found;
}

function podOf(value: unknown): PodState {
  const { metadata, spec, status } = objects(value, ['metadata', 'spec', 'status'], 'pods');
  const labels = isObject(metadata.labels) ? metadata.labels : {};
  const annotations = isObject(metadata.annotations) ? metadata.annotations : {};
  const [job, index] = [labels[JOB_LABEL], annotations[INDEX_ANNOTATION]];
  if (typeof job !== 'string' || typeof index !== 'string' || !/^\d{1,6}$/.test(index))
    throw noAnswer('pods', `${textOf(metadata.name) || 'a pod'} is no pod of an indexed job`);
  const reason = reasonOf(status);
  return {
    job,
    index: Number(index),
    created: Date.parse(textOf(metadata.creationTimestamp)) || 0,
    phase: textOf(status.phase),
    ...(typeof spec.nodeName === 'string' && { host: spec.nodeName }),
    ...(reason !== '' && { reason }),
  };
}

/** Of a container that waits or ended with an error, else of the pod: "ImagePullBackOff", "OOMKilled", "Unschedulable". */
function reasonOf(status: Record<string, unknown>): string {
  const containers = Array.isArray(status.containerStatuses) ? status.containerStatuses.filter(isObject) : [];
  const reasons = containers.flatMap(({ state }) => {
    const { waiting, terminated } = isObject(state) ? state : {};
    if (isObject(waiting)) return [textOf(waiting.reason)];
    return isObject(terminated) && terminated.exitCode !== 0 ? [textOf(terminated.reason)] : [];
  });
  const unscheduled = conditionsOf(status).find(({ type, status: is }) => type === 'PodScheduled' && is === 'False');
  const known = [...reasons, textOf(status.reason), textOf(unscheduled?.reason)];
  return known.find((reason) => reason !== '') ?? '';
}

/** What Kubernetes has of a run. @param submissions oldest first: of a part, the last job that is there counts */
export function queueOf(
  submissions: readonly Submission[],
  jobs: readonly JobState[],
  pods: readonly PodState[],
): Queue {
  const parts = new Map<number, Queued>();
  let gather: Queued | undefined;
  for (const { id, parts: numbers } of submissions) {
    const job = jobs.find(({ name }) => name === id);
    if (!job) continue;
    const states = statesOf(job, pods);
    if (numbers.length === 0) gather = states[0];
    else {
      numbers.forEach((number, index) => states[index] && parts.set(number, states[index]));
      // The pods of parts gather: it is to come while one of them is, and was tried once none is.
      const failed = states.find(({ reason }) => reason !== undefined);
      const isOver = states.every(({ state }) => state === 'ended');
      gather = isOver ? { state: 'ended', ...(failed && { reason: failed.reason }) } : { state: 'waiting' };
    }
  }
  return { parts, ...(gather && { gather }) };
}

function statesOf(job: JobState, pods: readonly PodState[]): Queued[] {
  const youngest = new Map<number, PodState>();
  for (const pod of pods) {
    const other = youngest.get(pod.index);
    if (pod.job === job.name && (!other || pod.created >= other.created)) youngest.set(pod.index, pod);
  }
  return Array.from({ length: job.pods }, (_, index) => stateOf(job, index, youngest.get(index)));
}

function stateOf(job: JobState, index: number, pod: PodState | undefined): Queued {
  const where = pod?.host === undefined ? {} : { host: pod.host };
  if (job.completed.has(index)) return { state: 'ended', ...where };
  if (job.failed.has(index) || job.ended !== undefined)
    return { state: 'ended', ...where, reason: pod?.reason ?? job.ended ?? 'Failed' };
  if (pod?.phase === 'Running') return { state: 'running', ...where };
  const reason = pod?.reason ?? (job.suspended && 'Suspended');
  return { state: 'waiting', ...(reason !== undefined && { reason }) };
}

function objects<K extends string>(
  value: unknown,
  fields: readonly K[],
  what: string,
): Record<K, Record<string, unknown>> {
  const found = fields.map((field) => {
    const inside = isObject(value) ? value[field] : undefined;
    if (!isObject(inside)) throw noAnswer(what, `an item has no ${field}`);
    return [field, inside] as const;
  });
  return Object.fromEntries(found) as Record<K, Record<string, unknown>>;
}

const conditionsOf = ({ conditions }: Record<string, unknown>): Record<string, unknown>[] =>
  Array.isArray(conditions) ? conditions.filter(isObject) : [];

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
