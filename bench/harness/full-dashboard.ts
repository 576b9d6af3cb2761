import { io } from 'socket.io-client';
import { signToken } from '../../test/harness/dashboard.ts';
import { JWT_SECRET } from './environment.ts';

/** A connected dashboard that runs the complete client library of its server and parses each event. */
export interface FullDashboard {
  onUpdated: (listener: (appointmentId: string) => void) => void;
  onDisconnected: (listener: (reason: string) => void) => void;
  close: () => void;
}

/** Connects with socket.io-client. Resolves when the server has sent the first position. */
export async function openSocketIoDashboard(url: string, companyId: string): Promise<FullDashboard> {
  const socket = io(url, {
    forceNew: true,
    auth: { companyId, token: await signToken(JWT_SECRET, companyId, '1h') },
  });
  await new Promise((resolve) => socket.once('emissions:position', resolve));
  return {
    onUpdated(listener) {
      socket.on('appointment:updated', ({ appointment }: { appointment: { _id: string } }) => {
        listener(appointment._id);
      });
    },
    onDisconnected(listener) {
      socket.on('disconnect', listener);
    },
    close() {
      socket.off('disconnect').close();
    },
  };
}
