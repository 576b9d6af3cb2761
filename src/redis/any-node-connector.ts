import { connect } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { AbstractConnector } from 'ioredis';
import type { Address } from '../settings/redis-url.ts';

/**
 * Connects to any node of a Cluster: each new connection uses the next of the nodes that are known at that time.
 */
export function createAnyNodeConnector(
  known: () => readonly Address[],
): new (options: unknown) => AbstractConnector {
  let turn = Math.floor(Math.random() * known().length);

  return class AnyNodeConnector extends AbstractConnector {
    readonly #tls: ConnectionOptions | undefined;

    constructor(options: unknown) {
      const { disconnectTimeout, tls } = options as { disconnectTimeout: number; tls?: ConnectionOptions };
      super(disconnectTimeout);
      this.#tls = tls;
    }

    override connect() {
      this.connecting = true;
      const nodes = known();
      const node = nodes[turn++ % nodes.length];
      const stream = this.#tls ? connectTls({ ...node, ...this.#tls }) : connect({ port: 0, ...node });
      stream.once('error', (error: Error) => {
        this.firstError = error;
      });
      this.stream = stream;
      return Promise.resolve(stream);
    }
  };
}
