/** The task of a run: what a node is, what it sees, and the parts that it computes. */
import { stringify } from 'yaml';
import { version } from '../../../package.json';
import { quoted } from '../../format/shell';
import type { ClusterRun } from '../folder';
import { type Asked, MODELS_PATH, RECORDS_PATH } from './asked';

/** The margin on an estimate of memory: half of it again. */
const MEMORY_MARGIN = 1.5;
const GIB = 2 ** 30;

/** The task as SkyPilot has it. @param name of the task */
export function taskOf(run: ClusterRun, asked: Asked, name: string): object {
  const memory = asked.memoryBytes ?? (run.estimate && run.estimate.memoryBytes * MEMORY_MARGIN);
  return {
    name,
    num_nodes: Math.min(asked.nodes ?? run.parts, run.parts),
    resources: {
      image_id: `docker:${asked.image}`,
      ...(asked.infra !== undefined && { infra: asked.infra }),
      ...(asked.cpus !== undefined && { cpus: `${asked.cpus}+` }),
      ...(memory !== undefined && { memory: `${Math.ceil(memory / GIB)}+` }),
      ...(asked.gpus !== undefined && { accelerators: asked.gpus }),
      ...(asked.spot && { use_spot: true }),
    },
    file_mounts: {
      ...(asked.models !== undefined && { [MODELS_PATH]: { source: asked.models, mode: 'MOUNT' } }),
      [RECORDS_PATH]: { source: asked.records, mode: 'MOUNT' },
    },
    run: nodeScript(run, asked),
  };
}

/**
 * For bash. Node k of n computes parts k, k + n, …, leaves out what is there, and gathers if it finds all parts. A bucket may not
 * rename files, so a record is made on the node's own disk and copied when it is whole.
 */
export function nodeScript(run: ClusterRun, asked: Asked): string {
  const word = (text: string): string => quoted(text, 'posix');
  const coppice = run.command.map(word).join(' ');
  return [
    'set -eu',
    `run=${word(asked.runFolder)}`,
    'own=$(mktemp -d)',
    'mkdir -p "$run/parts"',
    'part=$((SKYPILOT_NODE_RANK + 1))',
    `while [ "$part" -le ${run.parts} ]; do`,
    '  record="$run/parts/part-$part.json"',
    '  if [ ! -e "$record" ]; then',
    `    ${coppice} ${run.words.map(word).join(' ')} \\`,
    `      --part "$part/${run.parts}" --record "$own/part-$part.json"`,
    '    cp "$own/part-$part.json" "$record"',
    '  fi',
    '  part=$((part + SKYPILOT_NUM_NODES))',
    'done',
    '# The last node finds all parts, and makes the record of them.',
    'part=1',
    'while [ -e "$run/parts/part-$part.json" ]; do part=$((part + 1)); done',
    `if [ "$part" -gt ${run.parts} ]; then`,
    `  ${coppice} gather "$run/parts" --out "$own/record.json"`,
    '  cp "$own/record.json" "$run/record.json"',
    'fi',
    '',
  ].join('\n');
}

/** The task as a file. */
export function taskText(task: object): string {
  const head = `# Written by Coppice ${version}. Launch it with: sky launch -c coppice ${TASK_FILE}`;
  return `${head}\n${stringify(task, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })}`;
}

export const TASK_FILE = 'task.yaml';
