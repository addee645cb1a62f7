/** The order of the rooms and circles of imports: the checks themselves on made-up imports, then the code as it is. */
import assert from 'node:assert/strict';
import { exists, type Import, importsOf, textOf, trackedFiles } from './repository';
import { circles, LEVELS, roomOf, upwardImports } from './rooms';

const LOW_TO_HIGH = [['src/low'], ['src/left', 'src/right'], ['src/low/high']];
const value = (file: string, target: string): Import => ({ file, target, typeOnly: false });
const type = (file: string, target: string): Import => ({ file, target, typeOnly: true });
const words = (found: readonly Import[]): string[] => found.map(({ file, target }) => `${file} imports ${target}`);

describe('checks of imports', () => {
  it('take the longest room that a file is in', () => {
    assert.equal(roomOf('src/low/a.ts', LOW_TO_HIGH), 'src/low');
    assert.equal(roomOf('src/low/high/a.ts', LOW_TO_HIGH), 'src/low/high');
    assert.equal(roomOf('src/lower/a.ts', LOW_TO_HIGH), undefined);
    assert.equal(roomOf('src/l10n'), 'src/l10n.ts', 'a target has no ending');
  });

  it('find an import of a higher room, and of a room on the same level', () => {
    const wrong = [value('src/low/a.ts', 'src/left/b'), value('src/left/a.ts', 'src/right/b')];
    const right = [
      value('src/left/a.ts', 'src/low/b'),
      value('src/left/a.ts', 'src/left/b'),
      value('src/left/a.ts', 'node:path'),
      value('src/low/high/a.ts', 'src/right/b'),
      type('src/low/a.ts', 'src/left/b'),
    ];
    assert.deepEqual(upwardImports([...wrong, ...right], LOW_TO_HIGH), wrong);
  });

  it('find circles of two, of three and of one file, and none by types', () => {
    const files = ['a.ts', 'b.ts', 'c.ts', 'd.ts', 'e/index.ts', 'f.ts', 'g.ts'];
    const imports = [
      ...[value('a.ts', 'b'), value('b.ts', 'c'), value('c.ts', 'a'), value('c.ts', 'd')],
      ...[value('d.ts', 'e'), value('e/index.ts', 'd')],
      value('f.ts', 'f'),
      ...[value('g.ts', 'a'), type('a.ts', 'g')],
    ];
    assert.deepEqual(circles(imports, files).sort(), [['a.ts', 'b.ts', 'c.ts'], ['d.ts', 'e/index.ts'], ['f.ts']]);
    assert.deepEqual(circles([value('a.ts', 'b'), value('b.ts', 'c'), value('a.ts', 'c')], files), []);
  });
});

describe('rooms', () => {
  const files = trackedFiles();
  if (files === undefined) {
    it.skip('(needs a git checkout)');
    return;
  }
  const modules = files.filter((file) => /^(src|webview)\/.*\.tsx?$/.test(file) && !file.endsWith('.d.ts'));
  const imports = modules.flatMap(importsOf);

  it('hold every module', () => {
    assert.deepEqual(
      modules.filter((file) => roomOf(file) === undefined),
      [],
    );
  });

  it('import lower rooms only', () => assert.deepEqual(words(upwardImports(imports)), []));

  it('have no circle of files', () => assert.deepEqual(circles(imports, modules), []));

  it('are in the code map in their order', () => {
    const [map] = /^## Code map$.*?^## /ms.exec(textOf('ARCHITECTURE.md')) ?? [''];
    const listed = [...map.matchAll(/^\| `((?:src|webview)[^`]*)` /gm)].map(([, room]) => room);
    assert.deepEqual(listed, LEVELS.flat().filter(exists));
  });
});
