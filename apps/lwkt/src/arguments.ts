/**
 * arguments.ts: the command line, read. Options stand before SCRIPT; everything behind it is the script's,
 * whatever it looks like. Built on node:util's parseArgs, which finds the tokens; what they may be is checked
 * here, so that --trace may have a value or not.
 */
import { parseArgs } from 'node:util';
import { UsageError } from './errors.ts';

export interface OptionSpec {
  /** no: a flag; required: the next argument or behind "="; optional: only behind "=". */
  value: 'no' | 'required' | 'optional';
  short?: string;
}

export interface Parsed {
  /** Each option that was given, with its values in order; true for one without. */
  options: Map<string, (string | true)[]>;
  /** SCRIPT and all that follows it. */
  rest: string[];
  /** Whether "--" stood before it. */
  terminated?: true;
}

/** Reads args up to the first that is no option. Throws UsageError. */
export function parseCommand(args: string[], specs: Record<string, OptionSpec>): Parsed {
  const config: Record<string, { type: 'boolean' | 'string'; short?: string; multiple: true }> = {};
  for (const [name, { value, short }] of Object.entries(specs))
    config[name] = {
      type: value === 'required' ? 'string' : 'boolean',
      multiple: true,
      ...(short && { short }),
    };
  const { tokens } = parseArgs({
    args,
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });

  const options: Parsed['options'] = new Map();
  for (const token of tokens) {
    if (token.kind === 'positional') return { options, rest: args.slice(token.index) };
    if (token.kind === 'option-terminator')
      return { options, rest: args.slice(token.index + 1), terminated: true };
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
    if (spec === undefined) throw new UsageError(`unknown option ${token.rawName}`);
    const given = options.get(token.name) ?? [];
    given.push(checkValue(token.rawName, spec, token.value, token.inlineValue === true));
    options.set(token.name, given);
  }
  return { options, rest: [] };
}

/** The same, but options may also stand behind what is none: `rest` has all of that. */
export function parseAll(args: string[], specs: Record<string, OptionSpec>): Parsed {
  const parsed = parseCommand(args, specs);
  const [first, ...more] = parsed.rest;
  if (first === undefined) return parsed;
  const { options, rest } = parseAll(more, specs);
  for (const [name, given] of options)
    parsed.options.set(name, [...(parsed.options.get(name) ?? []), ...given]);
  return { options: parsed.options, rest: [first, ...rest] };
}

function checkValue(
  rawName: string,
  spec: OptionSpec,
  value: string | undefined,
  inline: boolean,
): string | true {
  if (spec.value === 'no') {
    if (value !== undefined) throw new UsageError(`option ${rawName} takes no value`);
    return true;
  }
  if (value === undefined && spec.value === 'optional') return true;
  if (value === undefined || value === '') throw new UsageError(`option ${rawName} needs a value`);
  if (!inline && value.startsWith('-'))
    throw new UsageError(
      `option ${rawName} needs a value (${rawName}=${value} for one that begins with "-")`,
    );
  return value;
}

/** The values of an option that must have one. */
export function values(parsed: Parsed, name: string): string[] {
  return (parsed.options.get(name) ?? []).filter((value) => value !== true);
}
