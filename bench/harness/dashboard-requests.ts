import type { StreamPosition } from '@appointment-emissions/contracts';
import { openLightSocket } from './light-socket.ts';

/**
 * Reconnects a dashboard at a position. Resolves when it has received what it missed, and disconnects it.
 * @throws if the gateway requests a reload instead
 */
export async function catchUp(url: string, token: string, position: StreamPosition): Promise<void> {
  let close = (): void => undefined;
  await new Promise<void>((resolve, reject) => {
    openLightSocket({
      ...{ url, auth: { token, position }, onFault: reject },
      onEvent: (frame) => {
        if (!frame.startsWith('["emissions:position"')) return;
        if (frame.includes('"recovered":true')) resolve();
        else reject(new Error(`a reload was requested: ${frame}`));
      },
    }).then((socket) => {
      close = () => {
        socket.terminate();
      };
    }, reject);
  });
  close();
}

/** Requests the list of a company. @returns the number of appointments @throws if the reply has no list */
export async function requestList(url: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/api/v1/dashboard/appointments`, { headers });
  const { appointments } = (await response.json()) as { appointments?: unknown[] };
  if (!appointments) throw new Error(`the list was answered with ${response.status}`);
  return appointments.length;
}
