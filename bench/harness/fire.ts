import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { io } from 'socket.io-client';
import { signToken } from '../../test/harness/dashboard.ts';
import { API_KEY, JWT_SECRET, type Stage } from './stage.ts';

const GIVE_UP_MS = 30_000;
/** Of the emissions: left out, first. */
const WARM_UP = 0.2;

/** ms from the POST, in the order of arrival, without the warm-up. */
export interface Shots {
  events: number[];
  replies: number[];
}

/** Posts at a steady rate, in an open loop: the next POST does not wait for the last one's answer. */
export async function fireAtRate(
  { ids }: Stage,
  { url, path, rate, count }: { url: string; path: string; rate: number; count: number },
): Promise<Shots> {
  const { companyId } = ids[0]!;
  const socket = io(url, {
    forceNew: true,
    auth: { companyId, token: await signToken(JWT_SECRET, companyId, '1h') },
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  try {
    await new Promise((resolve) => socket.once('emissions:position', resolve));
    const sent = new Map<string, number[]>();
    const shots: Shots = { events: [], replies: [] };
    let notify = (): void => undefined;
    const all = new Promise<'all'>((resolve, reject) => {
      notify = () => {
        if (shots.events.length === count && shots.replies.length === count) resolve('all');
      };
      socket.on('disconnect', (reason) => {
        reject(new Error(`the dashboard was disconnected: ${reason}`));
      });
    });
    socket.on('appointment:updated', ({ appointment }: { appointment: { _id: string } }) => {
      const at = sent.get(appointment._id)?.shift();
      if (at === undefined) return;
      shots.events.push(performance.now() - at);
      notify();
    });
    const startedAt = performance.now();
    for (let i = 0; i < count; i += 1) {
      const wait = startedAt + (i * 1_000) / rate - performance.now();
      if (wait > 1) await pause(wait);
      const { appointmentId } = ids[i % ids.length]!;
      const at = performance.now();
      sent.set(appointmentId, [...(sent.get(appointmentId) ?? []), at]);
      const body = JSON.stringify({ appointmentId });
      request(url + path, {
        agent,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': body.length,
          'x-api-key': API_KEY,
        },
      })
        .on('response', (response) => {
          response.resume();
          shots.replies.push(performance.now() - at);
          notify();
        })
        .end(body);
    }
    if ((await Promise.race([all, pause(GIVE_UP_MS)])) !== 'all') {
      throw new Error(`of ${count} events ${shots.events.length} arrived, ${shots.replies.length} replies`);
    }
    const settled = (values: number[]): number[] => values.slice(Math.floor(values.length * WARM_UP));
    return { events: settled(shots.events), replies: settled(shots.replies) };
  } finally {
    socket.off('disconnect').close();
    agent.destroy();
  }
}
