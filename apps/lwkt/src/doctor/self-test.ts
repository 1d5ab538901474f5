/**
 * self-test.ts: tries what libcr is for: loads the native halves, creates userthreads, switches, sends a
 * message, makes a system call. A step that fails is a finding, and the steps that need it are left out.
 */
import type { Finding } from './findings.ts';

const TIMEOUT = 10_000;

function message(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s*\n\s*/g, ' '); // a finding is one line
}

/** A finding from fn: its answer, or what it threw and what to do about it. */
async function attempt(name: string, advice: string, fn: () => Promise<string>): Promise<Finding> {
  try {
    return { state: 'ok', name, value: await fn() };
  } catch (error) {
    return { state: 'missing', name, value: message(error), advice };
  }
}

const REINSTALL =
  'reinstall the package; in a checkout of libcr, "npm run build" makes it for the Node that runs npm';
const REPORT = 'this should work where the native half loads: please report it, with this output';

async function switches({ create, yieldNow }: typeof import('@libcr/core')): Promise<string> {
  const order: string[] = [];
  const turns = (name: string) => () => {
    for (let turn = 0; turn < 3; turn++) {
      order.push(name);
      yieldNow();
    }
  };
  const threads = [create(turns('a')), create(turns('b'))];
  for (const td of threads) await td.finished;
  const seen = order.join('');
  if (seen !== 'ababab') throw new Error(`two userthreads that yield ran in the order ${seen}`);
  return "two userthreads took turns (V8's thread words and %gs are right)";
}

async function messages({ create, Msg, MsgPort }: typeof import('@libcr/core')): Promise<string> {
  const port = new MsgPort<number, number>('doctor');
  const server = create(() => {
    for (const msg of port) msg.replymsg(undefined, msg.data * 2);
  });
  const client = create(() => {
    const answer = port.domsg(new Msg<number, number>(21), { timeout: TIMEOUT });
    port.close();
    return answer;
  });
  const answer = await client.finished;
  await server.finished;
  if (answer !== 42) throw new Error(`the answer to 21 was ${answer}`);
  return 'sent, answered and received';
}

async function systemCall({ create }: typeof import('@libcr/core')): Promise<string> {
  const { sys } = await import('@libcr/syscalls');
  const pid = await create(() => sys.getpid()).finished;
  if (pid !== process.pid) throw new Error(`getpid() answered ${pid}, and this is ${process.pid}`);
  return 'getpid() through the system-call port';
}

/** Tries it, step by step. */
export async function selfTest(): Promise<Finding[]> {
  const native = await attempt('@libcr/core', REINSTALL, async () => {
    await import('@libcr/core');
    return 'native half found';
  });
  if (native.state === 'missing') return [native];
  const core = await import('@libcr/core');
  const syscalls = await attempt('@libcr/syscalls', REINSTALL, async () => {
    await import('@libcr/syscalls');
    return 'native half found';
  });
  const findings = [
    native,
    syscalls,
    await attempt('switch', REPORT, () => switches(core)),
    await attempt('message', REPORT, () => messages(core)),
  ];
  if (syscalls.state === 'ok') findings.push(await attempt('system call', REPORT, () => systemCall(core)));
  return findings;
}
