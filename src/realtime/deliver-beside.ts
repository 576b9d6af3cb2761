import { DASHBOARD_NAMESPACE } from '@appointment-emissions/contracts';
import { createCheckedAdapter, type CheckedAdapterOptions } from './adapter/checked-adapter.ts';
import type { DashboardServer } from './dashboard-server.ts';

export interface DeliverBesideOptions extends CheckedAdapterOptions {
  io: DashboardServer;
}

/**
 * Delivers what the workers publish to the sockets of an application's Socket.IO server, whatever adapter that server has. A
 * second adapter subscribes to our channels, with the checks of {@link createCheckedAdapter}, and reads the rooms of the
 * application's adapter. The application's own broadcasts do not pass through it.
 * @throws Error if the application's adapter subscribes to the same channels: each event would be delivered twice
 */
export function deliverBeside({ io, ...options }: DeliverBesideOptions): { close: () => void } {
  const namespace = io.of(DASHBOARD_NAMESPACE);
  const channel = `${options.adapterKey}#${DASHBOARD_NAMESPACE}#`;
  const { adapter: own } = namespace;
  // The sharded adapter has no `requestChannel`. It can have the same prefix, since sharded Pub/Sub has channels of its own.
  if ('requestChannel' in own && 'channel' in own && own.channel === channel) {
    throw new Error(
      `SOCKET_ADAPTER_KEY is also the key of the application's own Redis adapter (${options.adapterKey}): each event would ` +
        'be delivered twice; give them different keys',
    );
  }
  const Adapter = createCheckedAdapter(options) as unknown as new (of: typeof namespace) => {
    close: () => void;
  };
  const adapter = new Adapter(namespace);
  // Getters: the application can still replace its adapter, and its rooms with it.
  Object.defineProperties(adapter, {
    rooms: { get: () => namespace.adapter.rooms },
    sids: { get: () => namespace.adapter.sids },
  });
  return {
    close() {
      adapter.close();
    },
  };
}
