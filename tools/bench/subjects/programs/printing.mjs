// A program that prints its figure itself: HOW PROGRAM [ARGS...].
import { run, under } from './under.mjs';

const [how, ...command] = process.argv.slice(2);
process.stdout.write(run([...under(how), ...command], { env: { ...process.env, GOMAXPROCS: '2' } }));
