// What the Worker of the subjects beside this file runs: it posts back what came.
import { parentPort } from 'node:worker_threads';

parentPort.on('message', (data) => parentPort.postMessage(data));
