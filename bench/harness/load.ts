import autocannon from 'autocannon';
import type { RunningContender } from './contenders.ts';
import { API_KEY, type BenchEnvironment } from './environment.ts';

export interface Load {
  contender: RunningContender;
  path: string;
  connections: number;
  seconds: number;
  /** Returns the JSON body of the next request. */
  body: () => string;
  headers?: () => Record<string, string>;
}

type WarmUp = Omit<Load, 'seconds'> & { seconds?: number };

const WARM_UP_SECONDS = 2;

/** Returns a function that cycles through the appointments and returns a request body for each. */
export function nextBody({ ids }: Pick<BenchEnvironment, 'ids'>): () => string {
  const bodies = ids.map(({ appointmentId }) => JSON.stringify({ appointmentId }));
  let next = 0;
  return () => bodies[next++ % bodies.length]!;
}

/** In turn one appointment of each company. */
export function spread(ids: BenchEnvironment['ids']): BenchEnvironment['ids'] {
  const seen = new Map<string, number>();
  const turnOf = ids.map(({ companyId }) => {
    const turn = seen.get(companyId) ?? 0;
    seen.set(companyId, turn + 1);
    return turn;
  });
  return ids
    .map((id, index) => ({ id, turn: turnOf[index]! }))
    .sort((a, b) => a.turn - b.turn)
    .map(({ id }) => id);
}

/** Loads the route until its code is compiled. */
export async function warmUp({ seconds = WARM_UP_SECONDS, ...load }: WarmUp): Promise<void> {
  await loadWith({ ...load, seconds });
}

/** Closed loop: each connection sends its next request after it got a reply. @throws if any reply is not 2xx */
export async function loadWith({ contender, path, connections, seconds, body, headers }: Load) {
  const cpuBefore = await contender.measure('cpu');
  const result = await autocannon({
    url: contender.url,
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
  const cpuMicros = (await contender.measure('cpu')) - cpuBefore;
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${path}: ${result.non2xx} replies were not 2xx, ${result.errors} connection errors`);
  }
  return { perSecond: result.requests.average, cpuMicrosEach: cpuMicros / result.requests.total };
}
