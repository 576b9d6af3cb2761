import { Agent, request } from 'node:http';
import { API_KEY } from '../harness/environment.ts';

/** Posts the live emissions of one company, in a process of its own, so that it does not delay the measurement. */
export interface FloodRequest {
  url: string;
  /** How many; 0 stops. */
  count: number;
  /** Posts per second; undefined: as many as 50 connections can. */
  rate?: number;
  appointmentIds: readonly string[];
}

const EVERY_MS = 20;
const CONNECTIONS = 50;
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
let flood: AbortController | undefined;

function post(url: string, appointmentId: string): Promise<void> {
  const body = JSON.stringify({ appointmentId });
  return new Promise((resolve, reject) => {
    request(url, {
      agent,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': body.length, 'x-api-key': API_KEY },
    })
      .on('response', (response) => {
        response.resume().on('end', resolve);
        if (response.statusCode !== 202) reject(new Error(`status ${response.statusCode}`));
      })
      .on('error', reject)
      .end(body);
  });
}

process.on('message', ({ url, count, rate, appointmentIds }: Partial<FloodRequest>) => {
  if (url === undefined || count === undefined || appointmentIds === undefined) return;
  flood?.abort();
  flood = new AbortController();
  const { signal } = flood;
  let posted = 0;
  const next = (): Promise<void> => post(url, appointmentIds[posted++ % appointmentIds.length]!);
  if (rate === undefined) {
    for (let connection = 0; connection < CONNECTIONS; connection += 1) {
      void (async () => {
        while (posted < count && !signal.aborted) await next();
      })();
    }
    return;
  }
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const due = Math.min(count, Math.floor(((performance.now() - startedAt) * rate) / 1_000));
    while (posted < due) void next();
    if (posted >= count || signal.aborted) clearInterval(timer);
  }, EVERY_MS);
});
process.send?.({ ready: true });
