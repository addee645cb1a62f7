/** Options and commands in messages of the engine: each face has its own words for them. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import ts from 'typescript';
import { failureLines, failureOf } from '../../src/cli/failure';
import { terminalFeaturesOf } from '../../src/cli/terminal/features';
import { buildProgram } from '../../src/cli/program';
import { UserError } from '../../src/engine/errors';
import {
  command,
  COMMAND_NAMES,
  nameOptionsBy,
  option,
  OPTION_NAMES,
  renamed,
  renderOptions,
  set,
  shownText,
  TERMINAL_NAMING,
  value,
} from '../../src/engine/option-token';
import { failureOf as panelFailure } from '../../src/editors/results/failures';
import { EDITOR_NAMING } from '../../src/host/option-names';
import { remedyOf } from '../../src/host/remedy';
import { agentText } from '../../src/agents/naming';
import type { AnyJob } from '../../src/jobs/define';
import { JOBS } from '../../src/jobs/definitions';
import { scriptText } from '../../src/library/naming';
import { recipeText } from '../../src/recipes/naming';
import { fromWire, toWire } from '../../src/sidecar/wire';
import { textOf } from './house/repository';

const MERGE = command('merge', 'CHECKPOINT', option('adapter', 'DIR'), option('out', 'DIR'));

/** Message, as the terminal prints it, as the editor shows it. */
const MESSAGES: readonly (readonly [string, string, string])[] = [
  [`Raise ${option('memory')}.`, 'Raise --memory.', 'Raise “Coppice: Memory Limit”.'],
  [
    `${set('device', 'cpu')}, or give a smaller ${option('memory')}.`,
    'Use --device cpu, or give a smaller --memory.',
    'Set “Coppice: Device” to cpu, or give a smaller “Coppice: Memory Limit”.',
  ],
  [
    `Remove fewer, shorten ${option('keep')}, or ${set('keepEnds', false, 'give')}.`,
    'Remove fewer, shorten --keep, or give --no-keep-ends.',
    'Remove fewer, shorten “Coppice: Keep”, or turn “Coppice: Keep First And Last” off.',
  ],
  [`(${option('keepEnds', false)} lets)`, '(--no-keep-ends lets)', '(turning “Coppice: Keep First And Last” off lets)'],
  [
    `Add ${option('calibration', 'FILE')}: a text.`,
    'Add --calibration FILE: a text.',
    'Add “Coppice › Calibration: File”: a text.',
  ],
  [`${set('precision', 'float32')}.`, 'Use --precision float32.', 'Set the precision to float32.'],
  [
    renamed(`${set('precision', 'float32')}, not ${option('precision')}.`, 'precision', 'text.precision'),
    'Use --precision float32, not --precision.',
    'Set “Coppice: Text Precision” to float32, not “Coppice: Text Precision”.',
  ],
  [`Lower ${option('samples')}.`, 'Lower --samples.', 'Lower “Coppice › Calibration: Samples”.'],
  [
    `Give a ${option('retrain.length')} of at most 8.`,
    'Give a --length of at most 8.',
    'Give a row length of at most 8.',
  ],
  [`Give ${option('targetParams')} a number.`, 'Give --target-params a number.', 'Give the target size a number.'],
  [`Choose another ${option('out')}.`, 'Choose another --out.', 'Choose another output folder.'],
  [
    `if it is, ${set('otherBase', true, 'add')}.`,
    'if it is, add --other-base.',
    'if it is, turn the argument “otherBase” on.',
  ],
  [
    `Merge the adapter first: ${MERGE}.`,
    'Merge the adapter first: coppice merge CHECKPOINT --adapter DIR --out DIR.',
    'Merge the adapter first: “Coppice: Merge LoRA Adapter…”.',
  ],
  [
    `Give what \`${command('score', option('json'))}\` printed.`,
    'Give what `coppice score --json` printed.',
    'Give what “Coppice: Score Blocks…” printed.',
  ],
  [`\`${command('inspect')}\` lists them`, '`coppice inspect` lists them', 'The Coppice view lists them'],
  [
    `Get it with ${command('fetch-tasks', 'DIR')}.`,
    'Get it with coppice fetch-tasks DIR.',
    'Get it with the download of data sets.',
  ],
  ['it holds runs--main and a--b', 'it holds runs--main and a--b', 'it holds runs--main and a--b'],
  ['⟦option|nothing⟧ and ⟦x⟧', '⟦option|nothing⟧ and ⟦x⟧', '⟦option|nothing⟧ and ⟦x⟧'],
];

const ENGINE = resolve(import.meta.dirname, '../../src/engine');

