import autocannon from 'autocannon';
import type { RunningSide } from './sides.ts';
import { API_KEY, type Stage } from './stage.ts';

export interface Load {
  side: RunningSide;
  path: string;
  connections: number;
  seconds: number;
  /** Of the next request; JSON. */
  body: () => string;
  headers?: () => Record<string, string>;
}

type WarmUp = Omit<Load, 'seconds'> & { seconds?: number };

const WARM_UP_SECONDS = 2;

/** Bodies that ask for one appointment after the other. */
export function nextBody({ ids }: Pick<Stage, 'ids'>): () => string {
  const bodies = ids.map(({ appointmentId }) => JSON.stringify({ appointmentId }));
  let next = 0;
  return () => bodies[next++ % bodies.length]!;
}

/** Calls it until its code is compiled. */
export async function warmUp({ seconds = WARM_UP_SECONDS, ...load }: WarmUp): Promise<void> {
  await loadWith({ ...load, seconds });
}

/** Closed loop: each connection sends its next request when it has its answer. @throws where one is not 2xx */
export async function loadWith({ side, path, connections, seconds, body, headers }: Load) {
  const cpuBefore = await side.ask('cpu');
  const result = await autocannon({
    url: side.url,
    connections,
    duration: seconds,
    requests: [
      {
        method: 'POST',
        path,
        setupRequest: (request) => ({
          ...request,
          headers: { 'content-type': 'application/json', 'x-api-key': API_KEY, ...headers?.() },
          body: body(),
        }),
      },
    ],
  });
  const cpuMicros = (await side.ask('cpu')) - cpuBefore;
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${path}: ${result.non2xx} refused, ${result.errors} errors`);
  }
  return { perSecond: result.requests.average, cpuMicrosEach: cpuMicros / result.requests.total };
}
