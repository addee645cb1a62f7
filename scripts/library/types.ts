/**
 * The types of the library in one file: what `src/library/index.ts` exports, and every type of the project that those name.
 * TypeScript itself would write a file for every module that they come from.
 */
import { resolve } from 'node:path';
import ts from 'typescript';
import { RESULTS, typeText } from './results';

const root = resolve(import.meta.dirname, '../..');

/** Results do not leave the process, so that every number in them is a number, and none is the name of one. */
const AS: Readonly<Record<string, string>> = { JsonNumber: 'number' };

/** @returns the text of a declaration file @throws Error for two types of one name */
export function libraryTypes(): string {
  const { config } = ts.readConfigFile(resolve(root, 'tsconfig.json'), (file) => ts.sys.readFile(file)) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const entry = resolve(root, 'src/library/index.ts');
  const program = ts.createProgram([entry], options);
  const source = program.getSourceFile(entry)!;
  const about = /^\/\*\*.*?\*\//s.exec(source.text)![0];
  return `${about}\n\n${new Bundle(program.getTypeChecker(), source).texts().join('\n\n')}\n`;
}

/** A name that is to be another one. */
interface Edit {
  readonly at: number;
  readonly length: number;
  readonly to: string;
}

class Bundle {
  private readonly names = new Map<ts.Symbol, string>();

  constructor(
    private readonly checker: ts.TypeChecker,
    entry: ts.SourceFile,
  ) {
    for (const exported of checker.getExportsOfModule(checker.getSymbolAtLocation(entry)!)) {
      this.names.set(this.original(exported), exported.name);
    }
  }

  texts(): string[] {
    const found: string[] = [];
    // The map grows while types are found that these name.
    for (const [symbol, name] of this.names) found.push(...(symbol.declarations ?? []).map((d) => this.text(d, name)));
    return found.filter((text) => text !== '');
  }

  private original(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol;
  }

  private text(node: ts.Declaration, name: string): string {
    if (Object.hasOwn(RESULTS, name))
      return `/** ${RESULTS[name].words}. */\nexport type ${name} = ${typeText(RESULTS[name])};`;
    if (ts.isTypeAliasDeclaration(node) && isMadeOfValues(node.type)) return this.expanded(node, name);
    const statement = ts.isVariableDeclaration(node) ? node.parent.parent : node;
    // All overloads of a function at once, as the last one is its implementation.
    if (ts.isFunctionDeclaration(node)) return node.body ? this.emitted(overloadsOf(node), name) : '';
    return this.emitted([statement], name);
  }

  /** What an alias comes to. */
  private expanded(node: ts.TypeAliasDeclaration, name: string): string {
    const type = this.checker.getTypeAtLocation(node.name);
    const text = this.checker.typeToString(type, undefined, TYPE_FORMAT);
    return `${commentOf(node)}export type ${name} = ${text};`;
  }

  /** As TypeScript emits it, without what is internal. */
  private emitted(statements: readonly ts.Node[], name: string): string {
    const source = statements.map((node) => this.edited(node, name)).join('\n');
    const { outputText } = ts.transpileDeclaration(source, {
      compilerOptions: { stripInternal: true, target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
    });
    return outputText.trim();
  }

  /** The source of a declaration, exported, with the names that types have here. */
  private edited(node: ts.Node, name: string): string {
    const start = documentedStart(node);
    const own = (node as ts.NamedDeclaration).name;
    const edits = [
      ...this.references(node),
      ...(own ? [{ at: own.getStart(), length: own.getWidth(), to: name }] : []),
    ];
    let text = node.getSourceFile().text.slice(start, node.getEnd());
    for (const { at, length, to } of edits.toSorted((a, b) => b.at - a.at)) {
      text = text.slice(0, at - start) + to + text.slice(at - start + length);
    }
    const head = node.getStart() - start;
    return text.startsWith('export ', head) ? text : `${text.slice(0, head)}export ${text.slice(head)}`;
  }

  /** Follows the types that a declaration names. */
  private references(node: ts.Node): Edit[] {
    const edits: Edit[] = [];
    const visit = (child: ts.Node): void => {
      if (isHidden(child)) return;
      const plain = ts.isIndexedAccessTypeNode(child) ? this.plainType(child) : undefined;
      if (plain !== undefined) {
        edits.push({ at: child.getStart(), length: child.getWidth(), to: plain });
        return;
      }
      if (ts.isIdentifier(child) && isTypeName(child)) {
        edits.push({ at: child.getStart(), length: child.getWidth(), to: this.nameOf(child) });
      }
      ts.forEachChild(child, visit);
    };
    visit(node);
    return edits;
  }

  /** What `Type['field']` comes to, if that names no other type. */
  private plainType(node: ts.TypeNode): string | undefined {
    const text = this.checker.typeToString(this.checker.getTypeFromTypeNode(node), undefined, TYPE_FORMAT);
    return /^(string|number|boolean|null|undefined|"[^"]*"|[\d| ]|readonly|\[|\])*$/.test(text) ? text : undefined;
  }

  /** The name of a type here; types that were not known yet are declared too. */
  private nameOf(identifier: ts.Identifier): string {
    const symbol = this.original(this.checker.getSymbolAtLocation(identifier)!);
    const file = symbol.declarations?.[0]?.getSourceFile().fileName;
    const isOwn = file?.startsWith(`${root}/src/`) && !(symbol.flags & ts.SymbolFlags.TypeParameter);
    if (!isOwn) return identifier.text; // of the language, or of Node
    const known = AS[symbol.name] ?? this.names.get(symbol);
    if (known !== undefined) return known;
    if ([...this.names.values()].includes(symbol.name)) throw new Error(`two types are called ${symbol.name}`);
    this.names.set(symbol, symbol.name);
    return symbol.name;
  }
}

const TYPE_FORMAT: ts.TypeFormatFlags = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.InTypeAlias;

const isTypeName = ({ parent }: ts.Identifier): boolean =>
  ts.isTypeReferenceNode(parent) || ts.isExpressionWithTypeArguments(parent);

/** What a declaration file does not show: bodies, values, and members that are internal. */
function isHidden(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isBlock(node) || ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal')) return true;
  if (ts.isArrowFunction(parent)) return node === parent.body;
  return ts.isPropertyDeclaration(parent) && node === parent.initializer;
}

/** Whether the type is taken from a value: `(typeof NAMES)[number]`. */
const isMadeOfValues = (node: ts.Node): boolean =>
  ts.isTypeQueryNode(node) || ts.forEachChild(node, isMadeOfValues) === true;

const overloadsOf = (node: ts.FunctionDeclaration): ts.Node[] =>
  node
    .getSourceFile()
    .statements.filter((each) => ts.isFunctionDeclaration(each) && each.name?.text === node.name?.text);

/** Where a declaration begins, with its own comment: that of the file may be in front of it. */
const documentedStart = (node: ts.Node): number =>
  ts.getJSDocCommentsAndTags(node).findLast(ts.isJSDoc)?.pos ?? node.getStart();

const commentOf = (node: ts.Node): string => node.getSourceFile().text.slice(documentedStart(node), node.getStart());
