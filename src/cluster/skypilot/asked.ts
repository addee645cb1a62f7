/** What a user asks of SkyPilot: the options, and their values once they are checked. */
import { basename, posix } from 'node:path';
import { version } from '../../../package.json';
import { OptionError, UserError } from '../../engine/errors';
import { AskedValues, optional } from '../asked-values';
import type { ClusterRun } from '../folder';

/** Where nodes see the bucket of records, and that of models. */
export const RECORDS_PATH = '/records';
export const MODELS_PATH = '/models';

/** By name, as the command line has them. */
export const SKYPILOT_OPTIONS = {
  records: {
    placeholder: 'url',
    help: `bucket for records, such as s3://my-records; nodes see it at ${RECORDS_PATH}`,
  },
  'records-folder': {
    placeholder: 'path',
    help: "the run's folder inside that bucket (default: the last part of --folder)",
  },
  models: { placeholder: 'url', help: `bucket with models and texts, which nodes see at ${MODELS_PATH}` },
  nodes: { placeholder: 'n', help: 'nodes of the cluster (default: one for each part)' },
  image: { placeholder: 'name', help: `container image with Coppice (default: coppice:${version})` },
  infra: { placeholder: 'where', help: 'cloud, region and zone, such as aws/us-east-1 (default: the cheapest)' },
  cpus: { placeholder: 'n', help: 'least processors of a node' },
  'memory-limit': { placeholder: 'size', help: 'least memory of a node, such as 16GiB (default: from an estimate)' },
  gpus: { placeholder: 'name:n', help: 'GPUs of a node, such as L4:1' },
  spot: { placeholder: 'yes', help: 'nodes that the cloud may take back at any time, and that cost less' },
} as const satisfies Readonly<Record<string, { readonly placeholder: string; readonly help: string }>>;

export type SkypilotOption = keyof typeof SKYPILOT_OPTIONS;

/** Checked. */
export interface Asked {
  readonly records: string;
  /** The run's folder, as nodes see it. */
  readonly runFolder: string;
  readonly models: string | undefined;
  readonly nodes: number | undefined;
  readonly image: string;
  readonly infra: string | undefined;
  readonly cpus: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly gpus: string | undefined;
  readonly spot: boolean;
}

const values = new AskedValues('SkyPilot', Object.keys(SKYPILOT_OPTIONS) as SkypilotOption[]);

/**
 * @param folder of the run, on this machine
 * @throws OptionError naming the option
 */
export function readAsked(given: Readonly<Record<string, string>>, folder: string): Asked {
  const asked = values.known(given);
  if (asked.records === undefined) {
    throw new OptionError(
      'SkyPilot needs records',
      'nodes write their records to a bucket, and none is named',
      'Name a bucket, such as s3://my-records.',
    );
  }
  const inside = values.insideVolume('records-folder', asked['records-folder'] ?? basename(folder));
  return {
    records: bucket('records', asked.records),
    runFolder: `${RECORDS_PATH}/${inside}`,
    models: optional(asked.models, (text) => bucket('models', text)),
    nodes: optional(asked.nodes, (text) => values.whole('nodes', text)),
    image: values.imageName('image', asked.image ?? `coppice:${version}`),
    infra: optional(asked.infra, (text) => matching('infra', text, INFRA, 'a cloud, or a cloud with region and zone')),
    cpus: optional(asked.cpus, (text) => values.processors('cpus', text)),
    memoryBytes: optional(asked['memory-limit'], (text) => values.bytes('memory-limit', text)),
    gpus: optional(asked.gpus, (text) => matching('gpus', text, GPUS, 'a name and a number, such as L4:1')),
    spot: optional(asked.spot, (text) => matching('spot', text, /^yes$/, '"yes"')) !== undefined,
  };
}

/** The stores that SkyPilot mounts by their address. */
const BUCKET = /^(?:s3|gs|r2|cos|oci|nebius|cw):\/\/[a-z0-9][\w./-]{1,200}$/;
const AZURE = /^https:\/\/[a-z0-9]{3,24}\.blob\.core\.windows\.net\/[a-z0-9-]{3,63}$/;
const INFRA = /^[\w*-]{1,32}(?:\/[\w*.-]{1,64}){0,2}$/;
const GPUS = /^[A-Za-z][\w.-]{0,40}(?::\d{1,2})?$/;

function bucket(name: 'records' | 'models', text: string): string {
  if (BUCKET.test(text) || AZURE.test(text)) return text.replace(/\/$/, '');
  throw values.refused(name, text, 'the address of a bucket, such as s3://my-records');
}

function matching(name: SkypilotOption, text: string, form: RegExp, must: string): string {
  if (form.test(text)) return text;
  throw values.refused(name, text, must);
}

/** CPU threads of a part. A node may have more processors than were asked for, and a part is alone on it: it takes all. */
export const nodeThreads = ({ cpus }: ClusterRun['asked']): number | undefined =>
  cpus === undefined ? undefined : Math.max(1, Math.floor(values.processors('cpus', cpus)));

/**
 * A path of the job's options. Nodes see nothing of this machine, so the user gives the paths that they have.
 * @throws UserError for a path outside the buckets
 */
export function nodePath(path: string): string {
  const place = posix.normalize(path).replace(/(?<=.)\/$/, '');
  const isInside = [MODELS_PATH, RECORDS_PATH].some((folder) => place === folder || place.startsWith(`${folder}/`));
  if (isInside) return place;
  throw new UserError(
    `Nodes do not see ${path}`,
    `they see the bucket of models at ${MODELS_PATH}, that of records at ${RECORDS_PATH}, and nothing of this machine`,
    'Copy it to one of the buckets, and give the path that it has there.',
  );
}
