// inotify.mjs: random sequences of operations on memfs and on a real tmpfs, both watched by inotify descriptors that watch something in another file
// system as well: the same events in the same order.
//
// inotify.mjs DIRECTORY OTHER SEED SEQUENCES LENGTH: DIRECTORY lies on a tmpfs, OTHER in another file system.
import { mkdirSync, mkdtempSync } from 'node:fs';
import { constants as c, sys } from '@libcr/syscalls';
import { memfs } from '@libcr/syscalls/shims/memfs';
import { World } from './apply.mjs';
import { compareAll, DEEP, remove } from './compare.mjs';
import { kinds as fileKinds, makeOperations, path } from './operations.mjs';

const [directory, otherDirectory, seed, sequences, length] = process.argv.slice(2);
const WATCHERS = 2;

/** Paths that begin with "@" lie in the other file system. */
class WatchedWorld extends World {
  constructor(base, other) {
    super(base);
    this.other = other;
    this.watchers = Array.from({ length: WATCHERS }, () => ({
      fd: sys.inotify_init1(c.IN_NONBLOCK | c.IN_CLOEXEC),
      watches: new Map(),
    }));
    this.cookies = new Map();
  }

  at(path) {
    return path.startsWith('@') ? `${this.other}${path.slice(1)}` : super.at(path);
  }

  watch(which, path, mask) {
    const { fd, watches } = this.watchers[which];
    const watch = sys.inotify_add_watch(fd, this.at(path), mask);
    if (!watches.has(watch)) watches.set(watch, watches.size);
    return watches.get(watch);
  }

  unwatch(which, nth) {
    const { fd, watches } = this.watchers[which];
    const found = [...watches].find(([, index]) => index === nth);
    return found === undefined ? 'none' : sys.inotify_rm_watch(fd, found[0]);
  }

  events(which, size) {
    const { fd, watches } = this.watchers[which];
    const pollfds = [{ fd, events: c.POLLIN }];
    const list = [];
    let ready = sys.poll(pollfds, 0);
    const unread = Buffer.alloc(4);
    sys.ioctl(fd, c.FIONREAD, unread);
    list.push(unread.readInt32LE());
    try {
      for (;;) {
        const buffer = Buffer.alloc(size);
        const n = sys.read(fd, buffer);
        for (let at = 0; at < n; ) {
          const end = at + 16 + buffer.readUInt32LE(at + 12);
          const watch = watches.get(buffer.readInt32LE(at));
          const mask = buffer.readUInt32LE(at + 4).toString(16);
          const cookie = this.cookie(buffer.readUInt32LE(at + 8));
          const name = buffer
            .toString('latin1', at + 16, end)
            .replace(/\0+$/, '')
            .replace(/^#\d+$/, '#');
          list.push(`${watch} ${mask} ${cookie} ${name} ${end - at}`);
          at = end;
        }
        ready = -1;
      }
    } catch (error) {
      list.push(error.code);
      if (error.code !== 'EAGAIN' && error.code !== 'EINVAL') throw error;
    }
    return [ready, list];
  }

  cookie(cookie) {
    if (cookie !== 0 && !this.cookies.has(cookie)) this.cookies.set(cookie, this.cookies.size + 1);
    return cookie === 0 ? 0 : this.cookies.get(cookie);
  }

  tree() {
    return this.watchers.map((_, i) => this.events(i, 4096));
  }

  end() {
    super.end();
    for (const { fd } of this.watchers) sys.close(fd);
  }
}

const elsewhere = (r) => (r.chance(0.1) ? `@/${path(r)}` : path(r));
const MASKS = [
  c.IN_ALL_EVENTS,
  c.IN_ALL_EVENTS,
  c.IN_CREATE | c.IN_DELETE | c.IN_MOVE | c.IN_MODIFY | c.IN_ATTRIB | c.IN_DELETE_SELF | c.IN_MOVE_SELF,
  c.IN_MODIFY,
  c.IN_CLOSE,
  c.IN_ALL_EVENTS | c.IN_ONLYDIR,
  c.IN_ALL_EVENTS | c.IN_DONT_FOLLOW,
  c.IN_ALL_EVENTS | c.IN_EXCL_UNLINK,
  c.IN_ALL_EVENTS | c.IN_ONESHOT,
  c.IN_OPEN | c.IN_MASK_ADD,
  c.IN_ALL_EVENTS | c.IN_MASK_CREATE,
  c.IN_ALL_EVENTS | c.IN_MASK_CREATE | c.IN_MASK_ADD,
  0,
  c.IN_ISDIR,
];
/** What copies within the kernel tells of it depends on how it was copied. */
const LEFT_OUT = ['copy_file_range', 'sendfile', 'fallocate'];
const kinds = [
  ...fileKinds.filter(([name]) => !LEFT_OUT.includes(name)),
  ['watch', 30, (r) => [r.below(WATCHERS), r.chance(0.1) ? '@' : elsewhere(r), r.pick(MASKS)]],
  ['watch', 8, (r) => [r.below(WATCHERS), '.', c.IN_ALL_EVENTS]],
  ['unwatch', 2, (r) => [r.below(WATCHERS), r.below(6)]],
  ['events', 8, (r) => [r.below(WATCHERS), r.chance(0.1) ? 16 : r.pick([33, 64, 300, 4096])]],
  ['mkdir', 4, (r) => [`@/${path(r)}`, 0o755]],
  ['open', 4, (r) => [r.below(6), `@/${path(r)}`, c.O_RDWR | c.O_CREAT, 0o644]],
  ['rename', 2, (r) => [`@/${path(r)}`, `@/${path(r)}`]],
  ['unlink', 2, (r) => [`@/${path(r)}`]],
];

function setUp() {
  const root = mkdtempSync(`${directory}/libcr-memfs-`);
  const others = [0, 1].map(() => mkdtempSync(`${otherDirectory}/other-`));
  const mount = `/memfs${'-'.repeat(root.length - 6)}`;
  const tree = memfs({ [mount]: {} });
  const deep = DEEP.join('/');
  for (const other of others) mkdirSync(`${other}/${deep}`, { recursive: true });
  return {
    syscallPort: sys.with(tree),
    begin() {
      const worlds = [mount, root].map((base, i) => new WatchedWorld(base, `${others[i]}/${deep}`));
      for (const world of worlds)
        for (const name of DEEP) {
          world.base += `/${name}`;
          sys.mkdir(world.base);
        }
      return { names: ['memfs', 'tmpfs'], worlds };
    },
    tearDown: () => [root, ...others].map(remove),
  };
}

await compareAll({
  seed: Number(seed),
  sequences: Number(sequences),
  length: Number(length),
  kinds,
  makeOperations,
  setUp,
});
