import type { StreamPosition } from '@appointment-emissions/contracts';
import { createCompanyLog } from '../../src/emission/company-log.ts';
import { createCompanyKeys } from '../../src/emission/keys.ts';
import { signToken } from '../../test/harness/dashboard.ts';
import { createEmitter } from '../harness/emitter.ts';
import type { Threshold } from '../harness/figures.ts';
import { openLightSocket, openMany } from '../harness/light-socket.ts';
import { compare } from '../harness/compare.ts';
import { JWT_SECRET, openEnvironment } from '../harness/environment.ts';
import type { Scenario } from '../scenario.ts';

const DASHBOARDS = 2_000;
const COMPANIES = 20;
/** Emissions of each company while its dashboards were disconnected. */
const MISSED = 20;
/** Concurrent handshakes. More would overflow the backlog of the listening socket and wait 1 s for TCP to retry. */
const HANDSHAKE_CONCURRENCY = 400;
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
  place: StreamPosition;
}

/** All dashboards of a gateway reconnect at once, and each receives the emissions that it missed. */
export const catchUp: Scenario = {
  title: `${DASHBOARDS} dashboards of ${COMPANIES} companies reconnect at once after missing ${MISSED} emissions each`,
  thresholds: THRESHOLDS,
  async run(rounds) {
    const environment = await openEnvironment({ appointments: COMPANIES * MISSED, companies: COMPANIES });
    try {
      const [plain, ours] = await Promise.all([
        environment.start('contenders/plain-socket-io.ts'),
        environment.start('contenders/our-api.ts'),
      ]);
      const emit = createEmitter(environment);
      const { head } = createCompanyLog(environment.redis, {
        keys: createCompanyKeys(environment.env['QUEUE_PREFIX']!),
      });
      const companyIds = [...new Set(environment.ids.map(({ companyId }) => companyId))];
      const reconnect = async (url: string, missed: number, expectsPosition = true) => {
        const companies = await Promise.all(
          companyIds.map(async (companyId): Promise<Company> => {
            const token = await signToken(JWT_SECRET, companyId, '1h');
            return { companyId, token, place: await head(companyId) };
          }),
        );
        if (missed > 0) await Promise.all(environment.ids.map(emit));
        return reconnectAll({ url, companies, missed, expectsPosition });
      };
      const figures = await compare(
        [
          { name: 'ours, nothing missed', round: () => reconnect(ours.url, 0) },
          { name: 'ours, catching up', round: () => reconnect(ours.url, MISSED) },
          { name: 'plain Socket.IO, no catch-up', round: () => reconnect(plain.url, 0, false) },
        ],
        rounds,
      );
      return { figures };
    } finally {
      await environment.close();
    }
  },
};

/** Resolves once each dashboard has received everything that it missed, followed by its position. */
async function reconnectAll({
  url,
  companies,
  missed,
  expectsPosition,
}: {
  url: string;
  companies: Company[];
  missed: number;
  expectsPosition: boolean;
}): Promise<Record<string, number>> {
  const startedAt = performance.now();
  const positions: Promise<void>[] = [];
  const sockets = await openMany(DASHBOARDS, HANDSHAKE_CONCURRENCY, (index) => {
    const { token, place } = companies[index % companies.length]!;
    let received = 0;
    let succeed = (): void => undefined;
    let fail: (error: Error) => void = () => undefined;
    const caughtUp = new Promise<void>((resolve, reject) => {
      succeed = resolve;
      fail = reject;
    });
    if (expectsPosition) positions.push(caughtUp);
    return openLightSocket({
      url,
      auth: { token, position: place },
      onEvent(frame) {
        if (frame.startsWith('["appointment:')) received += 1;
        else if (!frame.includes('"recovered":true')) fail(new Error(`a reload was requested: ${frame}`));
        else if (received === missed) succeed();
        else fail(new Error(`received ${received} of ${missed} events`));
      },
      onFault: fail,
    });
  });
  await Promise.all(positions);
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const socket of sockets) socket.terminate();
  return { [TIME]: seconds };
}
