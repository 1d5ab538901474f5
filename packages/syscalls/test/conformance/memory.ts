/** memory.ts: conformance of memory. */
import { constants as c, sys } from '../../src/index.ts';
import { type Cases, raw } from './case.ts';

const buffer = Buffer.allocUnsafeSlow(3 * 4096);
/** The part of buffer that begins at a page: the kernel says where, by refusing others. */
const page = (): Buffer => {
  for (let at = 0; at < 4096; at += 16)
    if (sys.raw(c.SYS_mincore, buffer.subarray(at), 4096, Buffer.alloc(1)) === 0) return buffer.subarray(at);
  return buffer;
};

export const memory: Cases = {
  mincore: {
    works: () => {
      const pages = Buffer.alloc(1);
      const memory = page().fill(1);
      return [
        [raw('mincore', memory, 4096, pages), (pages[0] as number) & 1],
        [0, 1],
      ];
    },
    fails: { ERR_OUT_OF_RANGE: () => raw('mincore', page(), 8192, Buffer.alloc(1)) },
  },
  mlock: {
    works: () => [raw('mlock', buffer, 100) + raw('munlock', buffer, 100), 0],
    fails: { ERR_OUT_OF_RANGE: () => raw('mlock', buffer, 2 ** 30) },
  },
  mlock2: {
    works: () => [raw('mlock2', buffer, 100, c.MLOCK_ONFAULT) + raw('munlock', buffer, 100), 0],
    fails: { EINVAL: () => raw('mlock2', buffer, 100, 8) },
  },
  munlock: {
    works: () => [raw('munlock', buffer, 100), 0],
    fails: { ERR_INVALID_ARG_TYPE: () => raw('munlock', 4096, 4096) },
  },
  mlockall: { why: 'would keep all of Node in memory', fails: { EINVAL: () => sys.mlockall(0) } },
  munlockall: { works: () => [sys.munlockall(), undefined] },
  membarrier: {
    works: () => [sys.membarrier(c.MEMBARRIER_CMD_QUERY) & c.MEMBARRIER_CMD_GLOBAL, 1],
    fails: { EINVAL: () => sys.membarrier(99) },
  },
  memfd_secret: {
    why: 'is off in most kernels',
    fails: { [sys.raw(c.SYS_memfd_secret, 0) < 0 ? 'ENOSYS' : 'EINVAL']: () => sys.memfd_secret(1) },
  },
};
