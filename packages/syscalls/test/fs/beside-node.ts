/** beside-node.ts: the same done with node:fs and with ours: in this process, or as a program of its own, with the port under node:fs. */
import { spawn } from 'node:child_process';
import nodeFs, { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import ownFs from '../../src/fs/index.ts';
import { temporaryFolder } from '../support.ts';

const PACKAGE = join(import.meta.dirname, '..', '..');

/** What a test says of an error. */
export interface Told {
  name: string;
  code: unknown;
  message: string;
  syscall?: unknown;
}

export function told(error: unknown): Told {
  const { name, code, message, syscall } = error as Told;
  return { name, code, message, syscall };
}

/** What fn answers, or its error. */
export async function outcome(fn: () => unknown): Promise<unknown> {
  try {
    return await fn();
  } catch (error) {
    return told(error);
  }
}

/** For operations on a folder of their own, whose name must not show. */
export type Scenario = (fs: typeof nodeFs, folder: string) => unknown;

/** A test for each: node:fs' answer, and ours. */
export function besideNode(scenarios: Record<string, Scenario>): void {
  const scratch = temporaryFolder();
  let count = 0;
  const on = async (fs: unknown, scenario: Scenario): Promise<unknown> => {
    const folder = join(scratch, String(count++));
    nodeFs.mkdirSync(folder);
    const answer = await outcome(() => scenario(fs as typeof nodeFs, folder));
    return JSON.parse(JSON.stringify(answer ?? null).replaceAll(folder, 'FOLDER'));
  };
  test.each(Object.entries(scenarios))('%s', async (_name, scenario) => {
    expect(await on(ownFs, scenario)).toEqual(await on(nodeFs, scenario));
  });
}

interface Ended {
  status: number | null;
  stdout: string;
}

function start(args: string[], env: NodeJS.ProcessEnv): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      env: { ...process.env, NODE_NO_WARNINGS: '1', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout }));
  });
}

/** A test for each program (CommonJS), which says on stdout what it sees: with node:fs as it is, and over the port. */
export function programsBesideNode(programs: Record<string, string>, flags: string[] = []): void {
  const scratch = temporaryFolder();
  const config = join(scratch, 'config.json');
  writeFileSync(config, JSON.stringify({ shims: [], fs: true }));
  const register = ['--import', join(PACKAGE, 'dist', 'register.js')];
  test.each(Object.entries(programs))('%s', async (name, text) => {
    const program = join(scratch, `${Object.keys(programs).indexOf(name)}.cjs`);
    writeFileSync(program, text);
    const env = { LIBCR_CONFIG: config };
    const [own, node] = await Promise.all([
      start([...flags, ...register, program], env),
      start([...flags, program], env),
    ]);
    expect(own).toEqual(node);
    expect(node).toMatchObject({ status: 0, stdout: expect.stringContaining('\n') });
  });
}
