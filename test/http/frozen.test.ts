import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import type { RunningApi } from '../../src/api/start-api.ts';
import { freeze, ownMongo, ownRedis } from '../harness/own-services.ts';
import { eventually, until } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { CREDENTIALS } from '../operate/admin.ts';

/** Promised: 503 within 2 s, 500 within 1 s; the rest is for a busy machine. */
const ANSWERS_WITHIN_MS = 4_000;

let redis: ServiceHandle;
let mongo: ServiceHandle;
let world: World;
let api: RunningApi;
let token: string;
let emissionId: string;
let appointmentId: string;
beforeAll(async () => {
  [redis, mongo] = await Promise.all([ownRedis(), ownMongo()]);
  world = await createWorld({ redisUrl: redis.url, mongoUri: mongo.url });
  api = await world.ready(world.api());
  const company = await world.documents.company();
  token = await world.token(company.companyId);
  appointmentId = await company.appointment();
  emissionId = await world.emit(api, 'appointment-updated', appointmentId);
  // The list of an appointment's last emissions is written after the answer.
  await eventually('the timelines to be kept', async () => (await request('timelines')).status === 200);
}, 60_000);
afterAll(async () => {
  await Promise.all([redis, mongo].map((server) => server.kill('SIGCONT')));
  await world.close();
  await Promise.all([redis.stop(), mongo.stop()]);
}, 60_000);

const KEY = { 'x-api-key': API_KEY };
const OPERATOR = { authorization: CREDENTIALS };
const routes = (): Record<string, [path: string, headers: Record<string, string>]> => ({
  livez: ['/livez', {}],
  readyz: ['/readyz', {}],
  health: ['/health', {}],
  timeline: [`/api/v1/internal/socket/emissions/${emissionId}`, KEY],
  timelines: [`/api/v1/internal/socket/emissions?appointmentId=${appointmentId}`, KEY],
  'JSON metrics': ['/api/v1/internal/metrics', KEY],
  'Prometheus metrics': ['/metrics', KEY],
  list: ['/api/v1/dashboard/appointments', { authorization: `Bearer ${token}` }],
  overview: ['/admin/api/overview', OPERATOR],
  series: ['/admin/api/series', OPERATOR],
  page: ['/admin', OPERATOR],
  'Bull Board': ['/admin/queues', OPERATOR],
});

async function request(route: string) {
  const [path, headers] = routes()[route]!;
  const response = await until(
    `${route} to answer`,
    fetch(`${api.url}${path}`, { headers }),
    ANSWERS_WITHIN_MS,
  );
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

const ANY_WELL = [200];
/** What each route answers while a server is frozen. */
const WHILE_FROZEN: Record<'redis' | 'mongodb', Record<string, number[]>> = {
  redis: {
    livez: ANY_WELL,
    readyz: [503],
    health: [503],
    timeline: [503],
    timelines: [503],
    'JSON metrics': [503],
    'Prometheus metrics': ANY_WELL,
    list: [503],
    overview: [503],
    series: [503],
    page: ANY_WELL,
    'Bull Board': ANY_WELL,
  },
  mongodb: {
    livez: ANY_WELL,
    readyz: [503],
    health: [503],
    timeline: ANY_WELL,
    timelines: ANY_WELL,
    'JSON metrics': ANY_WELL,
    'Prometheus metrics': ANY_WELL,
    list: [500],
    overview: ANY_WELL,
    series: ANY_WELL,
    page: ANY_WELL,
    'Bull Board': ANY_WELL,
  },
};

test.each([
  ['redis', () => redis],
  ['mongodb', () => mongo],
] as const)(
  'while %s is frozen each route answers within its time limit, with a problem if it needs that server',
  async (name, server) => {
    await world.ready(Promise.resolve(api));
    await freeze(server());
    const found = await Promise.all(
      Object.keys(routes()).map(async (route) => [route, await request(route)] as const),
    );
    for (const [route, { status, type, text }] of found) {
      expect([route, WHILE_FROZEN[name][route]!.includes(status), status, text.slice(0, 200)]).toEqual([
        route,
        true,
        status,
        expect.any(String),
      ]);
      const isProbe = ['readyz', 'health'].includes(route);
      if (status >= 500 && !isProbe)
        expect([route, type]).toEqual([route, expect.stringContaining('problem+json')]);
    }
    await server().kill('SIGCONT');
    await world.ready(Promise.resolve(api));
  },
  60_000,
);
