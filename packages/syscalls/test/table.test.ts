/** table.test.ts: the table against the machine's headers, and the generated files against the table. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rows } from '../src/generated/rows.ts';
import { constants } from '../src/index.ts';
import { temporaryFolder } from './support.ts';

interface TableRow {
  name: string;
  number: number;
  numbers: { x86_64: number; aarch64: number | null };
  level: string;
  doc: string;
  reason?: string;
  alternative?: string;
  errors?: string[];
}

const folder = temporaryFolder();
const root = join(import.meta.dirname, '..');
const table = async (): Promise<TableRow[]> =>
  ((await import('../table/calls.mjs' as string)) as { calls: TableRow[] }).calls;

test('generated files are current', () => {
  const { status, stderr } = spawnSync(process.execPath, ['table/generate.mjs', '--check'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
});

/** The calls newer than Debian 12's headers (Linux 6.1), and two that its headers do not name. */
const NEWER = new Set(
  (
    'uretprobe uprobe cachestat fchmodat2 map_shadow_stack futex_wake futex_wait futex_requeue statmount listmount lsm_get_self_attr ' +
    'lsm_set_self_attr lsm_list_modules mseal setxattrat getxattrat listxattrat removexattrat open_tree_attr file_getattr file_setattr listns'
  ).split(' '),
);

/** Names and numbers that a header defines as PREFIX and name. */
function numbersOf(path: string, prefix: string): Map<string, number> {
  const found = readFileSync(path, 'utf8').matchAll(new RegExp(`^#define ${prefix}(\\w+)\\s+(\\d+)`, 'gm'));
  return new Map([...found].map(([, name, number]) => [name as string, Number(number)]));
}

const X86_64 = '/usr/include/x86_64-linux-gnu/asm/unistd_64.h';

test.skipIf(!existsSync(X86_64))('each call of unistd_64.h has its row, and each row its call', async () => {
  const header = numbersOf(X86_64, '__NR_');
  const calls = await table();
  const ours = new Map(calls.map(({ name, numbers }) => [name, numbers.x86_64]));
  expect([...header].filter(([name, number]) => ours.get(name) !== number)).toEqual([]);
  expect([...ours.keys()].filter((name) => !header.has(name) && !NEWER.has(name))).toEqual([]);
  expect(new Set(ours.values()).size).toBe(calls.length);
});

const GENERIC = '/usr/include/asm-generic/unistd.h';

test.skipIf(!existsSync(GENERIC))("aarch64's numbers are those of asm-generic/unistd.h", async () => {
  // Where 32 and 64 bits differ, the header has the number under another prefix, and two under another name.
  const header = new Map([...numbersOf(GENERIC, '__NR3264_'), ...numbersOf(GENERIC, '__NR_')]);
  header.set('newfstatat', header.get('fstatat') as number);
  const differing = (await table()).filter(
    ({ name, numbers }) =>
      !NEWER.has(name) && (numbers.aarch64 ?? undefined) !== header.get(name) && header.has(name),
  );
  expect(differing.map(({ name, numbers }) => [name, numbers.aarch64, header.get(name)])).toEqual([]);
});

test('each row says what it has to', async () => {
  const errnos = new Set(Object.keys(constants).filter((name) => /^E[A-Z0-9]+$/.test(name)));
  for (const row of await table()) {
    expect([row.name, row.doc.endsWith('.') || row.doc.endsWith(')')]).toEqual([row.name, true]);
    if (row.level === 'refused')
      expect([row.name, row.reason?.endsWith('.'), (row.alternative ?? '') !== '']).toEqual([
        row.name,
        true,
        true,
      ]);
    for (const errno of row.errors ?? [])
      expect([row.name, errno, errnos.has(errno)]).toEqual([row.name, errno, true]);
  }
  expect(rows.length).toBe((await table()).length);
});

/** Constants newer than Debian 12's headers, or no macros there. */
const ABSENT = new Set([
  'O_LARGEFILE',
  'RWF_NOAPPEND',
  'AT_HANDLE_FID',
  'MFD_NOEXEC_SEAL',
  'MFD_EXEC',
  'FSCONFIG_CMD_CREATE_EXCL',
  'PIDFD_NONBLOCK', // in linux/pidfd.h, which does not go with fcntl.h
]);
/** Names that are members of an enum, so that #ifdef does not see them. */
const ENUM =
  /^(EPOLL|SHUT_|IPPROTO_|SOCK_|MSG_|DT_|GRND_|EFD_|TFD_|SFD_|IN_NONBLOCK|IN_CLOEXEC|P_|RLIMIT_|RUSAGE_|PRIO_|ITIMER_|IOPRIO_WHO|MEMBARRIER_|MS_|MNT_|UMOUNT_|FSCONFIG_|SCM_|XATTR_)/;

test('errnos and flags are those of the headers', async () => {
  const { others, sets } = (await import('../table/constants.mjs' as string)) as {
    others: Record<string, object>;
    sets: Record<string, { header: string }>;
  };
  const headers = new Set([
    'errno.h',
    ...Object.keys(others),
    ...Object.values(sets).map((set) => set.header),
  ]);
  const entries = Object.entries(constants).filter(([name]) => !name.startsWith('SYS_'));
  const source = [
    '#define _GNU_SOURCE',
    // Before linux/fs.h, which defines some of the same names.
    ...[...headers]
      .sort((a, b) => Number(a.startsWith('linux/')) - Number(b.startsWith('linux/')))
      .map((header) => `#include <${header}>`),
    '#include <stdio.h>',
    'int main(void) {',
    // A name that this machine's headers do not have is printed as absent; which may be is ABSENT's to say.
    ...entries.flatMap(([name]) => [
      `#if defined(${name}) || ${ENUM.test(name) && !ABSENT.has(name) ? 1 : 0}`,
      `printf("${name} %lld\\n", (long long)(${name === 'EPOLLET' ? '(unsigned)EPOLLET' : name}));`,
      '#else',
      `puts("${name} absent");`,
      '#endif',
    ]),
    'return 0; }',
  ];
  writeFileSync(join(folder, 'constants.c'), source.join('\n'));
  const compiled = spawnSync('gcc', ['-w', '-o', join(folder, 'constants'), join(folder, 'constants.c')], {
    encoding: 'utf8',
  });
  expect(compiled.stderr).toBe('');
  const printed = spawnSync(join(folder, 'constants'), { encoding: 'utf8' }).stdout.trim().split('\n');
  const theirs = new Map(printed.map((line) => line.split(' ') as [string, string]));
  const absent = [...theirs].filter(([, value]) => value === 'absent').map(([name]) => name);
  expect(absent.filter((name) => !ABSENT.has(name))).toEqual([]);
  // O_LARGEFILE is 0 in 64-bit headers, and what the kernel shows in F_GETFL.
  const differing = entries.filter(
    ([name, value]) => !ABSENT.has(name) && BigInt(theirs.get(name) as string) !== BigInt(value),
  );
  expect(differing.map(([name, value]) => [name, value, theirs.get(name)])).toEqual([]);
  expect(entries.length).toBeGreaterThan(600);
});
