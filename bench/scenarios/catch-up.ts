import type { Place } from '@appointment-emissions/contracts';
import { createCompanyLog } from '../../src/emission/company-log.ts';
import { signToken } from '../../test/harness/dashboard.ts';
import { createEmitter } from '../harness/emitter.ts';
import type { Must } from '../harness/figures.ts';
import { openLightSocket, openMany } from '../harness/light-socket.ts';
import { sideBySide } from '../harness/side-by-side.ts';
import { JWT_SECRET, openStage } from '../harness/stage.ts';
import type { Scenario } from '../scenario.ts';

const DASHBOARDS = 2_000;
const COMPANIES = 20;
/** What each company emitted while they were away. */
const MISSED = 20;
/** Handshakes under way at once: more would overflow the listening socket's queue, and wait a second for TCP. */
const AT_ONCE = 400;
const TIME = 'until the last one stands where it should, s';

const MUSTS: Must[] = [
  {
    says: `${DASHBOARDS} dashboards of ${COMPANIES} companies reconnecting at once are caught up`,
    ...{ figure: TIME, side: 'ours, catching up', against: 'ours, nothing missed' },
    ...{ bound: 'at most', must: 2 },
  },
];

interface Company {
  companyId: string;
  token: string;
  place: Place;
}

/** A gateway's dashboards come back together, and each is sent what its company emitted meanwhile. */
export const catchUp: Scenario = {
  title: `${DASHBOARDS} dashboards of ${COMPANIES} companies reconnect at once, each missed ${MISSED} emissions`,
  musts: MUSTS,
  async run(rounds) {
    const stage = await openStage({ appointments: COMPANIES * MISSED, companies: COMPANIES });
    try {
      const [plain, ours] = await Promise.all([
        stage.start('sides/plain-socket-io.ts'),
        stage.start('sides/our-api.ts'),
      ]);
      const emit = createEmitter(stage);
      const { head } = createCompanyLog(stage.redis);
      const companyIds = [...new Set(stage.ids.map(({ companyId }) => companyId))];
      const reconnect = async (url: string, missed: number, expectsPosition = true) => {
        const companies = await Promise.all(
          companyIds.map(async (companyId): Promise<Company> => {
            const token = await signToken(JWT_SECRET, companyId, '1h');
            return { companyId, token, place: await head(companyId) };
          }),
        );
        if (missed > 0) await Promise.all(stage.ids.map(emit));
        return storm({ url, companies, missed, expectsPosition });
      };
      const figures = await sideBySide(
        [
          { name: 'ours, nothing missed', round: () => reconnect(ours.url, 0) },
          { name: 'ours, catching up', round: () => reconnect(ours.url, MISSED) },
          { name: 'plain Socket.IO, no catch-up', round: () => reconnect(plain.url, 0, false) },
        ],
        rounds,
      );
      return { figures };
    } finally {
      await stage.close();
    }
  },
};

/** Resolves when each dashboard has heard all that it missed, and then its place. */
async function storm({
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
  const places: Promise<void>[] = [];
  const sockets = await openMany(DASHBOARDS, AT_ONCE, (index) => {
    const { token, place } = companies[index % companies.length]!;
    let heard = 0;
    let placed = (): void => undefined;
    let fail: (error: Error) => void = () => undefined;
    const isPlaced = new Promise<void>((resolve, reject) => {
      placed = resolve;
      fail = reject;
    });
    if (expectsPosition) places.push(isPlaced);
    return openLightSocket({
      url,
      auth: { token, position: place },
      onEvent(frame) {
        if (frame.startsWith('["appointment:')) heard += 1;
        else if (!frame.includes('"recovered":true')) fail(new Error(`told to reload: ${frame}`));
        else if (heard === missed) placed();
        else fail(new Error(`heard ${heard} of ${missed}`));
      },
      onFault: fail,
    });
  });
  await Promise.all(places);
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const socket of sockets) socket.terminate();
  return { [TIME]: seconds };
}
