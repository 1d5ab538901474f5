/**
 * talk.ts: sends the lines of standard input to a server, and prints the lines that it answers, until either side ends. Two userthreads, one
 * for each direction; process.stdin is a stream of Node's, read in blocking style.
 */
import { create } from '@libcr/core';
import { type Conn, dial, fromStream } from '@libcr/syscalls/net';

const USAGE = 'usage: talk tcp://HOST:PORT | unix:/PATH\n';

function talk(conn: Conn): void {
  const input = fromStream(process.stdin);
  const sender = create(() => {
    for (const line of input.lines()) conn.write(`${line}\n`);
    conn.closeWrite(); // the server may have more to say
  });
  try {
    for (const line of conn.lines()) console.log(line);
  } finally {
    sender.abort('the server has ended');
    input.close();
    conn.close();
  }
}

const [where] = process.argv.slice(2);
if (where === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  try {
    talk(dial(where));
  } catch (error) {
    process.stderr.write(`talk: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
