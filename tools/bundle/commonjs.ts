/**
 * commonjs.ts: a tsup plugin that turns what esbuild has bundled as ES modules, with chunks that entries share, into CommonJS, and writes the ES modules that
 * hand it on: NAME.cjs is a package's code, NAME.js has its exports under the same names.
 *
 * Why not esbuild's own CommonJS: it knows no shared chunks there, and each use of something imported would go through a getter. Here an import is a constant.
 *
 * Invariant: whoever loads an entry, by `import` or `require`, through which loader and in which context of node:vm ever, gets the same objects. So an entry
 * that was not loaded by Node's own require() (Jest's, say, which runs each test's modules in a context of its own) asks the host's.
 * An exported variable must not be assigned to again, as importers would not see it: such a bundle is refused.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Options } from 'tsup';
import ts from 'typescript';

type Plugin = NonNullable<Options['plugins']>[number];

export interface CommonJsOptions {
  /** The entries that are in package.json's exports. */
  readonly entries: readonly string[];
  /** What an entry requires to get fromHost() from. */
  readonly host: string;
}

interface Edit {
  from: number;
  to: number;
  text: string;
}

/** As long as what it stands for, so that source maps stay right. */
const URL_NAME = 'import_meta_url';

/** `{ a, b: c }` of `{ a, b as c }`: in an import the imported name comes first, and so it does here. */
function pattern(elements: readonly ts.ImportSpecifier[]): string {
  const parts = elements.map(({ propertyName, name }) =>
    propertyName === undefined ? name.text : `${propertyName.text}: ${name.text}`,
  );
  return `{ ${parts.join(', ')} }`;
}

function importAsRequire({ importClause, moduleSpecifier }: ts.ImportDeclaration): string {
  const from = (moduleSpecifier as ts.StringLiteral).text;
  const required = `require(${JSON.stringify(from)})`;
  if (importClause === undefined) return `${required};`;
  const { name, namedBindings } = importClause;
  const parts: string[] = [];
  // What a module of Node's, or one in CommonJS, has as its default to an ES module is all of it.
  if (name !== undefined)
    parts.push(`${name.text} = ${required}${from.startsWith('@libcr/') ? '.default' : ''}`);
  if (namedBindings !== undefined)
    parts.push(
      `${ts.isNamespaceImport(namedBindings) ? namedBindings.name.text : pattern(namedBindings.elements)} = ${required}`,
    );
  return `const ${parts.join(', ')};`;
}

/** The names that something is assigned to, but for a declaration's beginning. */
function assigned(file: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (
      ts.isBinaryExpression(node) &&
      ts.isIdentifier(node.left) &&
      node.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
      node.operatorToken.kind <= ts.SyntaxKind.LastAssignment
    )
      names.add(node.left.text);
    if (
      (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) &&
      ts.isIdentifier(node.operand)
    )
      if (node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken)
        names.add(node.operand.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return names;
}

function metaUrls(file: ts.SourceFile): Edit[] {
  const found: Edit[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && ts.isMetaProperty(node.expression) && node.name.text === 'url')
      found.push({ from: node.getStart(file), to: node.getEnd(), text: URL_NAME });
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** Keeps the lines where they are. */
function apply(code: string, edits: Edit[]): string {
  let text = code;
  for (const edit of edits.sort((a, b) => b.from - a.from)) {
    const lines = text.slice(edit.from, edit.to).split('\n').length - 1;
    text = text.slice(0, edit.from) + edit.text + '\n'.repeat(lines) + text.slice(edit.to);
  }
  return text;
}

function exportsOf(statement: ts.ExportDeclaration, reassigned: Set<string>, path: string): string {
  const { exportClause, moduleSpecifier } = statement;
  if (exportClause === undefined || !ts.isNamedExports(exportClause) || moduleSpecifier !== undefined)
    throw new Error(`${path}: an export of a kind that commonjs.ts does not know`);
  const parts = exportClause.elements.map(({ propertyName, name }) => {
    const local = (propertyName ?? name).text;
    if (reassigned.has(local))
      throw new Error(`${path}: ${local} is exported and assigned to: export a function instead`);
    return { local, name: name.text };
  });
  // With a default, what is compiled from TypeScript or by Babel has to know that it is one.
  if (parts.some(({ name }) => name === 'default'))
    return `Object.defineProperty(exports, "__esModule", { value: true }); ${parts.map(({ local, name }) => `exports.${name} = ${local};`).join(' ')}`;
  return `module.exports = { ${parts.map(({ local, name }) => (local === name ? local : `${name}: ${local}`)).join(', ')} };`;
}

/** esbuild's bundle in CommonJS. first: what an entry begins with. */
export function toCommonJs(code: string, path: string, first: string): string {
  const file = ts.createSourceFile(path, code, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const reassigned = assigned(file);
  const edits: Edit[] = [];
  for (const statement of file.statements) {
    const range = { from: statement.getStart(file), to: statement.getEnd() };
    if (ts.isImportDeclaration(statement)) edits.push({ ...range, text: importAsRequire(statement) });
    else if (ts.isExportDeclaration(statement))
      edits.push({ ...range, text: exportsOf(statement, reassigned, path) });
    else if (ts.isExportAssignment(statement)) throw new Error(`${path}: export default, not in a list`);
  }
  const urls = metaUrls(file);
  const url =
    urls.length > 0 ? `const ${URL_NAME} = require("node:url").pathToFileURL(__filename).href; ` : '';
  return `"use strict"; ${first}${url}${apply(code, [...edits, ...urls])}`;
}

/** The ES module with the exports of the CommonJS module beside it, and its types. */
function writeModule(path: string, exported: readonly string[]): void {
  const required = `./${basename(path)}`;
  const names = exported.filter((name) => name !== 'default').sort();
  const hasDefault = exported.includes('default');
  const code = [
    'import { createRequire } from "node:module";',
    `const all = createRequire(import.meta.url)("${required}");`,
    ...(names.length > 0 ? [`export const { ${names.join(', ')} } = all;`] : []),
    ...(hasDefault ? ['export default all.default;'] : []),
  ];
  const types = [
    `export * from "${required}";`,
    ...(hasDefault
      ? [`declare const all: typeof import("${required}").default;`, 'export default all;']
      : []),
  ];
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path.replace(/\.cjs$/, '.js'), `${code.join('\n')}\n`);
  writeFileSync(path.replace(/\.cjs$/, '.d.ts'), `${types.join('\n')}\n`);
}

export function commonjs({ entries, host }: CommonJsOptions): Plugin {
  const ofHost = `if (!(module instanceof require("node:module"))) return void (module.exports = require(${JSON.stringify(host)}).fromHost(__filename, globalThis)); `;
  return {
    name: 'commonjs',
    renderChunk(code, { path, type, entryPoint, exports }) {
      if (type !== 'chunk' || !path.endsWith('.cjs')) return undefined;
      const isEntry =
        entryPoint !== undefined && entries.some((entry) => path.endsWith(`/dist/${entry}.cjs`));
      if (isEntry) writeModule(path, exports ?? []);
      return { code: toCommonJs(code, path, isEntry ? ofHost : '') };
    },
  };
}
