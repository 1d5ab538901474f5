/** fake-timers.test.ts: what node:fs waits for by itself goes on where a program's tests have put timers of their own in the place of the global ones. */
import { programsBesideNode } from './beside-node.ts';

const faked = (body: string): string => `
  const fs = require('node:fs');
  const os = require('node:os');
  const path = require('node:path');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'libcr-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true }));
  const { setTimeout: real, setInterval: realInterval, clearInterval } = globalThis;
  for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']) globalThis[name] = () => ({ ref() {}, unref() {} });
  const hung = real(() => { console.log('hung'); process.exit(); }, 30_000);
  const end = () => clearTimeout(hung);
  ${body}
`;

programsBesideNode({
  'watchFile looks again': faked(`
    const file = path.join(folder, 'file');
    fs.writeFileSync(file, '');
    const changing = realInterval(() => fs.appendFileSync(file, 'more'), 50);
    fs.watchFile(file, { interval: 5 }, (now) => {
      if (now.size === 0) return;
      console.log('changed');
      clearInterval(changing);
      fs.unwatchFile(file);
      end();
    });`),
  'rm tries again': faked(`
    fs.promises.rm('/proc/self/stat', { maxRetries: 2, retryDelay: 1 }).catch(() => {
      console.log('given up');
      end();
    });`),
});
