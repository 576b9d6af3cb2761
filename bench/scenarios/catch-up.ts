import { companyRoom, type StreamPosition } from '@appointment-emissions/contracts';
import { createCompanyLog } from '../../src/emission/company-log.ts';
import { createCompanyKeys } from '../../src/emission/keys.ts';
import { signToken } from '../../test/harness/dashboard.ts';
import { createEmitter } from '../harness/emitter.ts';
import type { Threshold } from '../harness/figures.ts';
import { openLightSocket, openMany } from '../harness/light-socket.ts';
import { compare } from '../harness/compare.ts';
import { JWT_SECRET, openEnvironment, type BenchEnvironment } from '../harness/environment.ts';
import type { WebSocket } from '../harness/ws.ts';
import { hasCentrifugo, signCentrifugoToken, startExpressCentrifugo } from '../peers/centrifugo.ts';
import { openLightCentrifugoSocket } from '../peers/centrifugo-dashboards.ts';
import type { Scenario } from '../scenario.ts';

const DASHBOARDS = 2_000;
const COMPANIES = 20;
/** Emissions of each company while its dashboards were disconnected. */
const MISSED = 20;
/** Concurrent handshakes. More would overflow the backlog of the listening socket and wait 1 s for TCP to retry. */
const HANDSHAKE_CONCURRENCY = 400;
const EMIT_CONCURRENCY = 20;
/** In each publication of Express + Centrifugo. */
const UPDATED = '"event":"appointment:updated"';
const TIME = 'time until the last dashboard is caught up, s';

const THRESHOLDS: Threshold[] = [
  {
    claim: `catch-up of ${DASHBOARDS} dashboards of ${COMPANIES} companies, relative to a reconnect that missed nothing`,
    ...{ figure: TIME, contender: 'ours, catching up', baseline: 'ours, nothing missed' },
    ...{ bound: 'at most', threshold: 2 },
  },
];

interface Company {
  companyId: string;
  token: string;
  /** The head of its log when its dashboards were disconnected. */
  position: StreamPosition;
}

/** A server to which the dashboards reconnect. */
interface Gateway {
  sign: (companyId: string) => Promise<string>;
  head: (companyId: string) => Promise<StreamPosition>;
  /** Emits each appointment once. */
  emitAll: () => Promise<unknown>;
  open: (company: Company, missed: number) => Reconnection;
}

interface Reconnection {
  connected: Promise<WebSocket>;
  /** Resolves when the dashboard has received everything that it missed. */
  caughtUp: Promise<void>;
}

/** All dashboards of a gateway reconnect at once, and each receives the emissions that it missed. */
export const catchUp: Scenario = {
  title: `${DASHBOARDS} dashboards of ${COMPANIES} companies reconnect at once after missing ${MISSED} emissions each`,
  thresholds: THRESHOLDS,
  async run(rounds) {
    const environment = await openEnvironment({ appointments: COMPANIES * MISSED, companies: COMPANIES });
    try {
      const companyIds = [...new Set(environment.ids.map(({ companyId }) => companyId))];
      const reconnect = async (gateway: Gateway, missed: number) => {
        const companies = await Promise.all(
          companyIds.map(async (companyId): Promise<Company> => {
            return {
              companyId,
              token: await gateway.sign(companyId),
              position: await gateway.head(companyId),
            };
          }),
        );
        if (missed > 0) await gateway.emitAll();
        return reconnectAll((index) => gateway.open(companies[index % companies.length]!, missed));
      };
      const ours = await startOurs(environment);
      const plain = await startPlain(environment, ours);
      const peer = hasCentrifugo() ? await startPeer(environment) : undefined;
      const figures = await compare(
        [
          { name: 'ours, nothing missed', round: () => reconnect(ours, 0) },
          { name: 'ours, catching up', round: () => reconnect(ours, MISSED) },
          ...(peer
            ? [
                { name: 'Centrifugo, nothing missed', round: () => reconnect(peer, 0) },
                { name: 'Centrifugo, catching up', round: () => reconnect(peer, MISSED) },
              ]
            : []),
          { name: 'plain Socket.IO, no catch-up', round: () => reconnect(plain, 0) },
        ],
        rounds,
      );
      return { figures };
    } finally {
      await environment.close();
    }
  },
};

