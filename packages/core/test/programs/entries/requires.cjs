// For graph.mjs and in-rfork.mjs.
const { create, curthread } = require('@libcr/core');

exports.create = create;
exports.curthread = curthread;
