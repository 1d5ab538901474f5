/**
 * find.ts: from what is required or imported to a file, by Node's rules ("Modules: CommonJS" and "ECMAScript modules" of its documentation), with files as a
 * port shows them. What is not found is left to Node, which has the error messages.
 */
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { exports as exportsOf, imports as importsOf } from 'resolve.exports';
import { type Files, pathOfUrl } from './files.ts';

export interface Request {
  specifier: string;
  /** The path of the module that asks; a path in the working directory for none. */
  parent: string;
  /** By import: no file endings are tried, and no index.js. */
  isImport: boolean;
  conditions: readonly string[];
}

const ENDINGS = ['', '.js', '.json', '.node'];

function asFile(files: Files, path: string): string | undefined {
  if (path.endsWith('/')) return undefined;
  return ENDINGS.map((ending) => path + ending).find((each) => files.kind(each) === 'file');
}

function asDirectory(files: Files, path: string): string | undefined {
  if (files.kind(path) !== 'directory') return undefined;
  const main = files.packageJson(path)?.main;
  const index = join(path, 'index');
  if (typeof main !== 'string' || main === '') return asFile(files, index);
  const named = resolve(path, main);
  return asFile(files, named) ?? asFile(files, join(named, 'index')) ?? asFile(files, index);
}

/** A path as it is written, or completed where that is done. */
function at(files: Files, path: string, isImport: boolean): string | undefined {
  if (isImport) return files.kind(path) === 'file' ? path : undefined;
  return asFile(files, path) ?? asDirectory(files, path);
}

/** The nearest package.json above a path, and its folder. */
export function scopeOf(
  files: Files,
  path: string,
): [folder: string, json: Record<string, unknown>] | undefined {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (!folder.endsWith('/node_modules')) {
      const json = files.packageJson(folder);
      if (json !== undefined) return [folder, json];
    }
    if (folder === dirname(folder)) return undefined;
  }
}

function conditionsOf({ conditions, isImport }: Request): { unsafe: true; conditions: string[] } {
  return { unsafe: true, conditions: [...conditions, 'node', isImport ? 'import' : 'require'] };
}

/** What a package.json's map names, made a path; undefined where it names nothing. */
function mapped(folder: string, targets: readonly string[] | undefined): string | undefined {
  const target = targets?.find((each) => each.startsWith('./'));
  return target === undefined ? undefined : join(folder, target);
}

function inPackage(
  files: Files,
  folder: string,
  name: string,
  below: string,
  request: Request,
): string | undefined {
  const json = files.packageJson(folder);
  if (json?.exports !== undefined && json.exports !== null) {
    const entry = below === '' ? '.' : `.${below}`;
    const found = mapped(folder, exportsOf({ name, ...json }, entry, conditionsOf(request)) ?? undefined);
    return found === undefined || files.kind(found) !== 'file' ? undefined : found;
  }
  if (below !== '') return at(files, folder + below, request.isImport);
  return asDirectory(files, folder);
}

const PACKAGE = /^((?:@[^/\\%]+\/)?[^./\\%@][^/\\%]*)(\/.*)?$/;

function bare(files: Files, request: Request): string | undefined {
  const [, name, below = ''] = PACKAGE.exec(request.specifier) ?? [];
  if (name === undefined) return undefined;
  const scope = scopeOf(files, request.parent);
  if (scope !== undefined && scope[1].name === name && scope[1].exports != null)
    return inPackage(files, scope[0], name, below, request);
  for (let folder = dirname(request.parent); ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (!folder.endsWith('/node_modules') && files.kind(candidate) === 'directory') {
      const found = inPackage(files, candidate, name, below, request);
      if (found !== undefined || request.isImport) return found;
    }
    if (folder === dirname(folder)) return undefined;
  }
}

function internal(files: Files, request: Request): string | undefined {
  const scope = scopeOf(files, request.parent);
  if (scope === undefined || scope[1].imports == null) return undefined;
  const [folder, json] = scope;
  const targets = importsOf(json, request.specifier, conditionsOf(request)) ?? undefined;
  const own = mapped(folder, targets);
  if (own !== undefined) return files.kind(own) === 'file' ? own : undefined;
  const [other] = targets ?? [];
  return other === undefined ? undefined : bare(files, { ...request, specifier: other });
}

function locate(files: Files, request: Request): string | undefined {
  const { specifier, parent, isImport } = request;
  if (/^\.{0,2}\//.test(specifier) || /^\.{1,2}$/.test(specifier)) {
    if (!isImport)
      return at(
        files,
        specifier.endsWith('/')
          ? `${resolve(dirname(parent), specifier)}/`
          : resolve(dirname(parent), specifier),
        false,
      );
    const path = pathOfUrl(new URL(specifier, pathToFileURL(parent)).href);
    return path === undefined ? undefined : at(files, path, true);
  }
  if (specifier.startsWith('file:')) {
    const path = pathOfUrl(specifier);
    return path === undefined ? undefined : at(files, path, isImport);
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(specifier)) return undefined;
  return specifier.startsWith('#') ? internal(files, request) : bare(files, request);
}

/** The file that is meant, links resolved; undefined where there is none, or where it is Node's affair. */
export function find(files: Files, request: Request): string | undefined {
  let path: string | undefined;
  try {
    path = locate(files, request);
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_INVALID_PACKAGE_CONFIG') throw error;
    return undefined; // resolve.exports' errors: Node has its own
  }
  return path === undefined ? undefined : files.real(path);
}
