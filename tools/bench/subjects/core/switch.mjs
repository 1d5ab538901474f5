// Two userthreads that give way to each other: nanoseconds for one switch.
import { create, yieldNow } from '@libcr/core';
import { sampleAsync } from '../../sample.mjs';

const SWITCHES = 400_000;

function turns() {
  for (let i = 0; i < SWITCHES / 2; i++) yieldNow();
}

await sampleAsync(SWITCHES, () => Promise.all([create(turns).finished, create(turns).finished]));
