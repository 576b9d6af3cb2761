import { Types } from 'mongoose';
import { signToken } from '../../test/harness/dashboard.ts';
import { compare } from '../harness/compare.ts';
import { createEmitter } from '../harness/emitter.ts';
import { type BenchEnvironment, JWT_SECRET, openEnvironment } from '../harness/environment.ts';
import type { Threshold } from '../harness/figures.ts';
import { openLightSocket, openMany } from '../harness/light-socket.ts';
import type { Scenario } from '../scenario.ts';

const SOCKETS = 1_000;
const SCOPES = [1, 10, 100];
const EVENTS = 60;
const WARM_UP_EVENTS = 40;
const HANDSHAKE_CONCURRENCY = 200;
const RECEIVED_WITHIN_MS = 30_000;
const CPU = 'CPU time of the server, ms per event';
const WHOLE = 'whole company';
const nameOf = (scopes: number): string => `${scopes} ${scopes === 1 ? 'scope' : 'scopes'}`;

const THRESHOLDS: Threshold[] = [
  {
    claim: `server CPU time for one event to ${SOCKETS} dashboards in 10 scopes, relative to dashboards without scopes`,
    ...{ figure: CPU, contender: nameOf(10), baseline: WHOLE, bound: 'at most', threshold: 1.3, target: 1 },
  },
];

/**
 * Dashboards of one company. Each event is in the scope of one group of them; the others get its removal, or
 * `emissions:passed`. With one scope all of them get the event, without its hidden fields.
 */
export const scopes: Scenario = {
  title: `One event to ${SOCKETS} dashboards in 1, 10 and 100 scopes`,
  thresholds: THRESHOLDS,
  async run(rounds) {
    const counts = [0, ...SCOPES];
    const environment = await openEnvironment({
      companies: counts.length,
      appointments: 100 * counts.length,
    });
    try {
      const contenders = [];
      for (const [index, count] of counts.entries())
        contenders.push(await openContender(environment, index, count));
      for (const contender of contenders) await contender.fire(WARM_UP_EVENTS);
      const measure = contenders.map((contender) => ({
        name: contender.name,
        round: async () => {
          const { server } = contender;
          const before = await server.measure('cpu');
          await contender.fire(EVENTS);
          return { [CPU]: ((await server.measure('cpu')) - before) / 1_000 / EVENTS };
        },
      }));
      const figures = await compare(measure, rounds);
      for (const contender of contenders) contender.close();
      return { figures };
    } finally {
      await environment.close();
    }
  },
};

/** A gateway of its own, and the dashboards of one company. @param count  of scopes; 0: none has a scope */
async function openContender(environment: BenchEnvironment, index: number, count: number) {
  const emit = createEmitter(environment);
  const { companyId } = environment.ids[index * 100]!;
  const targets = environment.ids.filter((target) => target.companyId === companyId);
  const locations = Array.from({ length: Math.max(count, 1) }, () => new Types.ObjectId());
  for (const [position, { appointmentId }] of targets.entries()) {
    await environment.models
      .appointments()
      .updateOne(
        { _id: new Types.ObjectId(appointmentId) },
        { $set: { locationId: locations[position % locations.length] } },
      );
  }
  const server = await environment.start('contenders/our-api.ts');
  const tokens = await Promise.all(
    locations.map((location) => {
      const scope = { locationId: location.toHexString(), hide: ['customerId.email', 'customerId.phone'] };
      return signToken(JWT_SECRET, companyId, '1h', count === 0 ? {} : { scope });
    }),
  );
  let left = 0;
  let onReceived = (): void => undefined;
  const sockets = await openMany(SOCKETS, HANDSHAKE_CONCURRENCY, (socket) =>
    openLightSocket({
      url: server.url,
      auth: { token: tokens[socket % tokens.length] },
      onEvent: (frame) => {
        if (!frame.startsWith('["appointment:updated"')) return;
        left -= 1;
        if (left === 0) onReceived();
      },
      onFault: (error) => {
        throw error;
      },
    }),
  );
  let next = 0;
  return {
    name: count === 0 ? WHOLE : nameOf(count),
    server,
    /** Emits one event after the other, each when the dashboards in whose scope the last one is have received it. */
    async fire(events: number): Promise<void> {
      for (let fired = 0; fired < events; fired += 1) {
        left = SOCKETS / locations.length;
        const received = new Promise<void>((resolve, reject) => {
          const timer = setTimeout(
            reject,
            RECEIVED_WITHIN_MS,
            new Error(`${left} dashboards did not receive it`),
          );
          onReceived = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        void emit(targets[next++ % targets.length]!);
        await received;
      }
    },
    close() {
      for (const socket of sockets) socket.terminate();
    },
  };
}
