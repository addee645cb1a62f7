/** The texts of the code that a user reads: those that a translation covers, and those that it misses. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { CRITERION_LIST } from '../../src/engine/importance/criteria';

/** A text as a bundle of VS Code has it. */
export interface Text {
  readonly message: string;
  readonly comment: string;
}

/** The key of a text in a bundle: its message, followed by "/" and its comment if it has one. */
export const bundleKey = ({ message, comment }: Text): string => (comment === '' ? message : `${message}/${comment}`);

/** Names, and the beginning of a story for a model: the same in every language. */
const SAME_EVERYWHERE = /^(\$\(\w+\) )?(Coppice|Taylor|NaN|Once upon a time)(: \{\})?$/;

/** Values of these attributes and options are for the browser: classes, paths, styles. */
const BROWSER_VALUES =
  /^(class|className|d|viewBox|style|dash|strokeDasharray|content|stroke|fill|transform)$|^--|-dasharray$/;

const isTranslation = (call: string): boolean => /(^|\.)t$/.test(call);
const isLogging = (call: string): boolean =>
  /(^|\.)log(\.(trace|debug|info|warn|error)|\[\w+\])$|(^|\.)logError$/.test(call);
/** Calls that take selectors, styles and names of events. */
const isBrowserCall = (call: string): boolean =>
  /\.(startsWith|querySelector|querySelectorAll|setProperty|matches|closest|addEventListener)$/.test(call);

/** Words in a row, a word next to a value, or a capitalised word at the start: text for a person. */
function isProse(text: string): boolean {
  if (SAME_EVERYWHERE.test(text)) return false;
  return /[a-z,:)]\s+[a-z“]|\{\} [a-z]{2,}|[a-z]{2,}:? \{\}/i.test(text) || /^[A-Z][a-z]/.test(text);
}

/** The text of a literal, with `{}` for each value in it. */
function literalText(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return [node.head, ...node.templateSpans.map(({ literal }) => literal)].map(({ text }) => text).join('{}');
}

const literal = (node: ts.Node | undefined): string | undefined =>
  node && ts.isStringLiteral(node) ? node.text : undefined;

/** The property of an object literal; undefined where it has none. */
function property(object: ts.ObjectLiteralExpression, name: string): ts.Expression | undefined {
  const found = object.properties.find((each) => each.name?.getText() === name);
  return found && ts.isPropertyAssignment(found) ? found.initializer : undefined;
}

/** The text of a call such as `t('…')` or `t({ message: '…', comment: '…' })`; undefined if no tool can read it. */
function textOfCall({ arguments: [first] }: ts.CallExpression): Text | undefined {
  if (first && ts.isObjectLiteralExpression(first)) {
    const [message, comment] = [literal(property(first, 'message')), literal(property(first, 'comment'))];
    return message === undefined || comment === undefined ? undefined : { message, comment };
  }
  const message = literal(first);
  return message === undefined ? undefined : { message, comment: '' };
}

const isBrowserValue = (node: ts.Node): boolean =>
  ts.isPropertyAssignment(node) && BROWSER_VALUES.test(node.name.getText().replace(/^'|'$/g, ''));

/** What `textsIn` finds in one file. */
export interface FileTexts {
  readonly texts: readonly Text[];
  /** Prose outside of translations, and translations that no tool can read, each with its place. */
  readonly faults: readonly string[];
}

/** Reads the texts of a source file. */
export function textsIn(file: string, source: string): FileTexts {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const texts: Text[] = [];
  const faults: string[] = [];
  const fault = (node: ts.Node, what: string): void => {
    faults.push(`${file}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${what}`);
  };
  const visitCall = (node: ts.CallExpression): boolean => {
    const call = node.expression.getText();
    if (isLogging(call) || isBrowserCall(call)) return true;
    if (!isTranslation(call)) return false;
    const text = textOfCall(node);
    if (text) texts.push(text);
    else fault(node, 'a translation without a literal');
    const [first, ...others] = node.arguments;
    const args = first && ts.isObjectLiteralExpression(first) ? property(first, 'args') : undefined;
    for (const argument of args ? [args, ...others] : others) visit(argument);
    return true;
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isTypeNode(node)) return;
    if (ts.isBinaryExpression(node) && /^[=!]==$/.test(node.operatorToken.getText())) return;
    if (isBrowserValue(node)) return;
    if (ts.isCallExpression(node) && visitCall(node)) return;
    const text = literalText(node);
    if (text !== undefined && isProse(text)) fault(node, JSON.stringify(text));
    if (ts.isCaseClause(node)) node.statements.forEach(visit);
    else ts.forEachChild(node, visit);
  };
  visit(tree);
  return { texts, faults };
}

/** A text in quotation marks, or several that are added up: `'…' + '…'`. */
function addedText(node: ts.Node): string | undefined {
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.PlusToken) return literalText(node);
  const [left, right] = [addedText(node.left), addedText(node.right)];
  return left === undefined || right === undefined ? undefined : left + right;
}

/** Literals of a source file with a space in them, which no name of the code has. */
export function literalsIn(file: string, source: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isTypeNode(node)) return;
    const text = addedText(node);
    if (text?.includes(' ')) found.push(text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true));
  return found;
}

const root = resolve(import.meta.dirname, '../..');

/** Every text that a translation covers: the literals of the host and of the pages, and the criteria of their lists. */
export function textsOfCode(): Text[] {
  const sources = ['src', 'webview'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(root, folder, file)),
  );
  const literals = sources.flatMap((file) => textsIn(file, readFileSync(file, 'utf8')).texts);
  const ofCriteria = CRITERION_LIST.flatMap(({ title, help }) => [title, help]);
  return [...literals, ...ofCriteria.map((message) => ({ message, comment: '' }))];
}
