import { eventually } from '../harness/until.ts';
import { API_KEY, createWorld, type World, type WorldOptions } from '../harness/world.ts';

/**
 * A world whose APIs are ready, without direct jobs and without the sweep, which would publish the emissions that a test needs as
 * waiting or failed.
 */
export async function quietWorld(
  env: Record<string, string> = {},
  options: Omit<WorldOptions, 'env'> = {},
): Promise<World> {
  const world = await createWorld({
    ...options,
    env: { RECONCILE_INTERVAL_MS: '0', API_CONCURRENCY: '0', ...env },
  });
  return {
    ...world,
    async api(over) {
      const api = await world.api(over);
      await eventually('the API to be ready', async () => (await fetch(`${api.url}/readyz`)).ok);
      return api;
    },
  };
}

/** An emission that failed permanently, since its appointment was given away. It is the company's again when this resolves. */
export async function failedEmission(world: World, api: { url: string }) {
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  const emissionId = await world.emit(api, 'appointment-created', appointmentId);
  const restore = await world.documents.giveAway();
  world.worker();
  await world.jobIn(emissionId, 'failed');
  await restore();
  return { emissionId, appointmentId, company };
}

/** A JSON answer, looked at by tests only. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Answer = any;

export const basic = (name: string, password: string) =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
export const CREDENTIALS = basic('admin', 'admin-password');

/** Asks the operator's API. */
export async function admin(
  api: { url: string },
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) {
  const response = await fetch(`${api.url}/admin/api/${path}`, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    headers: { authorization: CREDENTIALS, 'content-type': 'application/json', ...headers },
  });
  return { status: response.status, body: (await response.json()) as Answer };
}

/** The fleet's metrics as JSON. */
export async function fleetMetrics(api: { url: string }): Promise<Answer> {
  const response = await fetch(`${api.url}/api/v1/internal/metrics`, { headers: { 'x-api-key': API_KEY } });
  const read: unknown = await response.json();
  return read;
}
