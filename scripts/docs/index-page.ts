/** The first page of the reference. */
import { list, type Page, page, section } from './page';

export const indexPage = (): Page =>
  page(
    'index.md',
    'Reference',
    'Everything that can be said completely, made from the code (`npm run docs:reference`). A test holds these pages to it.',
    section(
      'Command line',
      list([
        '[Commands](cli/index.md) with every option, default and an example',
        '[Exit codes](exit-codes.md)',
        '[Environment variables](environment.md)',
        '[What `--json` prints](json/index.md)',
      ]),
    ),
    section(
      'VS Code',
      list(['[Settings](settings.md)', '[Commands and keys](commands.md)', "[Agents' tools](tools.md)"]),
    ),
    section(
      'Models and numbers',
      list([
        '[Models](models.md): families, and what works with each',
        '[Export formats](formats.md)',
        '[Criteria](criteria.md) for choosing blocks',
        '[Tasks](tasks.md): data sets, sources, licenses',
      ]),
    ),
    section(
      'Files',
      list(['[Recipe files](recipe.md)', '[Tasks files](tasks-file.md)', '[Records](record.md) of runs']),
    ),
    section(
      'Library',
      'Functions and types for Node.js: `npm run docs` makes their pages. Its use is in [Library](../guide/library.md).',
    ),
  );
