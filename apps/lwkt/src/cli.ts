/**
 * cli.ts: the lwkt command: picks the command and turns lwkt's own failures into one line on stderr and an
 * exit status. README.md is for those who use it. What only one command needs is imported where that is run: a script begins the sooner.
 */
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { type OptionSpec, type Parsed, parseAll, parseCommand, values } from './arguments.ts';
import { Failure, UsageError } from './errors.ts';
import { type Command, commandHelp, commands, help } from './help.ts';
import { isScript } from './kind.ts';
import { launch } from './script/launch.ts';
import { recordedCommand, recordingOf } from './script/recording.ts';

const HELP: OptionSpec = { value: 'no', short: 'h' };

const options: Record<Command, Record<string, OptionSpec>> = {
  run: {
    help: HELP,
    shim: { value: 'required' },
    config: { value: 'required' },
    trace: { value: 'optional' },
    'trace-events': { value: 'required' },
    'stack-size': { value: 'required' },
    'no-top': { value: 'no' },
    stats: { value: 'no' },
    policy: { value: 'required' },
    rforks: { value: 'required' },
    metrics: { value: 'required' },
    'native-shim': { value: 'required' },
    'on-supervisor-exit': { value: 'required' },
    'shim-timeout': { value: 'required' },
    deterministic: { value: 'no' },
    time: { value: 'required' },
    schedule: { value: 'required' },
    'preempt-in': { value: 'required' },
  },
  explore: {
    help: HELP,
    runs: { value: 'required' },
    jobs: { value: 'required', short: 'j' },
    seed: { value: 'required' },
    strategy: { value: 'required' },
    timeout: { value: 'required' },
    check: { value: 'required' },
    'shrink-runs': { value: 'required' },
    'preempt-in': { value: 'required' },
    verify: { value: 'no' },
  },
  trace: {
    help: HELP,
    shim: { value: 'required' },
    config: { value: 'required' },
    output: { value: 'required', short: 'o' },
  },
  record: {
    help: HELP,
    shim: { value: 'required' },
    config: { value: 'required' },
    output: { value: 'required', short: 'o' },
  },
  replay: { help: HELP, partial: { value: 'no' }, trace: { value: 'optional' } },
  top: {
    help: HELP,
    json: { value: 'no' },
    once: { value: 'no' },
    interval: { value: 'required', short: 'i' },
    sort: { value: 'required' },
  },
  doctor: { help: HELP, json: { value: 'no' } },
};

function version(): string {
  return createRequire(import.meta.url)('../package.json').version;
}

async function record(parsed: Parsed): Promise<void> {
  const [script, ...args] = parsed.rest;
  if (script === undefined) throw new UsageError('SCRIPT or PROGRAM is missing');
  const file = resolve(values(parsed, 'output').at(-1) ?? recordingOf(script));
  if (!isScript(script, parsed.terminated === true)) {
    const wrong = [...parsed.options.keys()].find((name) => name !== 'output');
    if (wrong !== undefined) throw new UsageError(`option --${wrong} is for scripts`);
    return await (await import('./program/program.ts')).runRecording(parsed.rest, {
      option: `--record=${file}`,
    });
  }
  const [shims, config] = [values(parsed, 'shim'), values(parsed, 'config').at(-1)];
  const folder = process.cwd();
  await launch(script, args, { shims, config, folder, recording: { way: 'record', file }, top: false });
}

async function replay(parsed: Parsed): Promise<void> {
  const [name, ...command] = parsed.rest;
  if (name === undefined) throw new UsageError('FILE is missing');
  const file = resolve(name);
  const programs = await import('./program/recording.ts');
  if (programs.isProgramRecording(file)) return await replayProgram(file, command, parsed);
  const [script, args] =
    command.length > 0 ? [command[0] as string, command.slice(1)] : await recordedCommand(file);
  const partial = parsed.options.has('partial');
  const trace = traceOf(parsed);
  const folder = process.cwd();
  const recording = { way: 'replay', file, partial } as const;
  await launch(script, args, { shims: [], folder, recording, trace, top: false });
}

/** Its arguments are the recorded ones, whatever it is. */
async function replayProgram(file: string, given: string[], parsed: Parsed): Promise<void> {
  const command = given[0] === '--' ? given.slice(1) : given;
  if (parsed.options.has('partial'))
    throw new UsageError('option --partial is for scripts: of a program, whatever there is is replayed');
  if (command.length > 1)
    throw new UsageError(`unexpected argument ${command[1]}: a program has the arguments that were recorded`);
  const trace = traceOf(parsed);
  const { replayOption } = await import('./program/recording.ts');
  const { runRecording } = await import('./program/program.ts');
  await runRecording(command, { option: await replayOption(file), trace });
}

