/** The types of results in the library's declarations, from the shapes that jobs declare: with their words as comments. */
import { capitalized } from '../../src/format/words';
import { JOBS } from '../../src/jobs/definitions';
import type { Field } from '../../src/jobs/result';
import { healNumbers } from '../../src/jobs/results/common';
import { draftUse, generated, oneText, severalTexts } from '../../src/jobs/results/generate';

/** By the names of their types. */
export const RESULTS: Readonly<Record<string, Field>> = {
  BenchResult: JOBS.bench.result,
  CurveResult: JOBS.curve.result,
  DraftResult: JOBS.draft.result,
  DraftUse: draftUse,
  EvaluateResult: JOBS.eval.result,
  ExpertsResult: JOBS.experts.result,
  ExportResult: JOBS.export.result,
  FrontierResult: JOBS.frontier.result,
  GenerateResult: oneText,
  GeneratedText: generated,
  GridResult: JOBS.grid.result,
  HealNumbers: healNumbers,
  HealResult: JOBS.heal.result,
  IterateResult: JOBS.iterate.result,
  MergeResult: JOBS.merge.result,
  PromptsResult: severalTexts,
  PruneResult: JOBS.prune.result,
  RetrainResult: JOBS.retrain.result,
  ScoreResult: JOBS.score.result,
  TasksResult: JOBS.tasks.result,
  VerifyResult: JOBS.verify.result,
  VersusResult: JOBS.versus.result,
  VocabularyResult: JOBS.vocabulary.result,
  WidthResult: JOBS.width.result,
};

/** Results do not leave the process, so that every number in them is a number, and none is the name of one. */
export function typeText(field: Field, indent = ''): string {
  return `${kindText(field, indent)}${field.nullable ? ' | null' : ''}`;
}

function kindText({ kind }: Field, indent: string): string {
  switch (kind.kind) {
    case 'number':
    case 'real':
    case 'whole':
      return 'number';
    case 'text':
      return kind.choices?.map((each) => `'${each}'`).join(' | ') ?? 'string';
    case 'flag':
      return 'boolean';
    case 'part':
      return 'number | string';
    case 'list': {
      const item = typeText(kind.of, indent);
      if (kind.length !== undefined) return `readonly [${Array<string>(kind.length).fill(item).join(', ')}]`;
      return `readonly (${item})[]`;
    }
    case 'either':
      return kind.of.map((each) => typeText(each, indent)).join(' | ');
    case 'shape': {
      const deeper = `${indent}  `;
      const lines = Object.entries(kind.fields).map(
        ([name, field]) =>
          `${deeper}/** ${capitalized(wordsOf(field))}. */\n${deeper}readonly ${name}${field.optional ? '?' : ''}: ${typeText(field, deeper)};`,
      );
      return `{\n${lines.join('\n')}\n${indent}}`;
    }
  }
}

const wordsOf = ({ words, unit = '' }: Field): string => (unit === '' ? words : `${words}, in ${unit}`);
