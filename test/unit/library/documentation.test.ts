/** The library's documentation: typedoc has nothing to warn of, and every function has an example. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Application, LogLevel, Logger, TSConfigReader, type TypeDocOptions } from 'typedoc';
import { libraryTypes } from '../../../scripts/library/types';
import * as library from '../../../src/library/index';
import { textOf } from '../house/repository';
import { temporaryFolder } from '../../support/temporary';

const root = resolve(import.meta.dirname, '../../..');

/** Keeps what typedoc says. */
class Said extends Logger {
  readonly warnings: string[] = [];

  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn) this.warnings.push(message);
  }
}

/** What typedoc warns of, with the settings of the project. */
async function warningsOf(types: string): Promise<string[]> {
  const folder = temporaryFolder();
  const entry = join(folder, 'library.d.ts');
  writeFileSync(entry, types);
  const tsconfig = JSON.parse(textOf('scripts/library/tsconfig.json')) as object;
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...tsconfig, files: [entry] }));
  const { $schema: _, ...settings } = JSON.parse(textOf('typedoc.json')) as TypeDocOptions & { $schema: string };
  const places = { readme: join(root, 'README.npm.md'), entryPoints: [entry], tsconfig: join(folder, 'tsconfig.json') };
  const application = await Application.bootstrap({ ...settings, ...places }, [new TSConfigReader()]);
  const said = new Said();
  application.logger = said;
  const project = await application.convert();
  assert.ok(project, said.warnings.join('\n'));
  application.validate(project);
  return said.warnings;
}

describe('documentation of the library', function () {
  this.timeout('1m');
  let types: string;

  before(() => {
    types = libraryTypes();
  });

  it('has no warning, and would have one for a type without a text and for a link that leads nowhere', async () => {
    const broken = types.replace('/** How far a job is. */', '').replaceAll('{@link prune}', '{@link prunes}');
    const warnings = await warningsOf(broken);
    const made = (text: string): boolean =>
      (text.includes('Progress') && text.includes('documentation')) || text.includes('prunes');
    assert.ok(warnings.some((text) => made(text) && !text.includes('prunes')));
    assert.ok(warnings.some((text) => text.includes('prunes')));
    assert.deepEqual(
      warnings.filter((text) => !made(text)),
      [],
    );
  });

  it('has an example for every function', () => {
    const names = Object.entries(library).filter(
      ([, value]) => typeof value === 'function' && !String(value).startsWith('class'),
    );
    assert.ok(names.length > 18);
    for (const [name] of names) {
      const declared = new RegExp(
        `/\\*\\*(?:(?!\\*/)[^])*@example(?:(?!\\*/)[^])*\\*/\\s*export declare (?:const|function) ${name}\\b`,
      );
      assert.match(types, declared, name);
    }
  });

  it('names no file of the project', () => {
    assert.doesNotMatch(types, /\bsrc\/|engine\/|protocol\/|sidecar|typeof /);
  });
});
