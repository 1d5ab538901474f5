// What the programs share: one process runs the cases it is asked for and prints { case: outcome } as its
// last line.

/** How many rounds, scaled down where stress flags make each 10 to 50 times slower. */
export function scale(n, whenStressed = Math.ceil(n / 20)) {
  return process.env.LIBCR_STRESSED ? whenStressed : n;
}

/** Recurses without end: how deep it came, and what ended it. */
export function overflow() {
  let depth = 0;
  const down = () => {
    depth++;
    down();
  };
  try {
    down();
  } catch (error) {
    return { depth, error };
  }
}

/** The error as the tests compare it. */
export function shown(error) {
  return error instanceof Error
    ? { name: error.name, code: error.code, class: error.constructor.name, message: error.message }
    : { thrown: error };
}

/** What fn threw, as data; { returned } if it did not. */
export function thrownBy(fn) {
  try {
    return { returned: fn() ?? null };
  } catch (error) {
    return shown(error);
  }
}

export async function rejectionOf(promise) {
  try {
    return { resolved: (await promise) ?? null };
  } catch (error) {
    return shown(error);
  }
}

/**
 * How many processors the process has used while `fn` ran, CPU time by elapsed time: of who sleeps hardly any of one, of who spins a whole one, where the machine has
 * nothing else to do. With other work on it both have less.
 */
export async function processorsUsed(fn) {
  const begun = process.hrtime.bigint();
  const before = process.cpuUsage();
  await fn();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (Number(process.hrtime.bigint() - begun) / 1000);
}

/** Runs the case named on the command line and prints what it returns as JSON. */
export async function main(cases) {
  const name = process.argv[2];
  if (!Object.hasOwn(cases, name)) throw new Error(`no such case: ${name}`);
  console.log(JSON.stringify((await cases[name]()) ?? null));
}
