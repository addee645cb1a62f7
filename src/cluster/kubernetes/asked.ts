/** What a user asks of Kubernetes: the options, and their values once they are checked. */
import { createHash } from 'node:crypto';
import { basename, posix } from 'node:path';
import { version } from '../../../package.json';
import { OptionError, UserError } from '../../engine/errors';
import { AskedValues, optional } from '../asked-values';
import type { ClusterRun } from '../folder';

/** Where pods see the volume of records. */
export const RECORDS_PATH = '/records';
/** Where pods see the volume of models, if nothing else is asked for. */
const MODELS_PATH = '/models';

/** By name, as the command line has them. */
export const KUBERNETES_OPTIONS = {
  image: { placeholder: 'name', help: `container image with Coppice (default: coppice:${version})` },
  'records-claim': {
    placeholder: 'name',
    help: `claim of the volume for records, which every node can write; pods see it at ${RECORDS_PATH}`,
  },
  'records-folder': {
    placeholder: 'path',
    help: "the run's folder inside that volume (default: the last part of --folder)",
  },
  'models-claim': { placeholder: 'name', help: 'claim of the volume with models and texts, which pods only read' },
  'models-path': { placeholder: 'path', help: `where pods see that volume (default: ${MODELS_PATH})` },
  namespace: { placeholder: 'name', help: "namespace of the job (default: kubectl's)" },
  parallelism: { placeholder: 'n', help: 'pods at a time (default: one for each part)' },
  cpus: { placeholder: 'n', help: 'processors of a pod, and threads of its part where --threads is not given' },
  'memory-limit': { placeholder: 'size', help: 'memory of a pod, such as 16GiB (default: from an estimate)' },
  gpus: { placeholder: 'n', help: 'GPUs of a pod, as nvidia.com/gpu' },
  'node-selector': { placeholder: 'list', help: 'labels that a node must have: disk=ssd,zone=a' },
  queue: {
    placeholder: 'name',
    help: 'queue of Kueue that the job waits in (a LocalQueue of its namespace), as the label kueue.x-k8s.io/queue-name',
  },
  user: { placeholder: 'uid:gid', help: 'user and group that pods run as (default: 1000:1000)' },
} as const satisfies Readonly<Record<string, { readonly placeholder: string; readonly help: string }>>;

export type KubernetesOption = keyof typeof KUBERNETES_OPTIONS;

/** Checked. */
export interface Asked {
  readonly image: string;
  readonly recordsClaim: string;
  /** The run's folder, as pods see it. */
  readonly runFolder: string;
  readonly modelsClaim: string | undefined;
  readonly modelsPath: string;
  readonly namespace: string | undefined;
  readonly parallelism: number | undefined;
  readonly cpus: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly gpus: number | undefined;
  readonly nodeSelector: Readonly<Record<string, string>> | undefined;
  /** Of Kueue. */
  readonly queue: string | undefined;
  readonly user: { readonly uid: number; readonly gid: number };
}

const values = new AskedValues('Kubernetes', Object.keys(KUBERNETES_OPTIONS) as KubernetesOption[]);
const QUEUE_LENGTH = 63;

/**
 * @param folder of the run, on this machine
 * @throws OptionError naming the option
 */
export function readAsked(given: Readonly<Record<string, string>>, folder: string): Asked {
  const asked = values.known(given);
  const claim = asked['records-claim'];
  if (claim === undefined) {
    throw new OptionError(
      'Kubernetes needs records-claim',
      'pods write their records to a volume, and its claim is not named',
      'Name the claim of a volume that every node can write to.',
    );
  }
  const { image, cpus } = asked;
  const name = (of: 'models-claim' | 'namespace'): string | undefined =>
    optional(asked[of], (text) => dnsName(of, text));
  return {
    image: image === undefined ? `coppice:${version}` : values.imageName('image', image),
    recordsClaim: dnsName('records-claim', claim),
    runFolder: `${RECORDS_PATH}/${values.insideVolume('records-folder', asked['records-folder'] ?? basename(folder))}`,
    modelsClaim: name('models-claim'),
    modelsPath: mountPath(asked['models-path'] ?? MODELS_PATH),
    namespace: name('namespace'),
    parallelism: optional(asked.parallelism, (text) => values.whole('parallelism', text)),
    cpus: optional(cpus, (text) => values.processors('cpus', text)),
    memoryBytes: optional(asked['memory-limit'], (text) => values.bytes('memory-limit', text)),
    gpus: optional(asked.gpus, (text) => values.whole('gpus', text)),
    nodeSelector: optional(asked['node-selector'], labelsOf),
    queue: optional(asked.queue, queueName),
    user: userOf(asked.user ?? '1000:1000'),
  };
}

