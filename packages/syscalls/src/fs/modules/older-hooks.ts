/**
 * older-hooks.ts: modules from a port's files on Nodes without hooks in the thread itself: require by Module's own functions (require.ts), import by a thread of hooks
 * (module.register) that asks this one.
 *
 * What the thread asks can be answered while this one's event loop turns. import.meta.resolve and require of an ES module stop it: then the thread
 * goes on as if there were no port, after a while.
 */
import * as nodeModule from 'node:module';
import { MessageChannel } from 'node:worker_threads';
import type { Loading } from './loading.ts';
import { patchRequire } from './require.ts';

const PATIENCE_MS = 2000;

/** What runs in the thread of hooks. */
const THREAD = `
let port, last = 0;
const pending = new Map();
export function initialize(data) {
  port = data.port;
  port.on('message', ({ id, answer, error }) => {
    const { resolve, reject } = take(id) ?? {};
    if (error) reject?.(Object.assign(new Error(error.message), error)); else resolve?.(answer);
  });
  port.unref();
}
function take(id) {
  const found = pending.get(id);
  clearTimeout(found?.timer);
  if (pending.delete(id) && pending.size === 0) port.unref();
  return found;
}
const ask = (...question) => new Promise((resolve, reject) => {
  const id = ++last;
  const timer = setTimeout(() => take(id)?.resolve(undefined), ${PATIENCE_MS});
  pending.set(id, { resolve, reject, timer });
  port.ref();
  port.postMessage({ id, question });
});
export async function resolve(specifier, context, next) {
  const url = await ask('resolve', specifier, context.parentURL, context.conditions);
  return url === undefined ? next(specifier, context) : { url, shortCircuit: true };
}
export async function load(url, context, next) {
  const loaded = await ask('load', url);
  return loaded === undefined ? next(url, context) : { ...loaded, shortCircuit: true };
}
`;

type Question = ['resolve', string, string | undefined, string[]] | ['load', string];

let answerWith: Loading | undefined;
let started = false;

/** A thread of hooks can't be ended: it is started once, and asks whoever is there. */
function startThread(): void {
  if (started) return;
  started = true;
  const { port1, port2 } = new MessageChannel();
  port1.on('message', ({ id, question }: { id: number; question: Question }) => {
    try {
      port1.postMessage({ id, answer: answerTo(question) });
    } catch (error) {
      const { message, code } = error as { message: string; code?: string };
      port1.postMessage({ id, error: { message, code } });
    }
  });
  port1.unref();
  const { register } = nodeModule as unknown as {
    register(url: string, options: { data: unknown; transferList: unknown[] }): void;
  };
  register(`data:text/javascript,${encodeURIComponent(THREAD)}`, {
    data: { port: port2 },
    transferList: [port2],
  });
}

function answerTo(question: Question): unknown {
  if (question[0] === 'resolve') return answerWith?.resolve(question[1], question[2], question[3], true);
  const loaded = answerWith?.load(question[1]);
  // require's own functions load it, which the names of its exports can't be read from beforehand.
  return loaded?.format === 'commonjs' ? { format: 'commonjs', source: null } : loaded;
}

/** The answer takes them off again. */
export function hookOlderModules(loading: Loading): () => void {
  const undo = patchRequire(loading, true);
  answerWith = loading;
  startThread();
  return () => {
    if (answerWith === loading) answerWith = undefined;
    undo();
  };
}
