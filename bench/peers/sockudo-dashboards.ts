import { openAudience, type Audience } from '../harness/audience.ts';
import type { FullDashboard } from '../harness/full-dashboard.ts';
import { ws, type WebSocket } from '../harness/ws.ts';
import { channelOf, sign, SOCKUDO_APP } from './sockudo-api.ts';

/** A message of Pusher's protocol. */
interface Message {
  event: string;
  /** JSON in a string, or nothing. */
  data?: string;
}

interface SockudoSocketOptions {
  url: string;
  companyId: string;
  /** Receives each message after the subscription, as sent over the wire. */
  onMessage: (frame: string) => void;
  onClosed?: () => void;
  onFault: (error: Error) => void;
}

/** A client of Pusher's protocol that parses nothing after its subscription. Resolves when subscribed. */
function openSockudoSocket(options: SockudoSocketOptions): Promise<WebSocket> {
  const { url, companyId, onMessage, onClosed, onFault } = options;
  return new Promise((resolve, reject) => {
    const address = `${url.replace('http', 'ws')}/app/${SOCKUDO_APP.key}?protocol=7&client=bench&version=1.0`;
    const socket = new ws(address, { perMessageDeflate: false, skipUTF8Validation: true });
    const fail = (error: Error): void => {
      reject(error);
      onFault(error);
    };
    const channel = channelOf(companyId);
    let isSubscribed = false;
    socket.on('error', fail);
    if (onClosed) socket.on('close', onClosed);
    socket.on('message', (data) => {
      const frame = data.toString('latin1');
      if (frame.startsWith('{"event":"pusher:ping"')) socket.send('{"event":"pusher:pong","data":{}}');
      else if (isSubscribed) onMessage(frame);
      else {
        const message = JSON.parse(frame) as Message;
        if (message.event === 'pusher:connection_established') {
          const { socket_id: id } = JSON.parse(message.data!) as { socket_id: string };
          const auth = `${SOCKUDO_APP.key}:${sign(`${id}:${channel}`)}`;
          socket.send(JSON.stringify({ event: 'pusher:subscribe', data: { channel, auth } }));
        } else if (message.event === 'pusher_internal:subscription_succeeded') {
          isSubscribed = true;
          resolve(socket);
        } else fail(new Error(`unexpected: ${frame}`));
      }
    });
  });
}

/** A dashboard that parses each event, without a library: Pusher's own client uses another WebSocket package. */
export async function openSockudoDashboard(url: string, companyId: string): Promise<FullDashboard> {
  let onEvent: (appointmentId: string) => void = () => undefined;
  let onLost: (reason: string) => void = () => undefined;
  const socket = await openSockudoSocket({
    ...{ url, companyId },
    onMessage(frame) {
      const { event, data } = JSON.parse(frame) as Message;
      if (event !== 'appointment:updated') return;
      const { appointment } = JSON.parse(data!) as { appointment: { _id: string } };
      onEvent(appointment._id);
    },
    onClosed: () => {
      onLost('closed');
    },
    onFault: ({ message }) => {
      onLost(message);
    },
  });
  return {
    onUpdated(listener) {
      onEvent = listener;
    },
    onDisconnected(listener) {
      onLost = listener;
    },
    close() {
      onLost = () => undefined;
      socket.terminate();
    },
  };
}

/** Dashboards of one company. */
export function openSockudoDashboards({
  companyId,
  ...options
}: {
  url: string;
  count: number;
  companyId: string;
}): Promise<Audience> {
  return openAudience(options, (onEvent, onFault) =>
    openSockudoSocket({ url: options.url, companyId, onMessage: onEvent, onFault }),
  );
}
