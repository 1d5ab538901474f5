/**
 * ports.ts: ports that more than one rfork knows. Here for ours that others may have, and for others' that we have.
 *
 * How long an exported port is kept (others can't be seen by our garbage collector) is counted in shares: whoever is sent a port gets some, gives half
 * of what he has to a third rfork when he sends the port on, and returns them when his garbage collector has taken the port. So no
 * message about a port is needed but the last. (Weighted reference counting: Bevan, Watson & Watson, 1987.)
 *
 * Invariants:
 *  - An entry's `shares` are all that exist anywhere. At 0 nobody else has the port.
 *  - There is at most one proxy here for each port of another rfork.
 */
import type { Msg } from '../msg/msg.ts';
import { MsgPort, type PortHome } from '../msg/msgport.ts';
import { closeRemote, pinRemote, putRemote, releaseRemote } from './messages.ts';
import { self } from './self.ts';
import { MAIN_PORT } from './wire.ts';

/** What a port is sent away with. It can be halved that often before the receiver has to ask for the port to be kept for good. */
const SHARES = 2 ** 20;

type PortValues = [rfork: number, number: number, shares: number, name: string];

interface Entry {
  port: MsgPort;
  shares: number;
}

const exported = new Map<number, Entry>();
let lastNumber = MAIN_PORT;

/** Under a number that others know by convention, for good. */
export function exportAs(number: number, port: MsgPort): void {
  port.exportedAs = number;
  exported.set(number, { port, shares: Number.POSITIVE_INFINITY });
}

/** The port that others call by this number; undefined once nobody can. */
export function exportedPort(number: number): MsgPort | undefined {
  return exported.get(number)?.port;
}

export function release(number: number, shares: number): void {
  const entry = exported.get(number);
  if (entry === undefined) return;
  entry.shares -= shares;
  if (entry.shares > 0) return;
  exported.delete(number);
  entry.port.exportedAs = 0;
}

export function pin(number: number): void {
  const entry = exported.get(number);
  if (entry !== undefined) entry.shares = Number.POSITIVE_INFINITY;
}

/** How many ports of ours others have. For tests. */
export function exportedCount(): number {
  return exported.size;
}

/** What we have of another rfork's port; outlives the proxy until the shares are returned. */
interface Holding {
  readonly rfork: number;
  readonly number: number;
  shares: number;
}

/** A port of another rfork's, seen from here. */
export class RemoteHome implements PortHome {
  readonly holding: Holding;

  constructor(holding: Holding) {
    this.holding = holding;
  }

  get rfork(): number {
    return this.holding.rfork;
  }

  put(msg: Msg): void {
    putRemote(this.holding.rfork, this.holding.number, msg);
  }

  close(): void {
    closeRemote(this.holding.rfork, this.holding.number);
  }
}

const proxies = new Map<string, WeakRef<MsgPort>>();
const collected = new FinalizationRegistry<Holding>((holding) => {
  const key = `${holding.rfork}:${holding.number}`;
  if (proxies.get(key)?.deref() === undefined) proxies.delete(key);
  if (holding.shares > 0) releaseRemote(holding.rfork, holding.number, holding.shares);
});

/** The proxy here of port `number` of that rfork, which has sent it with so many shares. */
export function proxyOf(rfork: number, number: number, shares: number, name: string): MsgPort {
  const key = `${rfork}:${number}`;
  const known = proxies.get(key)?.deref();
  if (known !== undefined) {
    (known.home as RemoteHome).holding.shares += shares;
    return known;
  }
  const proxy = new MsgPort(name);
  const holding: Holding = { rfork, number, shares };
  proxy.home = new RemoteHome(holding);
  proxies.set(key, new WeakRef(proxy));
  collected.register(proxy, holding);
  return proxy;
}

function sharesToGive(holding: Holding): number {
  if (holding.shares >= 2) {
    const half = Math.floor(holding.shares / 2);
    holding.shares -= half;
    return half;
  }
  pinRemote(holding.rfork, holding.number);
  return 0;
}

/** The number by which all rforks know the port, together with its home's id: the same everywhere, and for good. */
export function numberOf(port: Pick<MsgPort, 'home' | 'number'>): number {
  if (port.home instanceof RemoteHome) return port.home.holding.number;
  if (port.number === 0) port.number = ++lastNumber;
  return port.number;
}

/** Four values that stand for a port in a message. */
export function writePort(port: MsgPort): PortValues {
  const { home } = port;
  if (home instanceof RemoteHome)
    return [home.rfork, home.holding.number, sharesToGive(home.holding), port.name];
  if (port.exportedAs === 0) {
    port.exportedAs = numberOf(port);
    exported.set(port.exportedAs, { port, shares: 0 });
  }
  (exported.get(port.exportedAs) as Entry).shares += SHARES;
  return [self.id, port.exportedAs, SHARES, port.name];
}

/** The port that they stand for, here. */
export function readPort(...[rfork, number, shares, name]: PortValues): MsgPort {
  if (rfork !== self.id) return proxyOf(rfork, number, shares, name);
  // One of ours has come home. It is there: the shares it came with kept it.
  const port = exportedPort(number) ?? new MsgPort(name);
  release(number, shares);
  return port;
}
