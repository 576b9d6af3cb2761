import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { errorMessage } from '../../../src/errors.ts';
import type { Company } from '../../harness/documents.ts';
import { readLog } from '../../harness/log-lines.ts';
import { type ClusterNode, ownCluster, type RedisCluster } from '../../harness/own-cluster.ts';
import { freeze } from '../../harness/own-services.ts';
import type { Spawned } from '../../harness/processes.ts';
import { eventually } from '../../harness/until.ts';
import { createWorld, type World } from '../../harness/world.ts';
import { allEqualList, openScreen, type Screen } from '../screens.ts';
import { companiesOnAllNodes } from './companies.ts';

let cluster: RedisCluster;
let world: World;
let api: Spawned;
let companies: Company[];
let screens: Screen[] = [];
beforeAll(async () => {
  cluster = await ownCluster({ masters: 3, replicas: 3 });
  // The sweep finds writes that were lost with a master: replication is asynchronous.
  world = await createWorld({ redisUrl: cluster.url, env: { RECONCILE_INTERVAL_MS: '500' } });
  [api] = await Promise.all([world.ready(world.apiProcess()), world.workerProcess()]);
}, 180_000);
afterAll(async () => {
  await world.close();
  await cluster.stop();
});
beforeEach(async () => {
  companies = await companiesOnAllNodes(world, cluster);
  screens = await Promise.all(companies.map(({ companyId }) => openScreen(world, api.url, companyId)));
  await Promise.all(screens.map(({ becomes }) => becomes('live')));
  await change('before');
});
afterEach(() => {
  for (const { dashboard } of screens) dashboard.close();
});

/** Writes an appointment in every company and announces it until that is accepted; then all dashboards show it. */
async function change(notes: string): Promise<void> {
  const ids = await Promise.all(
    companies.map(async (company) => {
      const appointmentId = await company.appointment({ notes });
      await eventually(
        'the emission to be accepted',
        async () => (await world.post(api, 'appointment-created', { appointmentId })).status === 202,
        30_000,
      );
      return appointmentId;
    }),
  );
  await allEqualList(world, api, screens, 30_000).catch(async (error: unknown) => {
    throw new Error(`${errorMessage(error)}\n${await describeService()}`);
  });
  expect(screens.map(({ notes: shown }, at) => shown(ids[at]!))).toEqual(ids.map(() => notes));
}

/** Why emissions may be missing: where the jobs are, and what the processes logged last. */
async function describeService(): Promise<string> {
  const states = ['wait', 'prioritized', 'active', 'delayed', 'failed'] as const;
  const jobs = states.map(async (state) => `${await world.jobs.count(state)} ${state}`);
  const counts = await Promise.all(jobs).catch((error: unknown) => [errorMessage(error)]);
  return [`jobs: ${counts.join(', ')}`, ...readLog(world.env['LOG_DIR']!).trim().split('\n').slice(-20)].join(
    '\n',
  );
}

/** The screens whose company's keys lie on this node. */
async function screensOn(node: ClusterNode): Promise<Screen[]> {
  const served = await Promise.all(
    screens.map(async ({ companyId }) => (await cluster.serving(world.keys.position(companyId))) === node),
  );
  return screens.filter((_, at) => served[at]);
}
const queueNode = () => cluster.serving(world.env['QUEUE_PREFIX']!);

/** Its replica has taken over: it alone makes its screens reload, once. */
async function expectTakenOver(lost: ClusterNode, itsScreens: Screen[]): Promise<void> {
  await change('after');
  expect((await cluster.serving(world.keys.position(itsScreens[0]!.companyId))).id).not.toBe(lost.id);
  for (const screen of screens) expect(screen.reloads).toEqual(itsScreens.includes(screen) ? ['epoch'] : []);
}

/** Its replica takes over meanwhile; then it is started again, even if the test fails. */
async function whileDead(node: ClusterNode, run: () => Promise<unknown>): Promise<void> {
  await node.service.kill();
  try {
    await run();
  } finally {
    await node.service.restart();
    await cluster.settled();
  }
}

test('a master dies: its replica takes over, dashboards of its companies reload, and the service recovers by itself', async () => {
  const [company] = companies;
  const node = await cluster.serving(world.keys.position(company!.companyId));
  const itsScreens = await screensOn(node);
  await whileDead(node, () => expectTakenOver(node, itsScreens));
});

test('the queue’s master dies under load: accepted emissions reach the dashboards', async () => {
  const node = await queueNode();
  const itsScreens = await screensOn(node);
  const ids = await Promise.all(
    companies.flatMap((company) => Array.from({ length: 5 }, () => company.appointment())),
  );
  let accepted = 0;
  const bots = ids.map(async (appointmentId, at) => {
    for (let write = 1; write <= 10; write += 1) {
      await companies[Math.floor(at / 5)]!.change(appointmentId, { notes: `write ${write}` });
      await eventually(
        'the emission to be accepted',
        async () => (await world.post(api, 'appointment-updated', { appointmentId })).status === 202,
        30_000,
      );
      accepted += 1;
    }
  });
  await eventually('the load to run', () => accepted >= ids.length);
  await whileDead(node, async () => {
    await Promise.all(bots);
    await expectTakenOver(node, itsScreens);
    await eventually(
      'the queue to be empty',
      async () => (await world.jobs.count('active', 'wait', 'delayed')) === 0,
      // A job whose end was not replicated is active again without a worker: its lock ends after 10 s, and one look
      // each 5 s marks it, the next one gives it back.
      20_000,
    );
  });
});

test('a frozen master is replaced, and after it resumes no process uses it', async () => {
  const node = await queueNode();
  const itsScreens = await screensOn(node);
  await freeze(node.service);
  try {
    await expectTakenOver(node, itsScreens);
  } finally {
    await node.service.kill('SIGCONT');
  }
  await cluster.settled();
  await change('thawed');
  for (const screen of screens) expect(screen.reloads.length).toBe(itsScreens.includes(screen) ? 1 : 0);
});

test('slots move to another master at run time: dashboards of the company reload, the queue continues', async () => {
  const [company] = companies;
  const keys = [world.keys.position(company!.companyId), world.env['QUEUE_PREFIX']!];
  for (const key of keys) {
    const from = await cluster.serving(key);
    const to = (await cluster.masters()).find((node) => node !== from);
    await Promise.all([cluster.moveSlot(key, to!), change(`while ${key} moves`)]);
  }
  await change('moved');
  expect(screens.map(({ reloads }) => reloads)).toEqual([['epoch'], [], []]);
});

test('a whole Cluster is unavailable: 503 within two seconds; afterwards the service recovers by itself', async () => {
  const { nodes } = cluster;
  await Promise.all(nodes.map(({ service }) => service.kill()));
  const appointmentId = await companies[0]!.appointment();
  for (const headers of [{}, { 'idempotency-key': 'away' }]) {
    const startedAt = performance.now();
    const response = await world.post(api, 'appointment-created', { appointmentId }, headers);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(performance.now() - startedAt).toBeLessThan(2_500);
  }
  expect((await fetch(`${api.url}/readyz`)).status).toBe(503);
  await Promise.all(nodes.map(({ service }) => service.restart()));
  await cluster.settled();
  await change('back');
});
