// Runs a case of another program in a Worker: in-worker.mjs PROGRAM CASE. With a number, that many Workers at
// once; all must print the same, which is then printed. See worker.test.ts.
import { Worker } from 'node:worker_threads';
import '@libcr/core'; // the main thread has it too

const [program, name, count = '1'] = process.argv.slice(2);

async function one() {
  const url = new URL(program, import.meta.url);
  const worker = new Worker(url, { argv: [name], stdout: true });
  let text = '';
  worker.stdout.setEncoding('utf8').on('data', (data) => {
    text += data;
  });
  const code = await new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject));
  return { code, text };
}

const results = await Promise.all(Array.from({ length: Number(count) }, one));
const [first] = results;
if (first.code !== 0) throw new Error(`exit code ${first.code}: ${first.text}`);
if (results.some(({ code, text }) => code !== 0 || text !== first.text))
  throw new Error(`not the same: ${JSON.stringify(results)}`);
process.stdout.write(first.text);
