/** Every text that the host shows can be translated: prose in its code stands in a call of `l10n.t`, as a literal. */
import assert from 'node:assert/strict';
import ts from 'typescript';
import { l10n, translateBy } from '../../src/l10n';
import { filesIn, textOf } from './house/repository';

/** What runs in the extension host. The engine and the sidecar's own process speak English, as the command line does. */
const HOST = [
  ...['src/commands', 'src/host', 'src/views', 'src/views/items', 'src/editors'].flatMap((folder) =>
    filesIn(folder).map((file) => `${folder}/${file}`),
  ),
  ...['client', 'connection', 'interrupted', 'lifecycle', 'supervisor'].map((name) => `src/sidecar/${name}.ts`),
  'src/extension.ts',
].filter((file) => file.endsWith('.ts') && !file.endsWith('/page-document.ts')); // which is HTML, not prose

/** Names, and what a story begins with: the same in every language. */
const SAME_EVERYWHERE = /^(\$\(\w+\) )?(Coppice|Taylor|Once upon a time)(: \{\})?$/;

const isTranslation = (call: string): boolean => /(^|\.)t$/.test(call);
const isLogging = (call: string): boolean => /(^|\.)log(\.(trace|debug|info|warn|error)|\[\w+\])$/.test(call);

/** Words in a row, a word beside a value, or one that begins a line: what is said to a person. */
function isProse(text: string): boolean {
  if (SAME_EVERYWHERE.test(text)) return false;
  return /[a-z,:)]\s+[a-z“]|\{\} [a-z]{2,}|[a-z]{2,}:? \{\}/i.test(text) || /^[A-Z][a-z]/.test(text);
}

/** The text of a literal, `{}` for each value in it. */
function literalText(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return [node.head, ...node.templateSpans.map(({ literal }) => literal)].map(({ text }) => text).join('{}');
}

/** Prose outside of translations, and translations that no tool can extract. */
function faultsOf(file: string, source: string): string[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const faults: string[] = [];
  const fault = (node: ts.Node, what: string): void => {
    faults.push(`${file}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${what}`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return;
    if (ts.isBinaryExpression(node) && /^[=!]==$/.test(node.operatorToken.getText())) return;
    if (ts.isCallExpression(node)) {
      const call = node.expression.getText();
      if (isLogging(call) || call.endsWith('.startsWith')) return;
      if (isTranslation(call)) {
        if (!ts.isStringLiteral(node.arguments[0])) fault(node, 'a translation without a literal');
        for (const argument of node.arguments.slice(1)) visit(argument);
        return;
      }
    }
    const text = literalText(node);
    if (text !== undefined && isProse(text)) fault(node, JSON.stringify(text));
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return faults;
}

describe('texts of the host', () => {
  it('are translatable, each', () => {
    assert.ok(HOST.length > 50);
    assert.deepEqual(
      HOST.flatMap((file) => faultsOf(file, textOf(file))),
      [],
    );
  });

  it('are found where they are not', () => {
    const faults = faultsOf('x.ts', "show('Open it'); t('Open {0}', `the ${x} file`); t(text); log.info('it runs');");
    assert.deepEqual(
      faults.map((fault) => fault.replace(/^.*?: /, '')),
      ['"Open it"', '"the {} file"', 'a translation without a literal'],
    );
  });

  it('are as written until somebody translates them', () => {
    assert.equal(l10n.t('{0} of {1}', 3, 'four'), '3 of four');
    translateBy((message) => message.toUpperCase());
    assert.equal(l10n.t('of'), 'OF');
    translateBy((message, ...args) => message.replace(/\{(\d)\}/g, (_, index) => String(args[Number(index)])));
  });
});
