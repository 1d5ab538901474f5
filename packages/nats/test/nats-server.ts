/** nats-server.ts: Debian's nats-server on loopback, for tests. Where it is not installed they are skipped (tools/install-programs.sh). */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectNats, type NatsConnection } from '@nats-io/transport-node';

export const hasServer: boolean = spawnSync('nats-server', ['--version']).status === 0;
if (!hasServer) console.log('skipped: nats-server is not installed (Debian: nats-server)');

export class NatsServer {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'libcr-nats-'));
  port = -1;
  private readonly options: readonly string[];
  private child: ChildProcess | undefined;

  constructor(...options: string[]) {
    this.options = options;
  }

  get url(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Fulfilled when it takes connections. The second time by the same port. */
  async start(): Promise<this> {
    const child = spawn(
      'nats-server',
      ['-a', '127.0.0.1', '-p', String(this.port), '-sd', this.folder, ...this.options],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    this.child = child;
    await new Promise<void>((resolve, reject) => {
      let text = '';
      child.stderr.setEncoding('utf8').on('data', (more: string) => {
        text += more;
        const port = /client connections on 127\.0\.0\.1:(\d+)/.exec(text)?.[1];
        if (port !== undefined) this.port = Number(port);
        if (text.includes('Server is ready')) resolve();
      });
      child.on('exit', () => reject(new Error(`nats-server has ended: ${text}`)));
    });
    return this;
  }

  connect(options: ConnectionOptions = {}): Promise<NatsConnection> {
    return connectNats({ servers: this.url, reconnectTimeWait: 20, maxReconnectAttempts: -1, ...options });
  }

  /** By SIGKILL: nothing is written or said any more. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
}
