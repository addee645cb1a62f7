/**
 * The manifest of a run: an Indexed Job, whose pods have an index each. It needs Kubernetes 1.33, where the last of these
 * fields became stable: `completionMode` (1.24), `podFailurePolicy` (1.31), `backoffLimitPerIndex` (1.33). Servers from 1.29
 * on have them all switched on.
 */
import { stringify } from 'yaml';
import { version } from '../../../package.json';
import type { ClusterRun } from '../folder';
import { type Asked, podMemory, RECORDS_PATH } from './asked';
import { podScript } from './pod-script';

/** Where pods may write besides the records. */
const SCRATCH = '/tmp';
/** Further tries of a part after its first. A part that another node can do is worth two. */
const RETRIES = 2;
/** Exit code of a command line that is not valid. */
export const WRONG_USAGE = 2;
const CONTAINER = 'coppice';
const QUEUE_LABEL = 'kueue.x-k8s.io/queue-name';

/**
 * The Job as the API has it.
 * @param parts numbers, one pod for each; with none, one pod gathers
 */
export function jobManifest(run: ClusterRun, asked: Asked, name: string, parts: readonly number[]): object {
  const labels = { 'app.kubernetes.io/name': 'coppice', 'app.kubernetes.io/instance': name };
  const pods = Math.max(1, parts.length);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      ...(asked.namespace !== undefined && { namespace: asked.namespace }),
      // Kueue suspends a job with this label until its queue has room for it.
      labels: { ...labels, ...(asked.queue !== undefined && { [QUEUE_LABEL]: asked.queue }) },
    },
    spec: {
      completionMode: 'Indexed',
      completions: pods,
      parallelism: Math.min(asked.parallelism ?? pods, pods),
      backoffLimitPerIndex: RETRIES,
      podFailurePolicy: {
        rules: [
          // The node was drained or taken away: that does not count as a try of the part.
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          // What is wrong in the command line stays wrong.
          {
            action: 'FailIndex',
            onExitCodes: { containerName: CONTAINER, operator: 'In', values: [WRONG_USAGE] },
          },
        ],
      },
      template: { metadata: { labels }, spec: podSpec(run, asked, parts) },
    },
  };
}

function podSpec(run: ClusterRun, asked: Asked, parts: readonly number[]): object {
  const { uid, gid } = asked.user;
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 5, // a part that is stopped has nothing to save
    ...(asked.nodeSelector && { nodeSelector: asked.nodeSelector }),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: uid,
      runAsGroup: gid,
      fsGroup: gid,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [container(run, asked, parts)],
    volumes: [
      ...(asked.modelsClaim === undefined
        ? []
        : [{ name: 'models', persistentVolumeClaim: { claimName: asked.modelsClaim, readOnly: true } }]),
      { name: 'records', persistentVolumeClaim: { claimName: asked.recordsClaim } },
      { name: 'scratch', emptyDir: {} },
    ],
  };
}

function container(run: ClusterRun, asked: Asked, parts: readonly number[]): object {
  const resources = resourcesOf(run, asked);
  return {
    name: CONTAINER,
    image: asked.image,
    command: ['sh', '-c'],
    args: [podScript(run, asked, parts)],
    env: [
      { name: 'HOME', value: SCRATCH },
      { name: 'COPPICE_CACHE', value: `${SCRATCH}/coppice` },
    ],
    ...(Object.keys(resources).length > 0 && { resources: { requests: resources, limits: resources } }),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    terminationMessagePolicy: 'FallbackToLogsOnError', // `kubectl describe pod` then shows the three lines of an error
    volumeMounts: [
      ...(asked.modelsClaim === undefined ? [] : [{ name: 'models', mountPath: asked.modelsPath, readOnly: true }]),
      { name: 'records', mountPath: RECORDS_PATH },
      { name: 'scratch', mountPath: SCRATCH },
    ],
  };
}

/** Requests are limits: such pods are the last that a node under pressure evicts. */
function resourcesOf(run: ClusterRun, asked: Asked): Record<string, string> {
  const memory = podMemory(asked, run);
  return {
    ...(asked.cpus !== undefined && { cpu: cpuQuantity(asked.cpus) }),
    ...(memory !== undefined && { memory: memoryQuantity(memory) }),
    ...(asked.gpus !== undefined && { 'nvidia.com/gpu': String(asked.gpus) }),
  };
}

/** Quantities as the API writes them: 4, 3500m, 16Gi, 1536Mi. */
const cpuQuantity = (cpus: number): string => (Number.isInteger(cpus) ? String(cpus) : `${Math.round(cpus * 1000)}m`);

function memoryQuantity(bytes: number): string {
  const mebibytes = Math.ceil(bytes / 2 ** 20);
  return mebibytes % 1024 === 0 ? `${mebibytes / 1024}Gi` : `${mebibytes}Mi`;
}

/** The manifest as a file. */
export function manifestText(manifest: object): string {
  const head = [
    `# Written by Coppice ${version}. Needs Kubernetes 1.33 (or 1.29, where the same is not yet called stable).`,
  ];
  // Kubernetes reads YAML 1.1, in which `yes` and `12:30` without quotes are no texts.
  return `${head.join('\n')}\n${stringify(manifest, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })}`;
}
