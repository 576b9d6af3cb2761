import { io } from 'socket.io-client';
import {
  type AppointmentPayload,
  type EmissionMeta,
  type Id,
  SNAPSHOT_EVENTS,
} from '@appointment-emissions/contracts';
import type { World } from '../../../test/harness/world.ts';
import type { History } from './record-history.ts';

const RECONNECT_MS = 500;

/**
 * Connects one plain socket.io-client for each company, and records each live event that it receives: the dashboard library
 * would drop duplicates.
 */
export async function observeWire(
  { token }: World,
  places: readonly { companyId: Id; url: string }[],
  history: History,
) {
  const sockets = await Promise.all(
    places.map(async ({ companyId, url }, socket) => {
      const auth = { token: await token(companyId, '24h') };
      const client = io(url, {
        ...{ forceNew: true, transports: ['websocket'], auth },
        ...{ reconnectionDelay: RECONNECT_MS, reconnectionDelayMax: RECONNECT_MS },
      });
      let connection = 0;
      client.on('connect', () => (connection += 1));
      // A gateway that shuts down disconnects its sockets. The client does not reconnect by itself then.
      client.on('disconnect', (reason) => {
        if (reason === 'io server disconnect') client.connect();
      });
      for (const event of SNAPSHOT_EVENTS) {
        client.on(event, ({ appointment }: AppointmentPayload, meta: EmissionMeta) => {
          if (meta.replayed) return;
          history.received({ socket, connection, companyId, owner: appointment.companyId, meta });
        });
      }
      return client;
    }),
  );
  return {
    close() {
      for (const socket of sockets) socket.close();
    },
  };
}
