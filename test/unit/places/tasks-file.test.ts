/** A task goes into a tasks.json, and nothing else in it changes. */
import assert from 'node:assert/strict';
import { parse, type ParseError } from 'jsonc-parser';
import { withoutTask, withTask } from '../../../src/places/tasks-file';

const TASK = { label: 'llama-server: a', type: 'process', command: 'llama-server', args: ['-m', 'a.gguf'] };

const COMMENTED = `// mine
{
\t"version": "2.0.0", // of the format
\t"tasks": [
\t\t{ "label": "build", "type": "shell", "command": "make" }, // keep
\t],
\t/* last */
}
`;

describe('tasks.json', () => {
  it('is made where there is none', () => {
    for (const text of [undefined, '', ' \n']) {
      assert.deepEqual(parse(withTask(text, TASK, 'f')), { version: '2.0.0', tasks: [TASK] });
    }
  });

  it('keeps comments, tabs and trailing commas', () => {
    const added = withTask(COMMENTED, TASK, 'f');
    for (const line of COMMENTED.split('\n')) assert.ok(added.includes(line), line);
    const { tasks } = parse(added, [], { allowTrailingComma: true }) as { tasks: { label: string }[] };
    assert.deepEqual(
      tasks.map(({ label }) => label),
      ['build', TASK.label],
    );
    assert.match(added, /\n\t\t{\n\t\t\t"label": "llama-server: a"/);
  });

  it('keeps line ends and a byte order mark', () => {
    const text = '\uFEFF{\r\n  "version": "2.0.0",\r\n  "tasks": []\r\n}\r\n';
    const added = withTask(text, TASK, 'f');
    assert.ok(added.startsWith('\uFEFF{'));
    assert.equal(added.replaceAll('\r\n', '').includes('\n'), false);
  });

  it('gets a list where it has none', () => {
    assert.deepEqual(parse(withTask('{ "inputs": [] }', TASK, 'f')), { inputs: [], tasks: [TASK], version: '2.0.0' });
  });

  it('with a task of that label, or that is not understood, is refused by name', () => {
    const refused: readonly (readonly [string, RegExp])[] = [
      [withTask(undefined, TASK, 'f'), /has a task “llama-server: a” already/],
      ['{ "tasks": {} }', /its field tasks is not a list/],
      ['[]', /it is not an object/],
      ['{ "tasks": [', /it is not JSON/],
    ];
    for (const [text, words] of refused) assert.throws(() => withTask(text, TASK, 'f'), words);
  });

  it('changes nothing but what is new, however it is laid out', () => {
    const layouts = [
      '{"version":"2.0.0","tasks":[{"label":"b"}]}',
      '{\n    "version": "2.0.0",\n    "tasks": [\n        { "label": "b" } // kept\n    ]\n}\n',
      '{\n  "tasks": [ // first\n  ]\n}\n',
      '{ "version": "2.0.0" /* none */ }',
      '{}',
    ];
    for (const text of layouts) {
      const added = withTask(text, TASK, 'f');
      const errors: ParseError[] = [];
      const { tasks } = parse(added, errors) as { tasks: unknown[] };
      assert.deepEqual([errors, tasks.at(-1)], [[], TASK], added);
      let from = 0;
      for (const sign of text.replace(/\s/g, '')) {
        from = added.indexOf(sign, from) + 1;
        assert.ok(from > 0, `${sign} of ${text} in ${added}`);
      }
      const again = withoutTask(added, TASK, 'f')!;
      assert.deepEqual((parse(again) as { tasks: unknown[] }).tasks, tasks.slice(0, -1), again);
    }
    assert.ok(withTask(layouts[1], TASK, 'f').includes('{ "label": "b" }, // kept\n        {\n            "label"'));
  });

  it('loses that task alone, and not one that was edited', () => {
    const added = withTask(COMMENTED, TASK, 'f');
    const edited = added.replace('"make"', '"make all"');
    const without = withoutTask(edited, TASK, 'f')!;
    const { tasks } = parse(without, [], { allowTrailingComma: true }) as { tasks: object[] };
    assert.deepEqual(tasks, [{ label: 'build', type: 'shell', command: 'make all' }]);
    assert.ok(without.includes('// mine') && without.includes('/* last */'));
    assert.equal(withoutTask(added.replace('a.gguf', 'b.gguf'), TASK, 'f'), undefined);
    assert.equal(withoutTask(COMMENTED, TASK, 'f'), undefined);
  });
});
