// What fs.watch and watchFile keep alive, and what not. See fs/watch.test.ts.
import { writeFileSync } from 'node:fs';
import fs from '@libcr/syscalls/fs';

const [what, folder] = process.argv.slice(2);
const stays = (watcher) => {
  watcher.on('change', () => {
    console.log('told');
    watcher.close?.();
    fs.unwatchFile(`${folder}/file`);
  });
  setInterval(() => writeFileSync(`${folder}/file`, 'more'), 50).unref(); // again: it may not have looked for the first time
};
const none = () => {};

({
  'persistent: false': () => fs.watch(folder, { persistent: false }),
  'unref()': () => fs.watch(folder).unref(),
  'unref(), while it waits': () => {
    const watcher = fs.watch(folder);
    setTimeout(() => watcher.unref(), 10);
  },
  'watchFile, persistent: false': () => fs.watchFile(folder, { persistent: false, interval: 5 }, none),
  'watchFile, unref()': () => fs.watchFile(folder, { interval: 5 }, none).unref(),
  'until close()': () => stays(fs.watch(folder)),
  'ref(), until close()': () => stays(fs.watch(folder, { persistent: false }).ref()),
  'ref(), while it waits, until close()': () => {
    const watcher = fs.watch(folder, { persistent: false });
    setTimeout(() => stays(watcher.ref()), 10);
  },
  'watchFile, until unwatchFile()': () => stays(fs.watchFile(`${folder}/file`, { interval: 5 }, none)),
})[what]();
console.log('began');
