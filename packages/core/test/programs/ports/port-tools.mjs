// What the programs about ports share: a server, and waiting for a thread to wait.
import { create, sleep } from '@libcr/core';

/** A thread that answers what comes to the port with answer(data), until the port is closed. */
export const serve = (port, answer, options) =>
  create(
    () => {
      for (const msg of port) {
        try {
          msg.replymsg(undefined, answer(msg.data, msg));
        } catch (error) {
          msg.replymsg(error);
        }
      }
      return 'served';
    },
    { name: 'server', ...options },
  );

/** Waits, on a userthread, until td waits for something, or for this. */
export const untilBlocked = (td, reason = td.waitReason) => {
  while (td.state !== 'blocked' || (reason !== undefined && td.waitReason !== reason)) sleep(1);
};
