exports.early = 'a';
globalThis.sleep(5);
exports.b = require('./circle-b.cjs').early;
exports.late = 'a';
