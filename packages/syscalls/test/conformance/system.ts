/** system.ts: conformance of the machine and its kernel, keys and security modules. */
import fs from 'node:fs';
import os from 'node:os';
import { sys } from '../../src/index.ts';
import { BAD, type Cases, NONE, raw } from './case.ts';

const BEGINS = 'would change the machine';
const ruleset = (): number => {
  const attributes = Buffer.alloc(8);
  attributes.writeBigUInt64LE(1n); // LANDLOCK_ACCESS_FS_EXECUTE
  return raw('landlock_create_ruleset', attributes, 8, 0);
};
const length = (bytes: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(bytes);
  return buffer;
};
/** The error where the kernel has loadable modules at all. */
const modules = (code: string): string => (fs.existsSync('/proc/modules') ? code : 'ENOSYS');
const names = (file: string): string => fs.readFileSync(file, 'utf8').trim();

export const system: Cases = {
  uname: {
    works: () => {
      const { sysname, nodename, release, machine, version } = sys.uname();
      return [
        [sysname, nodename, release, machine, version],
        [os.type(), os.hostname(), os.release(), os.machine(), os.version()],
      ];
    },
    fails: { ERR_OUT_OF_RANGE: () => raw('uname', Buffer.alloc(389)) },
  },
  sysinfo: {
    works: () => {
      const { totalram, memUnit, loads } = sys.sysinfo();
      return [
        [totalram * memUnit, loads.length],
        [os.totalmem(), 3],
      ];
    },
    fails: { ERR_OUT_OF_RANGE: () => raw('sysinfo', Buffer.alloc(111)) },
  },
  sethostname: {
    works: () => [sys.sethostname(os.hostname()), undefined],
    fails: { EINVAL: () => sys.sethostname(Buffer.alloc(65)) },
  },
  setdomainname: {
    works: () => [sys.setdomainname(names('/proc/sys/kernel/domainname')), undefined],
    fails: { EINVAL: () => sys.setdomainname(Buffer.alloc(65)) },
  },
  syslog: {
    works: () => [raw('syslog', 10, null, 0) > 0, true],
    fails: {
      EINVAL: () => raw('syslog', 99, null, 0),
      ERR_OUT_OF_RANGE: () => raw('syslog', 3, Buffer.alloc(4), 5),
    },
  },
  vhangup: {
    why: 'would hang up the terminal',
    fails: { ERR_INVALID_ARG_VALUE: () => raw('vhangup', 1, 2, 3, 4, 5, 6, 7) },
  },
  reboot: { why: 'would end the machine', fails: { EINVAL: () => raw('reboot', 0, 0, 0, null) } },
  acct: { why: BEGINS, fails: { ENOENT: () => raw('acct', NONE) } },
  init_module: {
    why: BEGINS,
    fails: {
      [modules('ENOEXEC')]: () => raw('init_module', Buffer.alloc(100), 100, ''),
      ERR_OUT_OF_RANGE: () => raw('init_module', Buffer.alloc(4), 5, ''),
    },
  },
  finit_module: {
    why: BEGINS,
    fails: {
      [modules('EINVAL')]: (p) => raw('finit_module', p.open(), '', 0x100),
    },
  },
  delete_module: { why: BEGINS, fails: { [modules('ENOENT')]: () => raw('delete_module', 'libcr_none', 0) } },
  kexec_file_load: {
    why: BEGINS,
    fails: {
      EBADF: () => raw('kexec_file_load', BAD, BAD, 0, Buffer.alloc(1), 0),
      ERR_OUT_OF_RANGE: () => raw('kexec_file_load', 0, 0, 2, Buffer.alloc(1), 0),
    },
  },
  add_key: {
    why: BEGINS,
    fails: {
      EINVAL: () => raw('add_key', 'user', 'libcr', null, 0, -4),
      ENODEV: () => raw('add_key', 'libcr-no-type', 'x', Buffer.alloc(1), 1, -4),
    },
  },
  request_key: {
    why: 'there is no key to find',
    fails: { ENOKEY: () => raw('request_key', 'user', 'libcr-none', null, 0) },
  },
  landlock_create_ruleset: {
    works: () => [raw('landlock_create_ruleset', null, 0, 1) > 0, true],
    fails: {
      EINVAL: () => raw('landlock_create_ruleset', null, 0, 99),
      ENOMSG: () => raw('landlock_create_ruleset', Buffer.alloc(8), 8, 0),
    },
  },
  landlock_add_rule: {
    works: (p) => {
      const rule = Buffer.alloc(16);
      rule.writeBigUInt64LE(1n);
      rule.writeInt32LE(p.directory(), 8);
      return [raw('landlock_add_rule', p.keep(ruleset()), 1, rule, 0), 0];
    },
    fails: {
      EBADF: () => raw('landlock_add_rule', BAD, 1, Buffer.alloc(16), 0),
      EBADFD: (p) => raw('landlock_add_rule', p.open(), 1, Buffer.alloc(16), 0),
    },
  },
  landlock_restrict_self: {
    why: 'cannot be taken back',
    fails: {
      EBADF: () => raw('landlock_restrict_self', BAD, 0),
      EBADFD: (p) => raw('landlock_restrict_self', p.open(), 0),
    },
  },
  lsm_get_self_attr: {
    why: 'depends on the security modules of the kernel',
    fails: {
      EINVAL: () => raw('lsm_get_self_attr', 0, Buffer.alloc(64), length(64), 99),
      ERR_OUT_OF_RANGE: () => raw('lsm_get_self_attr', 100, Buffer.alloc(4), length(8), 0),
    },
  },
  lsm_set_self_attr: {
    why: 'depends on the security modules of the kernel',
    fails: { EINVAL: () => raw('lsm_set_self_attr', 100, Buffer.alloc(64), 64, 99) },
  },
  lsm_list_modules: {
    works: () => {
      const bytes = length(512);
      const count = raw('lsm_list_modules', Buffer.alloc(512), bytes, 0);
      return [count * 8, bytes.readUInt32LE(0)];
    },
    fails: {
      EINVAL: () => raw('lsm_list_modules', Buffer.alloc(8), length(8), 1),
      E2BIG: () => raw('lsm_list_modules', Buffer.alloc(8), length(1), 0),
    },
  },
};
