/**
 * host-objects.ts: what travels in messages besides plain data: ports, and the tokens and serializers that are asked for through one. Five plain
 * values stand for each on its way (native/node/rfork/payload.cc).
 */
import { MsgPort } from '../msg/msgport.ts';
import { type HostValues, native } from '../node/native.ts';
import { Lock } from '../token/lock.ts';
import { Serializer } from '../token/serializer.ts';
import { Token } from '../token/token.ts';
import { deliver } from './messages.ts';
import { readPort, writePort } from './ports.ts';
import { cloneError } from './transferable.ts';

const PORT = 1;
const TOKEN = 2;
const SERIALIZER = 3;

/** By their ports: a lock that comes here twice is one object, and one that comes home is itself. */
const locks = new WeakMap<MsgPort, Lock>();

/** undefined: it can't travel. */
function writeHost(object: object): HostValues | undefined {
  if (object instanceof MsgPort) return [PORT, ...writePort(object)];
  if (!(object instanceof Lock)) return undefined;
  locks.set(object.port as MsgPort, object);
  return [object instanceof Token ? TOKEN : SERIALIZER, ...writePort(object.port as MsgPort)];
}

function readHost(type: number, rfork: number, number: number, shares: number, name: string): object {
  const port = readPort(rfork, number, shares, name);
  if (type === PORT) return port;
  let lock = locks.get(port);
  if (lock === undefined) {
    lock = Lock.withPort(port, () => (type === TOKEN ? new Token(port.name) : new Serializer(port.name)));
    locks.set(port, lock);
  }
  return lock;
}

/** From here on messages go to other rforks and come from them. Called once, by index.ts. */
export function setupMessages(): void {
  native.setupRemote(deliver, writeHost, readHost, cloneError);
}
