/** The README of a hand-over, and the packages that its programs need. */
import { inline } from '../engine/markdown';
import { counted } from '../format/words';
import { PACKAGES } from './config';
import type { Manifest, Target } from './manifest';
import { ORIGINAL } from './manifest';

const TITLES: Readonly<Record<Target, string>> = { trl: 'Hugging Face TRL', modelopt: 'NVIDIA ModelOpt' };

/** The text of requirements.txt. */
export const requirements = (to: Target): string =>
  Object.entries(PACKAGES[to])
    .map(([name, version]) => `${name}==${version}\n`)
    .join('');

export function readme({ plan, teacher, data, firstLoss, to }: Manifest): string {
  const { train, heldOut } = data;
  const model = inline(plan.model);
  const cut = plan.removed.length > 0 ? ` without the blocks ${plan.removed.join(', ')}` : '';
  const versions = Object.entries(PACKAGES[to])
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
  return `# Training of ${model}${cut}

Coppice wrote this folder. It has all that a training with ${TITLES[to]} on one or several GPUs needs, with the original as the teacher.

\`\`\`sh
pip install -r requirements.txt
python check.py
accelerate launch train.py
\`\`\`

\`check.py\` says whether the files are those that were handed over, and whether the first loss is the one that Coppice
computed (${firstLoss.loss.toFixed(6)} on the first ${counted(firstLoss.rows, 'row')}, at most ${firstLoss.tolerance} apart). \`accelerate launch\` takes all
GPUs of the machine; for several machines, or for models that one GPU cannot hold, make a configuration with \`accelerate config\`
first. \`torchrun --nproc-per-node 8 train.py\` does the same. A training that was interrupted goes on from its last saved step when
the command is given again.

| file                        | what it is                                                                                                    |
| --------------------------- | ------------------------------------------------------------------------------------------------------------- |
| \`checkpoint\`                | the model that is trained, with its tokenizer                                                                 |
| ${teacher.place === ORIGINAL ? '`original`                  | the original, which teaches it' : '(not here)                  | the original, which teaches it: `config.json` names its folder ("teacher"); change it where that is elsewhere'} |
| \`data/train.jsonl\`          | ${counted(train.examples, 'row')} to learn from, in the order in which Coppice would read them first: ids, labels (−100 is not learned), text |
| \`data/held-out.jsonl\`       | ${counted(heldOut.examples, 'row')} held out: they choose the step that is kept, so another text must judge the model in the end |
| \`config.json\`               | the settings: \`"method"\` is \`"lora"\` (an adapter) or \`"full"\` (every weight)                                |
| \`train.py\`                  | the training; \`training.py\` has its parts, \`distil.py\` its loss                                             |
| \`check.py\`                  | the comparison with Coppice                                                                                   |
| \`hand-over.json\`            | what was handed over, which \`coppice take\` reads                                                            |

The loss is a mean over all tokens to learn: ${1 - teacher.weight === 0 ? 'the KL divergence from the original’s distribution of the next token' : `${teacher.weight} of the KL divergence from the original’s distribution of the next token, and ${Number((1 - teacher.weight).toPrecision(3))} of the cross-entropy`}, at temperature 1.

The result is in \`result\`: an adapter in PEFT's format, or a checkpoint. Copy it back into this folder where Coppice is, and take it:

\`\`\`sh
coppice take . --out ../trained
\`\`\`

It was run with ${versions}, on the CPU, not on a GPU.
`;
}
