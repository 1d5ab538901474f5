// A program's time from start to end: HOW PROGRAM [ARGS...]. What it prints goes nowhere.
import { report } from '../../sample.mjs';
import { run, under } from './under.mjs';

const [how, ...command] = process.argv.slice(2);
const begun = process.hrtime.bigint();
run([...under(how), ...command], { stdio: ['ignore', 'ignore', 'pipe'] });
report(Number(process.hrtime.bigint() - begun));
