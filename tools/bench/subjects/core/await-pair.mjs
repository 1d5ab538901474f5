// Two async functions that alternate by awaiting nothing: nanoseconds for one turn.
import { sampleAsync } from '../../sample.mjs';

const TURNS = 1_000_000;

async function turns() {
  for (let i = 0; i < TURNS / 2; i++) await 0;
}

await sampleAsync(TURNS, () => Promise.all([turns(), turns()]));
