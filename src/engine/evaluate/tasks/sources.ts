/**
 * Where the data sets of the seven tasks are, and under which licence. Files are fetched only where their exact bytes
 * are known: a commit or an archive, its size and its SHA-256. For the others the user is told what to do by hand.
 */
import type { TaskName } from './catalogue';

/** A file on a server. */
export interface RemoteFile {
  readonly url: string;
  readonly bytes: number;
  /** SHA-256 (hex) of these bytes. */
  readonly sha256: string;
  /** File inside it that is the task's, if it is a ZIP archive. */
  readonly member?: string;
  /** Name of the task's file in the user's folder. */
  readonly file: string;
}

export interface Source {
  /** Who publishes the data set. */
  readonly from: string;
  readonly licence: string;
  /** None if there is no file of known bytes that is small enough. */
  readonly files: readonly RemoteFile[];
  /** How to get the file without this program. */
  readonly byHand: string;
}

const GITHUB = 'https://raw.githubusercontent.com';
const ARC = 'https://ai2-public-datasets.s3.amazonaws.com/arc/ARC-V1-Feb2018.zip';
const WINOGRANDE = 'https://storage.googleapis.com/ai2-mosaic/public/winogrande/winogrande_1.1.zip';
const PIQA = `${GITHUB}/ybisk/ybisk.github.io/21edab439af693b961be2f069e8690a88d3b4e37/piqa/data`;

const arc = (kind: 'Easy' | 'Challenge'): Source => ({
  from: 'Allen Institute for AI (allenai.org/data/arc)',
  licence: 'CC BY-SA 4.0',
  files: [],
  byHand:
    `Get ${ARC} (681 MB, most of it a corpus that no task needs), and take ` +
    `ARC-V1-Feb2018-2/ARC-${kind}/ARC-${kind}-Test.jsonl out of it; ` +
    `or write the test part of allenai/ai2_arc on the Hugging Face hub as JSON lines, arc_${kind.toLowerCase()}_test.jsonl.`,
});

export const SOURCES: Readonly<Record<TaskName, Source>> = {
  boolq: {
    from: 'Google, in the layout of SuperGLUE (copy in github.com/THUDM/P-tuning)',
    licence: 'CC BY-SA 3.0',
    files: [
      {
        url: `${GITHUB}/THUDM/P-tuning/f4225d4d8003868b31ed659dfe9732a351ad42d9/FewGLUE_32dev/BoolQ/val.jsonl`,
        bytes: 2254565,
        sha256: '0c86a5045886e5795fe9052003873f7d94b88ed3028a33007c51d99e44fd66d9',
        file: 'boolq_val.jsonl',
      },
    ],
    byHand:
      'Take BoolQ/val.jsonl of SuperGLUE (super.gluebenchmark.com/tasks), or dev.jsonl of BoolQ, as boolq_dev.jsonl.',
  },
  piqa: {
    from: 'Yonatan Bisk and others (github.com/ybisk/ybisk.github.io)',
    licence: 'AFL 3.0',
    files: [
      {
        url: `${PIQA}/valid.jsonl`,
        bytes: 495929,
        sha256: '93503cc97c679e459b065c3d13e848282e44b2a25213985bed3e5d458abef72d',
        file: 'piqa_valid.jsonl',
      },
      {
        url: `${PIQA}/valid-labels.lst`,
        bytes: 3676,
        sha256: 'b4192dc3a2a0363d9d60ccf79800cbbe2f32ebb17726efdde6970e0b8131bceb',
        file: 'piqa_valid-labels.lst',
      },
    ],
    byHand:
      'Take valid.jsonl and valid-labels.lst of yonatanbisk.com/piqa, as piqa_valid.jsonl and piqa_valid-labels.lst.',
  },
  hellaswag: {
    from: 'Rowan Zellers and others (github.com/rowanz/hellaswag)',
    licence: 'MIT',
    files: [
      {
        url: `${GITHUB}/rowanz/hellaswag/a29ff8e9a04bba4bd6588223785ce105328adc57/data/hellaswag_val.jsonl`,
        bytes: 12246618,
        sha256: '0aa3b88843990f3f10a97b9575c94d7b71fb2205240ba04ae4884d9e9c992588',
        file: 'hellaswag_val.jsonl',
      },
    ],
    byHand: 'Take data/hellaswag_val.jsonl of github.com/rowanz/hellaswag.',
  },
  winogrande: {
    from: 'Allen Institute for AI (winogrande.allenai.org)',
    licence: 'CC BY',
    files: [],
    byHand: `Get ${WINOGRANDE} (3.4 MB), and take winogrande_1.1/dev.jsonl out of it, as winogrande_dev.jsonl.`,
  },
  arc_easy: arc('Easy'),
  arc_challenge: arc('Challenge'),
  openbookqa: {
    from: 'Allen Institute for AI (allenai.org/data/open-book-qa)',
    licence: 'Apache 2.0',
    files: [
      {
        url: 'https://ai2-public-datasets.s3.amazonaws.com/open-book-qa/OpenBookQA-V1-Sep2018.zip',
        bytes: 1446098,
        sha256: '82368cf05df2e3b309c17d162e10b888b4d768fad6e171e0a041954c8553be46',
        member: 'OpenBookQA-V1-Sep2018/Data/Main/test.jsonl',
        file: 'OpenBookQA-Main-test.jsonl',
      },
    ],
    byHand:
      'Get OpenBookQA-V1-Sep2018.zip from allenai.org/data/open-book-qa, and take Data/Main/test.jsonl out of it, as ' +
      'OpenBookQA-Main-test.jsonl.',
  },
};
