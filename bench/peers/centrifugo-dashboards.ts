import { Centrifuge } from 'centrifuge';
import { openAudience, type Audience } from '../harness/audience.ts';
import type { FullDashboard } from '../harness/full-dashboard.ts';
import { ws, type WebSocket } from '../harness/ws.ts';
import { signCentrifugoToken } from './centrifugo.ts';

const addressOf = (url: string): string => `${url.replace('http', 'ws')}/connection/websocket`;

/** A dashboard with Centrifugo's own client, over the same WebSocket package as socket.io-client. */
export async function openCentrifugoDashboard(url: string, companyId: string): Promise<FullDashboard> {
  const client = new Centrifuge(addressOf(url), {
    token: await signCentrifugoToken(companyId),
    websocket: ws,
  });
  client.connect();
  await client.ready();
  return {
    onUpdated(listener) {
      client.on('publication', ({ data }) => {
        const { event, appointment } = data as { event: string; appointment: { _id: string } };
        if (event === 'appointment:updated') listener(appointment._id);
      });
    },
    onDisconnected(listener) {
      client.on('connecting', ({ reason }) => {
        listener(reason);
      });
    },
    close() {
      client.removeAllListeners();
      client.disconnect();
    },
  };
}

export interface LightCentrifugoSocketOptions {
  url: string;
  /** The connect command: a token, and the positions from which to recover. */
  connect: { token: string; subs?: Record<string, object> };
  /** Receives the reply to the connect command, as sent over the wire, with what was recovered. */
  onConnected?: (reply: string) => void;
  /** Receives each publication, as sent over the wire. */
  onPublication?: (push: string) => void;
  onFault: (error: Error) => void;
}

/** A client that parses no payload, as `openLightSocket` for Socket.IO. Resolves when connected. */
export function openLightCentrifugoSocket({
  url,
  connect,
  onConnected,
  onPublication,
  onFault,
}: LightCentrifugoSocketOptions): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new ws(addressOf(url), { perMessageDeflate: false, skipUTF8Validation: true });
    const fail = (error: Error): void => {
      reject(error);
      onFault(error);
    };
    const receive = (message: string): void => {
      if (message === '{}') socket.send('{}');
      else if (message.startsWith('{"push":')) onPublication?.(message);
      else if (message.startsWith('{"id":1,"connect":')) {
        onConnected?.(message);
        resolve(socket);
      } else fail(new Error(`unexpected: ${message}`));
    };
    socket.on('error', fail);
    socket.on('open', () => {
      socket.send(JSON.stringify({ id: 1, connect }));
    });
    socket.on('message', (data) => {
      for (const message of data.toString('latin1').trimEnd().split('\n')) receive(message);
    });
  });
}

/** Dashboards of one company. */
export async function openCentrifugoDashboards({
  companyId,
  ...options
}: {
  url: string;
  count: number;
  companyId: string;
}): Promise<Audience> {
  const connect = { token: await signCentrifugoToken(companyId) };
  return openAudience(options, (onPublication, onFault) =>
    openLightCentrifugoSocket({ url: options.url, connect, onPublication, onFault }),
  );
}
