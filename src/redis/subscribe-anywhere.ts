import { connect } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { AbstractConnector, Redis } from 'ioredis';
import type { Address } from '../settings/redis-url.ts';
import type { RedisOptions } from './connect.ts';

/**
 * Subscribes at any node of a Cluster: each node receives all messages. This is a plain connection, since ioredis' Cluster
 * emits no event when it subscribes again at another node, and the messages published meanwhile would be missed.
 * @param startup  nodes of the Cluster; the others are read from it after each connection
 */
export function subscribeAnywhere(startup: readonly Address[], options: RedisOptions): Redis {
  let known = startup;
  const client = new Redis({ ...options, Connector: createAnyNodeConnector(() => known) });
  client.on('ready', () => {
    client.cluster('SLOTS').then(
      (ranges) => {
        const serving = ranges.flatMap(([, , ...nodes]) => nodes.map(([host, port]) => ({ host, port })));
        known = [...startup, ...serving];
      },
      () => undefined,
    );
  });
  return client;
}

/** Connects to a node of a Cluster: each new connection uses the next of the nodes that are known at that time. */
function createAnyNodeConnector(
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
