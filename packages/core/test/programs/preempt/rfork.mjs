// An rfork that computes without end, preemptible, and yet takes its messages. See preempt.mjs.
import { create } from '@libcr/core';

export default function main(port) {
  let stop = false;
  const computing = create(
    () => {
      while (!stop) Math.sqrt(2);
      return computing.preemptions > 0;
    },
    { preemptible: true },
  );
  let n = 0;
  for (const msg of port) {
    msg.replymsg(undefined, `${msg.data} ${++n}`);
    if (n === 2) break;
  }
  stop = true;
  return computing.join();
}
