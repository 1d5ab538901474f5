exports.early = 'b';
globalThis.sleep(5);
exports.a = require('./circle-a.cjs').early;
exports.late = 'b';
