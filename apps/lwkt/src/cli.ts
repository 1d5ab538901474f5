#!/usr/bin/env node
console.error('lwkt: not written yet');
process.exitCode = 1;
