/** The page of the criteria. */
import { CRITERION_LIST } from '../../src/engine/importance/criteria';
import type { CriterionInfo } from '../../src/engine/importance/criterion';
import { code, codes, list, type Page, page, prose, section, sentence, table } from './page';

/** The kind of a criterion's work. */
const EFFORTS: Readonly<Record<CriterionInfo['effort'], string>> = {
  products: 'forward passes',
  gradients: 'forward and backward passes',
  reading: 'one reading of the weights',
  none: 'none',
};

function effortOf({ effort, inTurn, asSet, seconds, work }: CriterionInfo): string {
  if (effort !== 'products' || work === undefined) return EFFORTS[effort];
  if (asSet) return `${EFFORTS[effort]}, a round for each removed block, then ${seconds ?? 0} s of search`;
  return inTurn ? `${EFFORTS[effort]}, a round for each removed block` : EFFORTS[effort];
}

const paperOf = ({ paper }: CriterionInfo): string =>
  paper === undefined ? '' : `[${[paper.authors, paper.name].filter(Boolean).join(', ')}](../references.md)`;

const yes = (is: boolean | undefined): string => (is ? 'yes' : '');

export const criteriaPage = (): Page =>
  page(
    'criteria.md',
    'Criteria',
    'A criterion is how blocks are scored. A higher score means that the block matters more. Which one to use is in ' +
      '[Choose blocks](../guide/choose-blocks.md); the formulas are in [Importance](../how-it-works/importance.md).',
    table(
      ['`--criterion`', 'In VS Code', 'What it measures', 'Paper'],
      CRITERION_LIST.map((each) => [code(each.name), each.title, sentence(prose(each.help)), paperOf(each)]),
    ),
    section(
      'What each takes',
      table(
        ['`--criterion`', 'Reads', 'Effort', 'Keeps low', 'Attention and FFN apart', 'Screened in int8', 'In parts'],
        CRITERION_LIST.map((each) => [
          code(each.name),
          each.reads.length === 0
            ? 'nothing'
            : each.reads.map((name) => (name === 'text' ? 'a calibration text' : name)).join(', '),
          effortOf(each),
          codes(each.objectives ?? []),
          yes(each.modules),
          yes(each.screens),
          yes(each.cut),
        ]),
      ),
      list([
        '_Keeps low_: `ppl` is the perplexity, `kl` the KL divergence. Where there are two, `--objective` chooses.',
        '_Attention and FFN apart_: `--granularity module` scores the two modules of a block separately.',
        '_Screened in int8_: `--precision auto` looks at all blocks in int8 and computes in float32 what decides. See ' +
          '[Screening](../how-it-works/screening.md).',
        '_In parts_: `--part` and [coppice submit](cli/submit.md) cut the work for several machines.',
        'Criteria with a round for each removed block take `--count`, and never remove a block of `--keep`.',
      ]),
    ),
    section(
      'See also',
      list(['[coppice score](cli/score.md), [coppice prune](cli/prune.md), [references](../references.md).']),
    ),
  );