describe('options in messages', () => {
  afterEach(() => nameOptionsBy(TERMINAL_NAMING));

  it('have the words of the face', () => {
    for (const [message, terminal, editor] of MESSAGES) {
      assert.equal(renderOptions(message, TERMINAL_NAMING), terminal);
      assert.equal(renderOptions(message, EDITOR_NAMING), editor);
    }
  });

  it('reach nobody as tokens: an error speaks as its process does', () => {
    const error = new UserError(
      `Cannot use ${option('window', 0)}`,
      `beyond ${option('limit')}`,
      `Change it: ${MERGE}.`,
    );
    const plain = terminalFeaturesOf({}, {}, false);
    assert.deepEqual(failureLines(failureOf(error), error, plain, false), [
      'error: Cannot use --window 0',
      '  why: beyond --limit',
      '  try: Change it: coppice merge CHECKPOINT --adapter DIR --out DIR.',
    ]);
    assert.equal(error.message, 'Cannot use --window 0: beyond --limit');
    nameOptionsBy(EDITOR_NAMING);
    const shown = 'Cannot use window 0: beyond number of windows. Change it: “Coppice: Merge LoRA Adapter…”.';
    assert.equal(remedyOf(error, 'cpu').text, shown);
    const { what, why, action } = panelFailure(error, (unexpected) => assert.fail(String(unexpected)))!;
    assert.equal(`${what}: ${why}. ${action}`, shown);
  });

  it('cross to another process as tokens, and have its words there', () => {
    const error = new UserError('x', 'y', `Raise ${option('memory')}.`);
    const arrived = fromWire(toWire(error));
    nameOptionsBy(EDITOR_NAMING);
    assert.ok(arrived instanceof UserError);
    assert.equal(arrived.action, 'Raise “Coppice: Memory Limit”.');
    assert.equal(shownText(arrived.texts.action), arrived.action);
  });

  it('exist on the command line, each', () => {
    const program = buildProgram(() => undefined);
    const flags = new Set(program.commands.flatMap(({ options }: Command) => options.map(({ long }) => long)));
    for (const name of OPTION_NAMES) {
      const value = name === 'keepEnds' ? false : undefined;
      assert.ok(flags.has(renderOptions(option(name, value), TERMINAL_NAMING)), name);
    }
    const commands = program.commands.map((each) => each.name());
    for (const name of COMMAND_NAMES) assert.ok(commands.includes(name), name);
  });

  it('show values as each face writes them', () => {
    const text = `as \`${command('heal')}\` does: ${value('parts', '10,12-14')} or ${value('parts', '10.ffn,12')}; ${value('bytes', '2GB')}, with ${option('measure', 'tasks')}`;
    assert.deepEqual(
      [renderOptions(text, TERMINAL_NAMING), scriptText(text), recipeText(text), agentText(text)],
      [
        'as `coppice heal` does: 10,12-14 or 10.ffn,12; 2GB, with --measure tasks',
        'as `heal()` does: [10, 12, 13, 14] or [12, "10.ffn"]; 2_000_000_000, with `measure: "tasks"`',
        'as the job heal does: [10, 12, 13, 14] or [12, "10.ffn"]; "2GB", with "measure": "tasks"',
        'as coppice_heal does: [10, 12, 13, 14] or [12, "10.ffn"]; 2000000000, with "measure": tasks',
      ],
    );
  });

  it('are never written out in the help of options, and no face shows a token there', () => {
    const jobs: readonly AnyJob[] = Object.values(JOBS);
    for (const { kind, options, description, notes = '' } of jobs) {
      for (const text of [description, notes, ...Object.values(options).map(({ help }) => help)]) {
        assert.doesNotMatch(scriptText(text).replace(FOREIGN, ''), WRITTEN_OUT, kind);
        for (const shown of [scriptText(text), recipeText(text), agentText(text)])
          assert.doesNotMatch(shown, /[⟦⟧]/, kind);
      }
    }
  });

  it('are never written out in the engine', () => {
    const files = engineFiles();
    assert.ok(files.length > 150);
    const named = files.filter((file) => !COMMANDS_TO_COPY.some((each) => file.startsWith(each)));
    assert.deepEqual(
      named.flatMap((file) => writtenOut(file, textOf(`src/engine/${file}`))),
      [],
    );
    assert.deepEqual(writtenOut('x.ts', "a('Use --memory 2GB.'); // --memory\nb(`${x}; coppice merge it`); c(--x);"), [
      'x.ts: Use --memory 2GB.',
      'x.ts: ; coppice merge it',
    ]);
  });
});

const engineFiles = (): string[] =>
  readdirSync(ENGINE, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && file !== 'option-token.ts',
  );

/**
 * Pages, files and snippets whose readers copy command lines into a terminal, wherever they read them: these leave Coppice, so no
 * face is there to find words for them.
 */
const COMMANDS_TO_COPY = [
  'records/before-after/',
  'write/programs/',
  'write/onnx/folder/readme.ts',
  'verify/consumers/llama-program.ts',
];

/** Options of other programs. */
const FOREIGN = /llama-quantize --prune-layers|--max-old-space-size/g;

const WRITTEN_OUT =
  /(^|[^\w-])--[a-z]|\bcoppice (inspect|score|curve|prune|retrain|merge|eval|generate|bench|fetch-tasks|report|demo|heal|iterate|export|verify)\b/;

/** Texts of the source that name an option or a command as the command line has it. */
function writtenOut(file: string, source: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      const text = node.text.replace(FOREIGN, '');
      if (WRITTEN_OUT.test(text)) found.push(`${file}: ${node.text}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true));
  return found;
}
