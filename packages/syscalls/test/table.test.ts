/** table.test.ts: the table agrees with the system's headers, and what is generated from it is current. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rows } from '../src/generated/rows.ts';
import { constants } from '../src/index.ts';
import { temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const root = join(import.meta.dirname, '..');

test('generated files are current', () => {
  const { status, stderr } = spawnSync(process.execPath, ['table/generate.mjs', '--check'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
});

/** Newer than the headers of Debian 12 (Linux 6.1), or no macro there. */
const NEWER = [
  'O_LARGEFILE',
  'SYS_cachestat',
  'SYS_fchmodat2',
  'SYS_setxattrat',
  'SYS_getxattrat',
  'SYS_listxattrat',
  'SYS_removexattrat',
  'SYS_file_getattr',
  'SYS_file_setattr',
  'RWF_NOAPPEND',
  'AT_HANDLE_FID',
  'MFD_NOEXEC_SEAL',
  'MFD_EXEC',
];

test('numbers, errnos and flags are those of the headers', async () => {
  const { others, sets } = (await import('../table/constants.mjs' as string)) as {
    others: Record<string, object>;
    sets: Record<string, { header: string }>;
  };
  const headers = new Set([
    'errno.h',
    'sys/syscall.h',
    ...Object.keys(others),
    ...Object.values(sets).map((set) => set.header),
  ]);
  const entries = Object.entries(constants);
  const source = [
    '#define _GNU_SOURCE',
    ...[...headers].map((header) => `#include <${header}>`),
    '#include <linux/fcntl.h>',
    '#include <stdio.h>',
    'int main(void) {',
    // A name that this machine's headers do not have yet is printed as absent; which may be is NEWER's to say.
    ...entries.flatMap(([name]) => [
      `#if defined(${name}) || ${/^(EPOLL|SHUT_|IPPROTO_|SOCK_|MSG_|DT_|GRND_)/.test(name) ? 1 : 0}`,
      `printf("${name} %lld\\n", (long long)(${name === 'EPOLLET' ? '(unsigned)EPOLLET' : name}));`,
      '#else',
      `puts("${name} absent");`,
      '#endif',
    ]),
    'return 0; }',
  ];
  writeFileSync(join(folder, 'constants.c'), source.join('\n').replace('#include <linux/fcntl.h>\n', ''));
  const compiled = spawnSync('gcc', ['-o', join(folder, 'constants'), join(folder, 'constants.c')], {
    encoding: 'utf8',
  });
  expect(compiled.stderr).toBe('');
  const printed = spawnSync(join(folder, 'constants'), { encoding: 'utf8' }).stdout.trim().split('\n');
  const absent = printed.filter((line) => line.endsWith(' absent')).map((line) => line.split(' ')[0]);
  expect(absent.filter((name) => !NEWER.includes(name as string))).toEqual([]);
  const theirs = new Map(printed.map((line) => line.split(' ') as [string, string]));
  // O_LARGEFILE is 0 in 64-bit headers, and what the kernel shows in F_GETFL.
  const differing = entries.filter(
    ([name, value]) =>
      name !== 'O_LARGEFILE' && theirs.get(name) !== 'absent' && theirs.get(name) !== String(value),
  );
  expect(differing.map(([name, value]) => [name, value, theirs.get(name)])).toEqual([]);
  expect(entries.length).toBeGreaterThan(300);
});

test('every call of the issue is there', () => {
  const wanted =
    'open openat close read write pread64 pwrite64 readv writev lseek fstat statx getdents64 mkdir rmdir unlink rename readlink symlink ' +
    'ftruncate fsync fcntl dup dup3 pipe2 getpid getrandom nanosleep clock_nanosleep socket connect bind listen accept4 sendto recvfrom ' +
    'shutdown epoll_create1 epoll_ctl epoll_wait poll';
  const names = new Set<string>(rows.map((row) => row.name));
  expect(wanted.split(' ').filter((name) => !names.has(name))).toEqual([]);
});