/** The value of a label. */
function queueName(text: string): string {
  if (text.length <= QUEUE_LENGTH) return dnsName('queue', text);
  throw values.refused('queue', text, `a name of at most ${QUEUE_LENGTH} letters`);
}

/** Names of claims and namespaces. */
function dnsName(name: KubernetesOption, value: string): string {
  if (value.length <= 253 && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(value)) return value;
  throw values.refused(name, value, 'a name of small letters, digits, dots and dashes');
}

/** CPU threads of a part; undefined where no processors are asked for. */
export const podThreads = ({ cpus }: ClusterRun['asked']): number | undefined =>
  cpus === undefined ? undefined : Math.max(1, Math.floor(values.processors('cpus', cpus)));

function mountPath(path: string): string {
  const taken = [RECORDS_PATH, '/tmp'].some((other) => isInside(path, other) || isInside(other, path));
  if (posix.isAbsolute(path) && posix.normalize(path) === path && !/[\p{Cc}:]|\/$/u.test(path) && !taken) return path;
  throw values.refused('models-path', path, `an absolute path, not ${RECORDS_PATH} and not /tmp`);
}

/** Whether a path is a folder, or inside it. */
const isInside = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/**
 * A path of the job's options. Nothing of this machine is visible to pods, so the user gives the paths that they have.
 * @throws UserError for a path outside the volumes
 */
export function podPath(path: string, asked: ClusterRun['asked']): string {
  const models = mountPath(asked['models-path'] ?? MODELS_PATH);
  const place = posix.normalize(path).replace(/(?<=.)\/$/, '');
  if (isInside(place, models) || isInside(place, RECORDS_PATH)) return place;
  throw new UserError(
    `Pods do not see ${path}`,
    `they see the volume of models at ${models}, that of records at ${RECORDS_PATH}, and nothing of this machine`,
    'Copy it to one of the volumes, and give the path that it has there.',
  );
}

const LABEL_VALUE = /^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/;
const LABEL_KEY = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/;

function labelsOf(text: string): Record<string, string> {
  const pairs = text.split(',').map((pair) => {
    const [key, value, ...more] = pair.trim().split('=');
    const isLabel = value !== undefined && more.length === 0 && LABEL_KEY.test(key) && LABEL_VALUE.test(value);
    if (!isLabel) throw values.refused('node-selector', text, 'a list of labels, such as disk=ssd,zone=a');
    return [key, value] as const;
  });
  return Object.fromEntries(pairs);
}

function userOf(text: string): Asked['user'] {
  const [uid, gid] = (/^(\d{1,9}):(\d{1,9})$/.exec(text) ?? []).slice(1).map(Number);
  if (uid >= 1 && gid >= 1) return { uid, gid };
  throw values.refused('user', text, 'numbers of a user and a group, not 0, such as 1000:1000');
}

/** Room for "coppice-", a number of the submission and the index of a pod: host names end at 63 letters. */
const NAME_LENGTH = 32;

/**
 * Name of a run's job: from the name of its folder, because people look for it.
 * @param earlier submissions of the run
 */
export function jobName(runFolder: string, earlier: number): string {
  const folder = posix.basename(runFolder);
  const plain = folder.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, ''); // prettier-ignore
  const short = plain.slice(0, NAME_LENGTH).replace(/-$/, '');
  // What was cut off, or is in another alphabet, still makes a difference.
  const mark = createHash('sha256').update(folder).digest('hex').slice(0, 8);
  const name = short === plain && plain !== '' ? plain : [short, mark].filter((part) => part !== '').join('-');
  return `coppice-${name}${earlier === 0 ? '' : `-${earlier + 1}`}`;
}

/** The margin on an estimate of memory: half of it again. What a pod takes beyond its limit ends it. */
const MEMORY_MARGIN = 1.5;

/** Bytes of a pod: those asked for, else the estimate with its margin; undefined if neither is known. */
export const podMemory = ({ memoryBytes }: Asked, { estimate }: Pick<ClusterRun, 'estimate'>): number | undefined =>
  memoryBytes ?? (estimate && estimate.memoryBytes * MEMORY_MARGIN);