/** What --trace says: stderr, a file, or nothing. */
function traceOf(parsed: Parsed): string | 2 | undefined {
  const given = parsed.options.get('trace')?.at(-1);
  return given === true ? 2 : given;
}

const OF_PROGRAMS = [
  'stats',
  'policy',
  'rforks',
  'metrics',
  'native-shim',
  'on-supervisor-exit',
  'shim-timeout',
  'deterministic',
  'time',
  'schedule',
  'preempt-in',
];
const OF_BOTH = ['trace', 'shim', 'config'];

/** What only a script, or only a program, can be run with. */
function check(parsed: Parsed, program: boolean): void {
  const wrong = [...parsed.options.keys()].find((name) =>
    program ? !OF_BOTH.includes(name) && !OF_PROGRAMS.includes(name) : OF_PROGRAMS.includes(name),
  );
  if (wrong !== undefined)
    throw new UsageError(`option --${wrong} is for ${program ? 'scripts' : 'programs'}`);
}

async function start(command: 'run' | 'trace', parsed: Parsed): Promise<void> {
  const [script, ...args] = parsed.rest;
  if (script === undefined)
    throw new UsageError(command === 'run' ? 'SCRIPT or PROGRAM is missing' : 'SCRIPT is missing');
  const program = command === 'run' && !isScript(script, parsed.terminated === true);
  check(parsed, program);
  if (program)
    return await (await import('./program/program.ts')).runProgram(script, args, {
      trace: traceOf(parsed),
      stats: parsed.options.has('stats'),
      policy: values(parsed, 'policy').at(-1),
      rforks: values(parsed, 'rforks').at(-1),
      metrics: values(parsed, 'metrics').at(-1),
      nativeShims: values(parsed, 'native-shim'),
      shims: values(parsed, 'shim'),
      config: values(parsed, 'config').at(-1),
      onSupervisorExit: values(parsed, 'on-supervisor-exit').at(-1),
      shimTimeout: values(parsed, 'shim-timeout').at(-1),
      deterministic: parsed.options.has('deterministic'),
      time: values(parsed, 'time').at(-1),
      schedule: values(parsed, 'schedule').at(-1),
      preemptIn: values(parsed, 'preempt-in'),
    });
  const trace = command === 'trace' ? (values(parsed, 'output').at(-1) ?? 2) : traceOf(parsed);
  await launch(script, args, {
    shims: values(parsed, 'shim'),
    config: values(parsed, 'config').at(-1),
    trace,
    folder: process.cwd(),
    summary: command === 'trace',
    events: values(parsed, 'trace-events').at(-1),
    stackSize: values(parsed, 'stack-size').at(-1),
    top: command === 'run' && !parsed.options.has('no-top'),
  });
}

async function main(args: string[]): Promise<void> {
  const first = parseCommand(args, { help: HELP, version: { value: 'no', short: 'V' } });
  if (first.options.has('help')) return void process.stdout.write(help);
  if (first.options.has('version')) return void process.stdout.write(`lwkt ${version()}\n`);
  const [name, ...rest] = first.rest;
  if (name === undefined) throw new UsageError('COMMAND is missing');
  const command = commands.find((known) => known === name);
  if (command === undefined) throw new UsageError(`unknown command ${name}`);

  let parsed: Parsed;
  try {
    parsed = command === 'top' ? parseAll(rest, options.top) : parseCommand(rest, options[command]);
    if (parsed.options.has('help')) return void process.stdout.write(commandHelp[command]);
    if (command === 'run' || command === 'trace') return await start(command, parsed);
    if (command === 'record') return await record(parsed);
    if (command === 'replay') return await replay(parsed);
    if (command === 'explore') {
      if (!(await (await import('./explore/explore.ts')).explore(parsed))) process.exitCode = 1;
      return;
    }
    // Only here, as what it is made of takes a while to load.
    if (command === 'top') return await (await import('./top/command.ts')).top(parsed);
    if (parsed.rest.length > 0) throw new UsageError(`unexpected argument ${parsed.rest[0]}`);
  } catch (error) {
    if (error instanceof UsageError) error.message = `${command}: ${error.message}`;
    throw error;
  }
  const { doctor } = await import('./doctor/doctor.ts');
  if (!(await doctor(parsed.options.has('json')))) process.exitCode = 1;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`lwkt: ${error.message}; see lwkt --help\n`);
    process.exitCode = 2;
  } else if (error instanceof Failure) {
    process.stderr.write(`lwkt: ${error.message}\n`);
    process.exitCode = 1;
  } else if ((error as NodeJS.ErrnoException)?.code === 'ERR_LIBCR_NATIVE') {
    process.stderr.write(`lwkt: ${(error as Error).message}\nlwkt: "lwkt doctor" says more\n`);
    process.exitCode = 1;
  } else throw error;
}
