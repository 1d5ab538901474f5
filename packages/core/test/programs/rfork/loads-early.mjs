// Loaded by --import in an rfork: has libcr, and lets the event loop turn before the rfork's own module. See rfork.test.ts.
import '@libcr/core';
import { setTimeout as pause } from 'node:timers/promises';

for (let turn = 0; turn < 20; turn++) await pause(1);
