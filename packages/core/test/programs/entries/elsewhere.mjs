// require() as Jest has it: the modules' code runs in a context of node:vm, their `module` is a plain object, and only addons and Node's own modules are
// those of everybody.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import vm from 'node:vm';

const cache = new Map();
const context = vm.createContext({ console, process: { ...process, env: process.env }, URL });

function load(file) {
  if (cache.has(file)) return cache.get(file).exports;
  const module = { exports: {}, filename: file, id: file };
  cache.set(file, module);
  const wrapper = vm.compileFunction(
    readFileSync(file, 'utf8'),
    ['exports', 'require', 'module', '__filename', '__dirname'],
    {
      filename: file,
      parsingContext: context,
    },
  );
  wrapper(module.exports, requireFrom(file), module, file, dirname(file));
  return module.exports;
}

function requireFrom(file) {
  const real = createRequire(file);
  const require = (specifier) => {
    const path = real.resolve(specifier);
    return /^\//.test(path) && !path.endsWith('.node') ? load(path) : real(path);
  };
  require.resolve = real.resolve;
  return require;
}

export const requireElsewhere = requireFrom(import.meta.filename);