/** Resolves once each dashboard has received everything that it missed. */
async function reconnectAll(open: (index: number) => Reconnection): Promise<Record<string, number>> {
  const startedAt = performance.now();
  const catchUps: Promise<void>[] = [];
  const sockets = await openMany(DASHBOARDS, HANDSHAKE_CONCURRENCY, (index) => {
    const { connected, caughtUp } = open(index);
    catchUps.push(caughtUp);
    return connected;
  });
  await Promise.all(catchUps);
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const socket of sockets) socket.terminate();
  return { [TIME]: seconds };
}

async function startOurs(environment: BenchEnvironment): Promise<Gateway> {
  const { url } = await environment.start('contenders/our-api.ts');
  const emit = createEmitter(environment);
  const keys = createCompanyKeys(environment.env['QUEUE_PREFIX']!);
  return {
    sign: (companyId) => signToken(JWT_SECRET, companyId, '1h'),
    head: createCompanyLog(environment.redis, { keys }).head,
    emitAll: () => Promise.all(environment.ids.map(emit)),
    open({ token, position }, missed) {
      const { promise: caughtUp, resolve, reject } = deferred();
      let received = 0;
      const connected = openLightSocket({
        ...{ url, auth: { token, position } },
        onEvent(frame) {
          if (frame.startsWith('["appointment:')) received += 1;
          else if (frame.startsWith('["emissions:alive"')) return;
          else if (!frame.includes('"recovered":true')) reject(new Error(`a reload was requested: ${frame}`));
          else if (received === missed) resolve();
          else reject(new Error(`received ${received} of ${missed} events`));
        },
        onFault: reject,
      });
      return { connected, caughtUp };
    },
  };
}

/** Socket.IO without a catch-up: a dashboard is done when it is connected. */
async function startPlain(environment: BenchEnvironment, ours: Gateway): Promise<Gateway> {
  const { url } = await environment.start('contenders/plain-socket-io.ts');
  return {
    ...ours,
    open({ token }) {
      const { promise: caughtUp, resolve, reject } = deferred();
      const connected = openLightSocket({ url, auth: { token }, onEvent: () => undefined, onFault: reject });
      connected.then(resolve, reject);
      return { connected, caughtUp };
    },
  };
}

/** Centrifugo sends what was missed in its reply to the connection, from its history: the snapshots of then. */
async function startPeer(environment: BenchEnvironment): Promise<Gateway> {
  const { contender, centrifugo } = await startExpressCentrifugo(environment);
  const { url, head } = centrifugo;
  return {
    ...{ sign: signCentrifugoToken, head },
    emitAll: () =>
      openMany(environment.ids.length, EMIT_CONCURRENCY, (index) => post(environment, contender.url, index)),
    open({ companyId, token, position }, missed) {
      const { promise: caughtUp, resolve, reject } = deferred();
      const connected = openLightCentrifugoSocket({
        url,
        connect: { token, subs: { [companyRoom(companyId)]: { recover: true, ...position } } },
        onConnected(reply) {
          const received = reply.split(UPDATED).length - 1;
          if (!reply.includes('"recovered":true')) reject(new Error(`nothing was recovered: ${reply}`));
          else if (received === missed) resolve();
          else reject(new Error(`received ${received} of ${missed} publications`));
        },
        onFault: reject,
      });
      return { connected, caughtUp };
    },
  };
}

/** Emits an appointment through Express. */
async function post({ ids }: BenchEnvironment, url: string, index: number): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const { appointmentId } = ids[index]!;
  const response = await fetch(`${url}/emit`, {
    ...{ method: 'POST', headers, body: JSON.stringify({ appointmentId }) },
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`Express replied ${response.status}`);
}

function deferred() {
  let resolve = (): void => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // It is awaited only after all sockets are open.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
