// A module whose top level waits between its exports.
exports.first = 1;
globalThis.sleep(5);
exports.runs = globalThis.runs = (globalThis.runs ?? 0) + 1;
globalThis.sleep(5);
exports.last = 2;
