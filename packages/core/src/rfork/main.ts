/**
 * main.ts: what the Worker of an rfork runs: it loads the module and runs its default export as the first userthread.
 *
 * The orders, and main's argument, come in a message to START_PORT, whose answer is main's outcome. So whatever happens to this rfork, the one
 * that started it hears of it by the rules for messages.
 */
import { CodedError } from '../errors/errors.ts';
import { create, EASYNC, type Msg, MsgPort } from '../index.ts';
import { native } from '../node/native.ts';
import { followTrace } from '../trace/trace-events.ts';
import { openPorts } from './messages.ts';
import { exportAs } from './ports.ts';
import { runPreloads } from './preload.ts';
import type { RforkMain } from './rfork.ts';
import { orders } from './self.ts';
import { MAIN_PORT, START_PORT } from './wire.ts';

async function loadMain(url: string): Promise<RforkMain> {
  const module = (await import(url)) as { default?: unknown };
  let main = module.default;
  // A CommonJS module, perhaps one that was compiled from an ES module.
  if (typeof main === 'object' && main !== null && 'default' in main) main = main.default;
  if (typeof main === 'function') return main as RforkMain;
  const error = new TypeError(
    `${url} has no function as its default export, which an rfork would run: export default function main(port, data) {…}`,
  );
  throw Object.assign(error, { code: 'ERR_LWKT_RFORK_MAIN' });
}

async function runMain(start: Msg, port: MsgPort, url: string): Promise<void> {
  native.hold(true); // others send to our port: until main has returned there is always something left to do
  try {
    await runPreloads(url);
    const main = await loadMain(url);
    const result = await create(() => main(port, start.data), { name: 'main' }).finished;
    start.complete(undefined, result);
  } catch (error) {
    start.complete(error ?? new Error('main has thrown undefined'), undefined);
  } finally {
    native.hold(false);
  }
}

if (orders === undefined)
  throw new CodedError('ERR_LWKT_RFORK_MAIN', 'this file is the beginning of an rfork: new Rfork() runs it');
const { module, name } = orders;
followTrace();
const port = new MsgPort(name, { shared: true });
exportAs(MAIN_PORT, port);
exportAs(
  START_PORT,
  new MsgPort(`${name}: start`, {
    putport: (msg) => {
      runMain(msg, port, module);
      return EASYNC;
    },
  }),
);
openPorts();
