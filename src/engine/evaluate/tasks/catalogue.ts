/**
 * The seven zero-shot tasks of the paper (Shortened LLaMA, Table 1; lm-evaluation-harness 3326c54), and the names that
 * their files have: in the official archives, in exports from the Hugging Face hub, and with the task's name in front.
 */
import type { Metric } from './item';

export const TASK_NAMES = [
  'boolq',
  'piqa',
  'hellaswag',
  'winogrande',
  'arc_easy',
  'arc_challenge',
  'openbookqa',
] as const;

export type TaskName = (typeof TASK_NAMES)[number];

export interface TaskEntry {
  readonly title: string;
  /** The metric that the task's report and the average take. */
  readonly reported: Metric;
  /** Whether the choices differ in length, so that accNorm means anything. */
  readonly normalised: boolean;
  /** Names of its file, best first. A name without an extension stands for .jsonl, .json and .ndjson. */
  readonly files: readonly string[];
  /** Folders that may hold its file, inside the data folder. Case does not matter. */
  readonly folders: readonly string[];
  /** Names of its file in such a folder, where other tasks have files of the same name. */
  readonly inFolder: readonly string[];
  /** Names of the file with the labels, one a line, where the records have none. */
  readonly labels?: { readonly files: readonly string[]; readonly inFolder: readonly string[] };
}

export const TASKS: Readonly<Record<TaskName, TaskEntry>> = {
  boolq: {
    title: 'BoolQ',
    reported: 'acc',
    normalised: false,
    files: ['boolq_dev', 'boolq_val', 'boolq_validation', 'boolq'],
    folders: ['boolq', 'super_glue/boolq'],
    inFolder: ['dev', 'val', 'validation'],
  },
  piqa: {
    title: 'PIQA',
    reported: 'acc',
    normalised: true,
    files: ['piqa_valid', 'piqa_val', 'piqa_validation', 'piqa_dev', 'piqa'],
    folders: ['piqa', 'piqa/data', 'physicaliqa', 'physicaliqa-train-dev'],
    inFolder: ['valid', 'dev', 'validation', 'val'],
    labels: {
      files: ['piqa_valid-labels.lst', 'piqa_dev-labels.lst'],
      inFolder: ['valid-labels.lst', 'dev-labels.lst'],
    },
  },
  hellaswag: {
    title: 'HellaSwag',
    reported: 'accNorm',
    normalised: true,
    files: [
      'hellaswag_val',
      'hellaswag_validation',
      'hellaswag_dev',
      'hellaswag',
      'hellaswag_val_full.txt',
      'hellaswag_val_first100.txt',
    ],
    folders: ['hellaswag', 'hellaswag/data', 'hellaswag_text_data'],
    inFolder: ['val', 'validation', 'dev'],
  },
  winogrande: {
    title: 'WinoGrande',
    reported: 'acc',
    normalised: false,
    files: ['winogrande_dev', 'winogrande_val', 'winogrande_validation', 'winogrande'],
    folders: ['winogrande', 'winogrande_1.1', 'winogrande_xl'],
    inFolder: ['dev', 'validation', 'val'],
  },
  arc_easy: {
    title: 'ARC-easy',
    reported: 'acc',
    normalised: true,
    files: ['ARC-Easy-Test', 'arc_easy_test', 'arc_easy'],
    folders: ['arc_easy', 'ARC-Easy', 'ARC-V1-Feb2018-2/ARC-Easy', 'ARC-V1-Feb2018/ARC-Easy', 'ai2_arc/ARC-Easy'],
    inFolder: ['test'],
  },
  arc_challenge: {
    title: 'ARC-challenge',
    reported: 'accNorm',
    normalised: true,
    files: ['ARC-Challenge-Test', 'arc_challenge_test', 'arc_challenge'],
    folders: [
      'arc_challenge',
      'ARC-Challenge',
      'ARC-V1-Feb2018-2/ARC-Challenge',
      'ARC-V1-Feb2018/ARC-Challenge',
      'ai2_arc/ARC-Challenge',
    ],
    inFolder: ['test'],
  },
  openbookqa: {
    title: 'OpenBookQA',
    reported: 'accNorm',
    normalised: true,
    files: ['OpenBookQA-Main-test', 'openbookqa_test', 'openbookqa'],
    folders: ['openbookqa', 'openbookqa/main', 'OpenBookQA-V1-Sep2018/Data/Main', 'OpenBookQA-V1-Sep2018-2/Data/Main'],
    inFolder: ['test'],
  },
};

export const isTaskName = (name: string): name is TaskName => TASK_NAMES.some((each) => each === name);
