import { isAppointmentEvent } from '@appointment-emissions/contracts';
import type { Dashboard } from '../../test/harness/dashboard.ts';
import type { Company } from '../../test/harness/documents.ts';
import { API_KEY, type World } from '../../test/harness/world.ts';

/** Text in documents of the other company. */
export const OTHER_COMPANY_MARK = 'seen by the other company only';

const CONTROL_EVENTS = new Set(['emissions:position', 'emissions:alive', 'emissions:passed']);

/** A machine that is busy with other work can delay an emission by many seconds. */
const WITNESS_DEADLINE_MS = 60_000;

export type Watchers = Awaited<ReturnType<typeof createWatchers>>;

/** A dashboard of each company. They record what must not have reached them. */
export async function createWatchers(
  world: World,
  api: { url: string },
  { company, other, otherAppointment }: { company: Company; other: Company; otherAppointment: string },
) {
  const found: string[] = [];
  let isClosed = false;
  const [own, others] = await Promise.all(
    [company, other].map(({ companyId }) => world.dashboard(api, companyId)),
  );
  watch(
    own!,
    'the fuzzed company',
    (text) => text.includes(OTHER_COMPANY_MARK) || text.includes(other.companyId),
  );
  watch(others!, 'the other company', (text) => text.includes(company.companyId));

  function watch(dashboard: Dashboard, name: string, isForeign: (text: string) => boolean): void {
    dashboard.socket.onAny((event: string, ...args: unknown[]) => {
      const text = JSON.stringify(args);
      if (isForeign(text)) found.push(`${name} got data of another company: ${event} ${text.slice(0, 500)}`);
      const isKnown = isAppointmentEvent(event) || CONTROL_EVENTS.has(event);
      if (dashboard === others && !isKnown) found.push(`${name} got an unknown event ${event}`);
    });
  }

  // A repair or a message of the gateways may disconnect the fuzzed company.
  own!.socket.on('disconnect', (reason) => {
    if (reason === 'io server disconnect') own!.socket.connect();
  });
  others!.socket.on('disconnect', (reason) => {
    if (!isClosed) found.push(`the other company was disconnected: ${reason}`);
  });

  return {
    own: own!,
    /** Resolves when an emission of the other company has arrived at its dashboard. @throws after the deadline, with its timeline */
    async serveOther(): Promise<void> {
      others!.received.length = 0;
      own!.received.length = 0;
      own!.positions.length = 0;
      const emissionId = await world.emit(api, 'appointment-updated', otherAppointment);
      const served = others!.receive(
        ({ meta }) => meta.emissionId === emissionId,
        'the other company to be served',
        WITNESS_DEADLINE_MS,
      );
      await served.catch(async (error: unknown) => {
        throw new Error(`${String(error)}; its emission: ${await timelineOf(api, emissionId)}`);
      });
    },
    /** What was found since the last call. */
    problems: (): string[] => found.splice(0),
    close(): void {
      isClosed = true;
      own!.close();
      others!.close();
    },
  };
}

async function timelineOf(api: { url: string }, emissionId: string): Promise<string> {
  const url = `${api.url}/api/v1/internal/socket/emissions/${emissionId}`;
  const response = await fetch(url, {
    headers: { 'x-api-key': API_KEY },
    signal: AbortSignal.timeout(5_000),
  });
  return response.text();
}
