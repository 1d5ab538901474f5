globalThis.sleep(5);
globalThis.tries = (globalThis.tries ?? 0) + 1;
if (globalThis.tries === 1) throw new Error('the first time');
exports.tries = globalThis.tries;
