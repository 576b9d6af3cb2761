import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { API_KEY, type BenchEnvironment } from './environment.ts';
import { openSocketIoDashboard, type FullDashboard } from './full-dashboard.ts';

const ARRIVAL_TIMEOUT_MS = 30_000;
/** The first share of the samples, left out of the result. */
const WARM_UP_SHARE = 0.2;

/** Latencies in ms since the POST, in the order of arrival, without the warm-up. */
export interface Latencies {
  events: number[];
  replies: number[];
}

interface SteadyLoad {
  url: string;
  path: string;
  /** POSTs per second. */
  rate: number;
  /** POSTs in all. */
  count: number;
  /** Opens the dashboard that receives the events. Default: a Socket.IO client of `url`. */
  openDashboard?: (companyId: string) => Promise<FullDashboard>;
}

/** Posts at a steady rate, with a dashboard for each company, in an open loop: a POST does not wait for the reply to the one before it. */
export async function fireAtRate(
  { ids }: BenchEnvironment,
  { url, path, rate, count, openDashboard = (id) => openSocketIoDashboard(url, id) }: SteadyLoad,
): Promise<Latencies> {
  const companyIds = [...new Set(ids.map(({ companyId }) => companyId))];
  const dashboards = await Promise.all(companyIds.map(openDashboard));
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  try {
    const recorder = recordLatencies(dashboards, count);
    const startedAt = performance.now();
    for (let i = 0; i < count; i += 1) {
      const wait = startedAt + (i * 1_000) / rate - performance.now();
      if (wait > 1) await pause(wait);
      const { appointmentId } = ids[i % ids.length]!;
      const { onReply, onError } = recorder.sent(appointmentId);
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
          if (response.statusCode === 202) onReply();
          else onError(new Error(`the reply to a POST was ${response.statusCode}`));
        })
        .on('error', onError)
        .end(body);
    }
    const { events, replies } = await recorder.all();
    const withoutWarmUp = (values: number[]): number[] =>
      values.slice(Math.floor(values.length * WARM_UP_SHARE));
    return { events: withoutWarmUp(events), replies: withoutWarmUp(replies) };
  } finally {
    for (const dashboard of dashboards) dashboard.close();
    agent.destroy();
  }
}

/** Matches the events and replies of `count` POSTs with the times at which they were sent. */
function recordLatencies(dashboards: FullDashboard[], count: number) {
  const sentAt = new Map<string, number[]>();
  const latencies: Latencies = { events: [], replies: [] };
  let notify = (): void => undefined;
  let fail: (error: Error) => void = () => undefined;
  const complete = new Promise<'complete'>((resolve, reject) => {
    notify = () => {
      if (latencies.events.length === count && latencies.replies.length === count) resolve('complete');
    };
    fail = reject;
  });
  // It is awaited only after the last POST.
  complete.catch(() => undefined);
  for (const dashboard of dashboards) {
    dashboard.onDisconnected((reason) => {
      fail(new Error(`a dashboard was disconnected: ${reason}`));
    });
    dashboard.onUpdated((appointmentId) => {
      const at = sentAt.get(appointmentId)?.shift();
      if (at === undefined) return;
      latencies.events.push(performance.now() - at);
      notify();
    });
  }
  return {
    /** A POST is sent now. */
    sent(appointmentId: string) {
      const at = performance.now();
      sentAt.set(appointmentId, [...(sentAt.get(appointmentId) ?? []), at]);
      return {
        onReply: () => {
          latencies.replies.push(performance.now() - at);
          notify();
        },
        onError: fail,
      };
    },
    /** Resolves when all events and replies have arrived. @throws if some are missing after 30 s */
    async all(): Promise<Latencies> {
      if ((await Promise.race([complete, pause(ARRIVAL_TIMEOUT_MS)])) === 'complete') return latencies;
      const [events, replies] = [latencies.events.length, latencies.replies.length];
      throw new Error(`${events} events and ${replies} replies arrived, ${count} of each were expected`);
    },
  };
}
