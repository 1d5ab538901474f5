// The same random reads by fio with its io_uring engine: nanoseconds for one. The second argument: 1 with O_DIRECT, 0 through the page cache.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { DEPTH, RANDOM_READS, READ } from '../../groups/syscalls.mjs';
import { report } from '../../sample.mjs';

const [scratch, direct] = process.argv.slice(2);
const text = execFileSync('fio', [
  '--name=random',
  `--filename=${join(scratch, 'random')}`,
  '--rw=randread',
  `--bs=${READ}`,
  '--ioengine=io_uring',
  `--iodepth=${DEPTH}`,
  `--direct=${direct}`,
  '--invalidate=1',
  `--io_size=${4 * RANDOM_READS * READ}`,
  '--output-format=json',
]);
const { jobs } = JSON.parse(text.toString().slice(text.indexOf('{')));
report(1e9 / jobs[0].read.iops);
