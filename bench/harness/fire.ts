import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { io } from 'socket.io-client';
import { signToken } from '../../test/harness/dashboard.ts';
import { API_KEY, JWT_SECRET, type BenchEnvironment } from './environment.ts';

const ARRIVAL_TIMEOUT_MS = 30_000;
/** The first share of the samples, left out of the result. */
const WARM_UP_SHARE = 0.2;

/** Latencies in ms since the POST, in the order of arrival, without the warm-up. */
export interface Latencies {
  events: number[];
  replies: number[];
}

/** Posts at a steady rate, with a dashboard for each company, in an open loop: a POST does not wait for the reply to the one before it. */
export async function fireAtRate(
  { ids }: BenchEnvironment,
  { url, path, rate, count }: { url: string; path: string; rate: number; count: number },
): Promise<Latencies> {
  const companyIds = [...new Set(ids.map(({ companyId }) => companyId))];
  const sockets = await Promise.all(
    companyIds.map(async (companyId) =>
      io(url, {
        forceNew: true,
        auth: { companyId, token: await signToken(JWT_SECRET, companyId, '1h') },
      }),
    ),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  try {
    await Promise.all(
      sockets.map((socket) => new Promise((resolve) => socket.once('emissions:position', resolve))),
    );
    const sent = new Map<string, number[]>();
    const latencies: Latencies = { events: [], replies: [] };
    let notify = (): void => undefined;
    let fail: (error: Error) => void = () => undefined;
    const all = new Promise<'all'>((resolve, reject) => {
      notify = () => {
        if (latencies.events.length === count && latencies.replies.length === count) resolve('all');
      };
      fail = reject;
      for (const socket of sockets)
        socket.on('disconnect', (reason) => {
          reject(new Error(`a dashboard was disconnected: ${reason}`));
        });
    });
    for (const socket of sockets)
      socket.on('appointment:updated', ({ appointment }: { appointment: { _id: string } }) => {
        const at = sent.get(appointment._id)?.shift();
        if (at === undefined) return;
        latencies.events.push(performance.now() - at);
        notify();
      });
    // It is awaited only after the last POST.
    all.catch(() => undefined);
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
          latencies.replies.push(performance.now() - at);
          notify();
        })
        .on('error', fail)
        .end(body);
    }
    if ((await Promise.race([all, pause(ARRIVAL_TIMEOUT_MS)])) !== 'all') {
      const [events, replies] = [latencies.events.length, latencies.replies.length];
      throw new Error(`${events} events and ${replies} replies arrived, ${count} of each were expected`);
    }
    const withoutWarmUp = (values: number[]): number[] =>
      values.slice(Math.floor(values.length * WARM_UP_SHARE));
    return { events: withoutWarmUp(latencies.events), replies: withoutWarmUp(latencies.replies) };
  } finally {
    for (const socket of sockets) socket.off('disconnect').close();
    agent.destroy();
  }
}
