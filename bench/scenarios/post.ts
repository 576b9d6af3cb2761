import autocannon from 'autocannon';
import { API_KEY, type Stage } from '../harness/stage.ts';
import { sideBySide } from '../harness/side-by-side.ts';

const CONNECTIONS = 50;
const SECONDS = 4;
const SINGLE = '/api/v1/internal/socket/appointment-created';

/** POST, everything checked, to a job: requests a second at 50 connections. */
export async function post(stage: Stage, rounds: number) {
  const sides = [
    { name: 'bare Express', file: 'sides/bare-express.ts', path: '/emit' },
    { name: 'naive', file: 'sides/naive-api.ts', path: '/emit' },
    { name: 'ours', file: 'sides/our-api.ts', path: SINGLE },
  ];
  const started = await Promise.all(
    sides.map(async (side) => ({ ...side, ...(await stage.start(side.file)) })),
  );
  const bodies = stage.ids.map(({ appointmentId }) => JSON.stringify({ appointmentId }));
  let next = 0;
  const measured = await sideBySide(
    started.map(({ name, ready, path }) => ({
      name,
      round: async () => {
        const result = await autocannon({
          url: ready.url,
          connections: CONNECTIONS,
          duration: SECONDS,
          requests: [
            {
              method: 'POST',
              path,
              headers: { 'content-type': 'application/json', 'x-api-key': API_KEY },
              setupRequest: (request) => ({ ...request, body: bodies[next++ % bodies.length]! }),
            },
          ],
        });
        if (result.non2xx > 0 || result.errors > 0) {
          throw new Error(`${name}: ${result.non2xx} refused, ${result.errors} errors`);
        }
        await stage.clear();
        return result.requests.average;
      },
    })),
    rounds,
  );
  await Promise.all(started.map(({ stop }) => stop()));
  return { title: 'POST → job, requests/s at 50 connections', unit: '/s', measured };
}
