import { constants, defineShim } from '@libcr/syscalls';

export default defineShim({
  name: 'deny',
  on: ['open'],
  shim: (next) => (msg) => (msg.path === '/etc/passwd' ? -constants.EACCES : next(msg)),
});
