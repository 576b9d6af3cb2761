import { Agent, get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { StreamPosition } from '@appointment-emissions/contracts';
import { signToken } from '../../test/harness/dashboard.ts';
import { JWT_SECRET } from '../harness/environment.ts';
import { openLightSocket, openMany } from '../harness/light-socket.ts';

/**
 * The dashboards of one company. Some reconnect together, again and again. Others request lists in a loop. They run in a separate
 * process, so that they do not delay the measurement, and have a separate address, as an office has.
 */
export interface CrowdRequest {
  url: string;
  companyId: string;
  head: StreamPosition;
  /** Dashboards that reconnect together; 0 stops the crowd. */
  dashboards: number;
  /** Lists that are requested at the same time. */
  lists: number;
}

const ADDRESS = '127.0.0.2';
/** Each has its own limit of lists and catch-ups. */
const USERS = 100;
const HANDSHAKE_CONCURRENCY = 200;
/** Positions up to this far back, so that dashboards do not all request the same replay. */
const MAX_MISSED = 100;
const DAY_MS = 24 * 3_600_000;
const REFUSED_PAUSE_MS = 20;
const agent = new Agent({ keepAlive: true, localAddress: ADDRESS });
let crowd: AbortController | undefined;

async function reconnect(request: CrowdRequest, token: string, index: number): Promise<() => void> {
  const { url, head } = request;
  const position = { ...head, offset: Math.max(0, head.offset - (index % MAX_MISSED)) };
  let socket: { terminate: () => void } | undefined;
  await new Promise<void>((resolve, reject) => {
    openLightSocket({
      ...{ url, auth: { token, position }, localAddress: ADDRESS, onFault: reject },
      onEvent: (frame) => {
        if (frame.startsWith('["emissions:position"')) resolve();
      },
    }).then((opened) => (socket = opened), reject);
  });
  return () => socket?.terminate();
}

/** Each list has a range of its own, so that no two share a read. */
function list({ url }: CrowdRequest, token: string, index: number): Promise<void> {
  const from = new Date(Date.now() - 7 * DAY_MS - index).toISOString();
  const options = { agent, headers: { authorization: `Bearer ${token}` } };
  return new Promise((resolve, reject) => {
    get(`${url}/api/v1/dashboard/appointments?from=${from}`, options, (response) => {
      response.resume().on('end', () => {
        resolve(response.statusCode === 200 ? undefined : pause(REFUSED_PAUSE_MS));
      });
    }).on('error', reject);
  });
}

async function flood(request: CrowdRequest, signal: AbortSignal): Promise<void> {
  const tokens = await Promise.all(
    Array.from({ length: USERS }, (_, user) =>
      signToken(JWT_SECRET, request.companyId, '1h', { sub: `user ${user}` }),
    ),
  );
  const tokenOf = (index: number): string => tokens[index % USERS]!;
  const reconnecting = async (): Promise<void> => {
    while (!signal.aborted) {
      const close = await openMany(request.dashboards, HANDSHAKE_CONCURRENCY, (index) =>
        signal.aborted ? Promise.resolve(() => undefined) : reconnect(request, tokenOf(index), index),
      );
      for (const end of close) end();
    }
  };
  let lists = 0;
  const listing = async (): Promise<void> => {
    for (lists += 1; !signal.aborted; lists += 1) await list(request, tokenOf(lists), lists);
  };
  await Promise.all([reconnecting(), ...Array.from({ length: request.lists }, listing)]);
}

process.on('message', (request: Partial<CrowdRequest>) => {
  if (request.url === undefined) return;
  crowd?.abort();
  crowd = new AbortController();
  if (request.dashboards !== 0) void flood(request as CrowdRequest, crowd.signal);
});
process.send?.({ ready: true });
