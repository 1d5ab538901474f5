/**
 * readme.ts: runs the examples of a README. A block marked "console" is one bash session in the README's
 * folder, with lwkt on the PATH. A line that begins with "$ " is a command, the lines below it are what it
 * must print (stdout and stderr). "…" stands for any text in its line, and alone in a line for any number of
 * lines.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { cli, environment } from './lwkt.ts';

interface Example {
  command: string;
  output: string;
}

/** Printed behind each command's output, to tell them apart. */
const MARK = '--- end of a command ---';

function sessions(readme: string): Example[][] {
  return [...readme.matchAll(/^```console\n(.*?)^```$/gms)].map(([, block]) =>
    (block as string)
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const end = part.indexOf('\n');
        return { command: part.slice(0, end), output: part.slice(end + 1) };
      }),
  );
}

function pattern(output: string): RegExp {
  const escaped = output.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/^…\n/gm, '(?:.*\n)*').replace(/…/g, '.*')}$`);
}

/** What each command prints. */
function run(commands: string[], cwd: string): string[] {
  const bin = mkdtempSync(join(tmpdir(), 'lwkt-readme-'));
  try {
    symlinkSync(process.execPath, join(bin, 'node'));
    writeFileSync(join(bin, 'lwkt'), `#!/bin/sh\nexec "${process.execPath}" "${cli}" "$@"\n`, {
      mode: 0o755,
    });
    const env = { ...environment(), PATH: `${bin}${delimiter}${process.env.PATH}` };
    const script = ['exec 2>&1', ...commands.map((command) => `${command}\necho '${MARK}'`)].join('\n');
    const { stdout } = spawnSync('bash', ['-c', script], { cwd, env, encoding: 'utf8', timeout: 250_000 });
    return stdout.split(`${MARK}\n`).slice(0, -1);
  } finally {
    rmSync(bin, { recursive: true });
  }
}

/** Tests all examples in the README at this URL. `least`: how many sessions there are at least. */
export function testReadme(url: URL, least: number): void {
  const found = sessions(readFileSync(url, 'utf8'));
  test('it has examples', () => expect(found.length).toBeGreaterThanOrEqual(least));
  for (const session of found) {
    const commands = session.map(({ command }) => command);
    test(commands.join('; '), () => {
      const outputs = run(commands, dirname(url.pathname));
      expect(outputs).toHaveLength(session.length);
      for (const [i, { output }] of session.entries()) expect(outputs[i]).toMatch(pattern(output));
    });
  }
}
