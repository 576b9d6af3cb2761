import { openBareSockets, openDashboards, type Audience } from '../harness/audience.ts';
import { createEmitter } from '../harness/emitter.ts';
import type { Threshold } from '../harness/figures.ts';
import { compare } from '../harness/compare.ts';
import type { RunningContender } from '../harness/contenders.ts';
import { openEnvironment, type BenchEnvironment } from '../harness/environment.ts';
import { hasCentrifugo, startCentrifugo } from '../peers/centrifugo.ts';
import { openCentrifugoDashboards } from '../peers/centrifugo-dashboards.ts';
import { hasSockudo, startSockudo } from '../peers/sockudo.ts';
import { createSockudoPublish } from '../peers/sockudo-api.ts';
import { openSockudoDashboards } from '../peers/sockudo-dashboards.ts';
import type { Scenario } from '../scenario.ts';

const SOCKETS = 1_000;
const EVENTS = 60;
const WARM_UP_EVENTS = 40;
const CPU = 'CPU time of the server, ms per event';

const THRESHOLDS: Threshold[] = [
  {
    claim: `server CPU time for one event to ${SOCKETS} dashboards, relative to bare ws`,
    ...{ figure: CPU, contender: 'ours', baseline: 'bare ws', bound: 'at most', threshold: 1.9, target: 1.4 },
  },
];

interface FanOutContender {
  name: string;
  contender: RunningContender;
  audience: Audience;
  /** Sends one event to the audience. */
  send: () => void;
}

/**
 * Measures the whole process. For ours and the peers, that includes the Redis subscription, decoding, encoding and
 * background work; for the peers also their HTTP API, which publishes.
 */
export const fanOut: Scenario = {
  title: `One event to ${SOCKETS} dashboards`,
  thresholds: THRESHOLDS,
  async run(rounds) {
    const environment = await openEnvironment({ appointments: 200 });
    try {
      const ours = await startOurs(environment);
      await fire(ours, 1);
      // The other contenders send the bytes of our first event.
      const event = ours.audience.lastEvent();
      const contenders = [
        await startBare(environment, event),
        await startNaive(environment, event),
        ...(hasCentrifugo() ? [await startCentrifugoPeer(environment, event)] : []),
        ...(hasSockudo() ? [await startSockudoPeer(environment, event)] : []),
        ours,
      ];
      for (const contender of contenders) await fire(contender, WARM_UP_EVENTS);
      const measure = contenders.map((entry) => ({
        name: entry.name,
        round: async () => {
          const { contender } = entry;
          const before = await contender.measure('cpu');
          await fire(entry, EVENTS);
          return { [CPU]: ((await contender.measure('cpu')) - before) / 1_000 / EVENTS };
        },
      }));
      const figures = await compare(measure, rounds);
      for (const { audience } of contenders) audience.close();
      return { figures, facts: { 'size of the event, B': Buffer.byteLength(event) } };
    } finally {
      await environment.close();
    }
  },
};

async function fire({ audience, send }: FanOutContender, events: number): Promise<void> {
  for (let i = 0; i < events; i += 1) {
    const received = audience.nextReceivedByAll();
    send();
    await received;
  }
}

async function startBare(environment: BenchEnvironment, event: string): Promise<FanOutContender> {
  const contender = await environment.start('contenders/bare-ws.ts');
  const audience = await openBareSockets({ url: contender.url, count: SOCKETS });
  const send = (): void => {
    contender.send({ broadcast: `42${event}` });
  };
  return { name: 'bare ws', contender, audience, send };
}

async function startNaive(environment: BenchEnvironment, event: string): Promise<FanOutContender> {
  const contender = await environment.start('contenders/plain-socket-io.ts');
  const audience = await openDashboards({ url: contender.url, count: SOCKETS, ...companyOf(environment) });
  const send = (): void => {
    contender.send({ broadcast: event });
  };
  return { name: 'naive', contender, audience, send };
}

async function startCentrifugoPeer(environment: BenchEnvironment, event: string): Promise<FanOutContender> {
  const centrifugo = await startCentrifugo(environment);
  const { companyId } = companyOf(environment);
  const audience = await openCentrifugoDashboards({ url: centrifugo.url, count: SOCKETS, companyId });
  const send = (): void => {
    void centrifugo.publish(companyId, event);
  };
  return { name: 'Centrifugo', contender: centrifugo, audience, send };
}

async function startSockudoPeer(environment: BenchEnvironment, event: string): Promise<FanOutContender> {
  const sockudo = await startSockudo(environment);
  const { companyId } = companyOf(environment);
  const audience = await openSockudoDashboards({ url: sockudo.url, count: SOCKETS, companyId });
  const publish = createSockudoPublish(sockudo.url);
  const send = (): void => {
    void publish(companyId, 'appointment:updated', event);
  };
  return { name: 'Sockudo', contender: sockudo, audience, send };
}

async function startOurs(environment: BenchEnvironment): Promise<FanOutContender> {
  const contender = await environment.start('contenders/our-api.ts');
  const audience = await openDashboards({ url: contender.url, count: SOCKETS, ...companyOf(environment) });
  const emit = createEmitter(environment);
  let next = 0;
  const send = (): void => {
    void emit(environment.ids[next++ % environment.ids.length]!);
  };
  return { name: 'ours', contender, audience, send };
}

const companyOf = ({ ids }: BenchEnvironment) => ({ companyId: ids[0]!.companyId });
