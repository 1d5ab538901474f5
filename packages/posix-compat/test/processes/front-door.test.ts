/** front-door.test.ts: programs with one thread are under the launcher what they are without it, and what can't be run is said. */
import { chmodSync, copyFileSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { launcherPath } from '../../src/launcher.ts';
import { compile, has, natively, scratch, underLibcr } from '../programs.ts';

/** Output, status and signal are what they are natively. */
async function same(program: string, args: string[] = [], input = ''): Promise<string> {
  const native = await natively(program, args, { input });
  expect(await underLibcr(program, args, { input })).toEqual(native);
  return native.stdout;
}

function file(name: string, text: string, mode = 0o755): string {
  const path = join(scratch, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe('as without it', () => {
  test('ls', async () => expect(await same('/bin/ls', ['-l', '/usr/bin'])).toContain('env'));
  test('cat, from a pipe to a pipe', async () =>
    expect(await same('/bin/cat', ['-'], 'a\nb\n')).toBe('a\nb\n'));
  test('PATH is searched', async () => expect(await same('echo', ['x'])).toBe('x\n'));
  test('an exit status', async () => void (await same('/bin/sh', ['-c', 'exit 3'])));
  test('death by a signal', async () => {
    await same('/bin/sh', ['-c', 'kill -TERM $$']);
    expect((await underLibcr('/bin/sh', ['-c', 'kill -KILL $$'])).signal).toBe('SIGKILL');
  });
  test('a shell with pipes, substitution, a trap and jobs', async () => {
    const script =
      'trap "echo trapped" USR1; kill -USR1 $$; echo a b | tr a-z A-Z | cat; x=$(echo in; exit 4); echo $x $?; (exit 5) & wait $!; echo $?; nosuch; ls /nosuch; for i in 3 1 2; do /bin/echo $i; done | sort';
    expect(await same('/bin/sh', ['-c', script])).toContain('trapped\nA B\nin 4\n5\n');
  });
  test('signals, restarts, masks, alternate stacks, faults, vfork, posix_spawn, bad pointers', async () => {
    const output = await same(compile('signals/signals'));
    expect(output).toContain('read: -1 errno 4 got 1\nread restarted: 1 got 1\n');
  });
  test('a static program', async () =>
    expect(await same(compile('processes/arguments', ['-static']), ['a', ''])).toContain('argc 3'));
  test('a static program that can lie anywhere', async () =>
    void (await same(compile('processes/arguments', ['-static-pie']), ['a'])));
  test('a program that can lie at one place only', async () =>
    void (await same(compile('processes/arguments', ['-no-pie']), ['a'])));
  test.skipIf(!has('python3'))('python3, if there is one', async () => {
    const script =
      'import subprocess, os; print(subprocess.run(["/bin/echo", "x"], capture_output=True).stdout); os.system("echo y"); print(sum(range(10**6)))';
    expect(await same('/usr/bin/python3', ['-c', script])).toContain('499999500000');
  });
});

describe('in another root, without /proc', () => {
  const output = '/proc: -1\na child\nfork: 3\nanother one\nvfork: 3\nitself\n';
  const room = () => {
    const folder = mkdtempSync(join(scratch, 'room-'));
    const program = compile('processes/rooms', ['-static']);
    copyFileSync(program, join(folder, 'rooms'));
    copyFileSync(launcherPath(), join(folder, 'libcr'));
    return { folder, program };
  };
  const enter = async (skip: (why: string) => void) => {
    const { folder, program } = room();
    const native = await natively(program, [folder, '/rooms']);
    if (native.status === 77) skip('the root can not be changed here');
    expect(native).toEqual({ status: 3, signal: null, stdout: output, stderr: '' });
    return { folder, program, native };
  };
  test.for(['--rforks=1', '--rforks=2', '--time=virtual', '--policy=deny:mkdir', '--record'])(
    'a program goes there: %s',
    async (mode, { skip }) => {
      const { folder, program, native } = await enter(skip);
      const recording = join(folder, 'recording');
      const options = [mode === '--record' ? `--record=${recording}` : mode];
      expect(await underLibcr(program, [folder, '/rooms'], { options })).toEqual(native);
      if (mode === '--record')
        expect(await natively(launcherPath(), [`--replay=${recording}`])).toEqual(native);
    },
  );
  test('libcr itself begins there', async ({ skip }) => {
    const { folder, program, native } = await enter(skip);
    for (const options of [[], ['--time=virtual'], ['--record=/recording']])
      expect(await natively(program, [folder, '/libcr', ...options, '--', '/rooms'])).toEqual(native);
    expect(await natively(program, [folder, '/libcr', '--replay=/recording'])).toEqual(native);
  });
});

describe('scripts', () => {
  test('#! with an argument', async () => {
    expect(
      await same(file('script', '#!/bin/sh -e\necho "$0" "$#" "$1"\nfalse\necho no\n'), ['a b']),
    ).toContain('1 a b');
  });
  test('an interpreter that is a script itself', async () => {
    const inner = file('inner', '#!/bin/sh\necho inner "$@"\n');
    expect(await same(file('outer', `#!${inner} with blanks \n`), ['x'])).toContain('inner with blanks');
  });
  test('as children', async () => {
    const script = file('child', '#!/bin/sh\necho child of "$1"\n');
    expect(await same('/bin/sh', ['-c', `${script} a; exec ${script} b`])).toBe('child of a\nchild of b\n');
  });
});

describe('what a program sees of itself', () => {
  test('name, command line, path, auxiliary vector', async () => {
    const program = compile('processes/arguments');
    const link = join(scratch, 'another-name');
    symlinkSync(program, link);
    for (const path of [program, link])
      expect(await same(path, ['--', '-x', ''])).toContain(`exe ${program}\n`);
  });
  test('of a script: the interpreter’s command line, the script’s name', async () => {
    const script = file('named', '#!/bin/sh\ntr "\\\\0" " " </proc/$$/cmdline; cat /proc/$$/comm\n');
    expect(await same(script, ['z'])).toMatch(/named z named\n$/);
  });
});

describe('what can’t be run', () => {
  const text = file('text', 'no program\n');
  const interpreterless = file('interpreterless', '#!/nosuch/interpreter\n');
  const forbidden = file('forbidden', '#!/bin/sh\n', 0o644);
  const foreign = file('foreign', '');
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x01\x01\x01');
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(3, 18); // EM_386
  writeFileSync(foreign, header);

  test.each([
    ['nosuch-program', 127, 'nosuch-program: not found'],
    [join(scratch, 'nosuch'), 127, `${join(scratch, 'nosuch')}: not found`],
    [interpreterless, 127, `${interpreterless}: the interpreter in its first line is not there`],
    [scratch, 126, `${scratch}: permission denied`],
    [forbidden, 126, `${forbidden}: permission denied`],
    [text, 126, `${text}: neither an ELF program nor a script with an interpreter in its first line`],
    [foreign, 126, `${foreign}: is a program for another machine than x86-64`],
  ])('%s', async (program, status, message) => {
    expect(await underLibcr(program)).toEqual({
      status,
      signal: null,
      stdout: '',
      stderr: `libcr: ${message}\n`,
    });
  });
  test('by a child: what execve answers', async () => {
    const script = `nosuch-program; ${text}; ${interpreterless}; ${scratch}; ${forbidden}; echo $?`;
    await same('/bin/sh', ['-c', script]);
  });
});

describe('what is run without libcr, which says so', () => {
  test('a set-user-ID program; once for each time that it is run', async () => {
    const program = join(scratch, 'set-user-id');
    copyFileSync('/bin/echo', program);
    chmodSync(program, 0o4755);
    const { stdout, stderr, status } = await underLibcr('/bin/sh', [
      '-c',
      `${program} a; ${program} b; exit 3`,
    ]);
    const sentence = `libcr: ${program} runs with its owner's rights (set-user-ID or set-group-ID): it runs without libcr\n`;
    expect([stdout, stderr, status]).toEqual(['a\nb\n', sentence + sentence, 3]);
  });
  test('what the kernel has another program for (binfmt_misc)', async ({ skip }) => {
    const program = join(scratch, 'misc');
    writeFileSync(program, '#libcr-test\n', { mode: 0o755 });
    // In a user namespace of its own, which has rules of its own since Linux 6.7.
    const script = `mount -t binfmt_misc none /proc/sys/fs/binfmt_misc && echo ':libcr-test:M:1:libcr-test::/bin/echo:' > /proc/sys/fs/binfmt_misc/register || exit 77
      "$@"`;
    const namespace = ['--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh'];
    const native = has('unshare') ? await natively('unshare', [...namespace, program, 'a']) : undefined;
    if (native?.stdout !== `${program} a\n`) skip('binfmt_misc can not be had here');
    const run = (...words: string[]) => natively('unshare', [...namespace, launcherPath(), ...words]);
    expect(await run('sh', '-c', `${program} a; exit 3`)).toEqual({
      ...{ status: 3, signal: null, stdout: `${program} a\n` },
      stderr: `libcr: ${program} is for a program that the kernel starts for it (binfmt_misc): it runs without libcr\n`,
    });
    expect(await run(program)).toMatchObject({ status: 126, stdout: '' });
    expect((await run('--policy=deny:mkdir', 'sh', '-c', program)).stdout).toBe('');
  });
});

test('--stats counts the calls that were caught, of each process; children are caught', async () => {
  const { stderr, stdout } = await underLibcr('/bin/sh', ['-c', '/bin/true; exec /bin/echo x'], {
    options: ['--stats'],
  });
  expect(stdout).toBe('x\n');
  const [first, second] = [...stderr.matchAll(/^libcr: (\S+) \(\d+\): (\d+) system calls caught$/gm)];
  expect(first?.[1]).toMatch(/true$/);
  expect(second?.[1]).toMatch(/echo$/);
  expect(Number(second?.[2])).toBeGreaterThan(10);
});

test('--trace prints the calls', async () => {
  const { stderr } = await underLibcr('/bin/cat', ['/nosuch'], { options: ['--trace'] });
  expect(stderr).toMatch(/^\d+ +execve\("\/bin\/cat", \["\/bin\/cat", "\/nosuch"\], .*\) = 0$/m);
  expect(stderr).toMatch(
    /^\d+ +openat\(AT_FDCWD, "\/nosuch", .*\) = -1 ENOENT \(No such file or directory\)$/m,
  );
  expect(stderr).toMatch(/^\d+ +exit_group\(1\) += \?$/m);
});

test('a wrong option, and some that mean nothing together', async () => {
  const said = async (...options: string[]) => {
    const { status, stderr } = await underLibcr('/bin/true', [], { options });
    return [status, stderr];
  };
  expect(await said('--dance')).toEqual([2, expect.stringContaining('libcr: --dance: no such option')]);
  expect(await said('--trace-format=json')).toEqual([2, 'libcr: --trace-format: there is no --trace\n']);
  expect(await said('--schedule-log=/x')).toEqual([2, 'libcr: --schedule-log: there is no --schedule\n']);
  expect(await said('--time=real', '--schedule=seed:1')).toEqual([
    2,
    'libcr: --time: a schedule is the same run again only in virtual time\n',
  ]);
});

describe('what libcr itself writes can’t be: the program goes on, and it is said once for all its processes', () => {
  const work = 'for i in 1 2 3; do /bin/true; done; echo done';
  const why = { '/dev/full': 'No space left on device', pipe: 'Broken pipe', limit: 'File too large' };

  test.each(
    (['--trace', '--stats'] as const).flatMap((option) =>
      (['/dev/full', 'pipe', 'limit'] as const).map((where) => [option, where] as const),
    ),
  )('%s: %s', async (option, where) => {
    const file = join(scratch, 'written');
    const launcher = launcherPath();
    const script = {
      '/dev/full': `"$0" ${option}=/dev/full sh -c '${work}'`,
      // Nobody has the FIFO's other end any more.
      pipe: `mkfifo fifo; exec 8<>fifo 9>fifo 8<&-; rm fifo; "$0" ${option}=9 sh -c '${work}'`,
      limit: `ulimit -f 0; "$0" ${option}=${file} sh -c '${work}'`,
    }[where];
    const { status, signal, stdout, stderr } = await natively('bash', ['-c', script, launcher], {
      cwd: scratch,
    });
    expect({ status, signal, stdout, stderr }).toEqual({
      status: 0,
      signal: null,
      stdout: 'done\n',
      stderr: `libcr: ${option} can't be written: ${why[where]}\n`,
    });
  });

  test('stderr itself: nothing can be said', async () => {
    const script = `exec 2>/dev/full; "$0" --trace sh -c '${work}'`;
    expect(await natively('bash', ['-c', script, launcherPath()])).toMatchObject({
      status: 0,
      stdout: 'done\n',
    });
  });

  test('SIGPIPE of the program’s own writes is its own', async () => {
    const own = 'yes | head -1; echo $PIPESTATUS';
    const script = `mkfifo fifo; exec 8<>fifo 9>fifo 8<&-; rm fifo; "$0" --trace=9 bash -c '${own}'`;
    const result = await natively('bash', ['-c', script, launcherPath()], { cwd: scratch });
    expect(result).toMatchObject({ status: 0, stdout: 'y\n141\n' });
  });
});
