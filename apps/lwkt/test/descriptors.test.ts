/** descriptors.test.ts: `lwkt run -- PROGRAM 3<file`: the program has the descriptors that the shell has given, at their numbers, and none of Node's. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cli } from './lwkt.ts';

const scratch = mkdtempSync(join(tmpdir(), 'lwkt-test-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const at = (name: string): string => join(scratch, name);
writeFileSync(at('file'), 'of the file\n');
writeFileSync(
  at('pass.mjs'),
  `export default { name: 'pass', on: 'all', shim: (next) => (msg) => next(msg) };`,
);

/** The command as bash runs it: `run PROGRAM` stands for how it is run. */
function bash(run: string, command: string, env: Record<string, string> = {}): string {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `run() { ${run} "$@"; }; ${command}`], {
    cwd: scratch,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

const lwkt = `"${process.execPath}" "${cli}"`;
const ways: [string, string, Record<string, string>?][] = [
  ['it is the program', `${lwkt} run --`],
  ['it can’t be the program', `${lwkt} run --`, { LIBCR_SEMAPHORE_NATIVE: at('none') }],
  ['with shims', `${lwkt} run --shim ./pass.mjs --`],
  ['recording', `${lwkt} record -o ${at('recording')} --`],
];

describe.each(ways)('%s', (_, run, env) => {
  test('a file, to be read and written', () => {
    expect(bash(run, 'run cat /proc/self/fd/3 3<file', env)).toBe('of the file\n');
    expect(bash(run, 'run cat 5<file <&5', env)).toBe('of the file\n');
    expect(bash(run, 'run sh -c "echo made >&4" 4>made; cat made', env)).toBe('made\n');
    expect(bash(run, 'exec 7< <(echo from a pipe); run head -1 /dev/fd/7', env)).toBe('from a pipe\n');
  });

  test('both ends of a pipe, as make gives to those that it runs', () => {
    const command = `mkfifo fifo; exec 3<>fifo; rm fifo; { run sh -c 'echo token >&6; read word <&6; echo $word' 6<&3; }`;
    expect(bash(run, command, env)).toBe('token\n');
    const makefile = `all: ; @+echo $(MAKEFLAGS); $(RUN) $(MAKE) -f ${at('inner.mk')}\n`;
    writeFileSync(at('outer.mk'), makefile);
    writeFileSync(at('inner.mk'), 'all: one two\none two: ; @echo $@\n');
    const made = bash(run, `make -s -j2 -f outer.mk RUN='${run}' 2>&1`, env);
    expect(made.split('\n').slice(1, -1).sort()).toEqual(['one', 'two']); // and no "jobserver unavailable"
  });

  test('the same numbers, and what they are, as natively', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
    const list = 'sh -c \'for fd in /proc/$$/fd/*; do echo "${fd##*/} $(readlink $fd)"; done\'';
    const given = '3<file 7<>file 8</dev/null 9>/dev/full 20<file 30<file 40> >(cat) 12<&- 2>/dev/null';
    const listed = (how: string, more?: Record<string, string>): string[] =>
      bash(how, `run ${list} ${given} </dev/null`, more)
        .split('\n')
        .filter((line) => line !== '' && !/^9\d\d /.test(line)) // libcr's own, which others see
        .map((line) => line.replace(/\[\d+\]/, ''))
        .sort();
    expect(listed(run, env)).toEqual(listed(''));
  });
});
