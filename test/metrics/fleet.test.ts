import { expect, test } from '@jest/globals';
import { useFleet } from './world.ts';

const fleets = useFleet();
const START_MS = Date.UTC(2026, 10, 23, 9);

test('live processes are listed by role, sockets added up, companies counted once', async () => {
  const fleet = fleets.start();
  const [first, second, worker] = [fleet.process(), fleet.process(), fleet.process()];
  first.heartbeat({ role: 'api', id: 'one' });
  first.heartbeat({ role: 'gateway', id: 'one', sockets: 3, companies: ['a', 'b'] });
  second.heartbeat({ role: 'gateway', id: 'two', sockets: 4, companies: new Set(['b', 'c']) });
  worker.heartbeat({ role: 'worker', id: 'three' });
  await Promise.all([first.flush(), second.flush(), worker.flush()]);

  const { processes, sockets, companies } = (await fleet.read()).fleet;
  expect(processes.gateway.map(({ id, sockets }) => [id, sockets]).sort()).toEqual([
    ['one', 3],
    ['two', 4],
  ]);
  expect([processes.api.length, processes.worker.length, sockets, companies]).toEqual([1, 1, 7, 3]);
  expect(processes.worker[0]?.sinceHeartbeatMs).toBeLessThan(5_000);
});

test('only the worker that reads the change stream reports its progress; a malformed value is ignored', async () => {
  const fleet = fleets.start();
  const [owner, other, odd] = [fleet.process(), fleet.process(), fleet.process()];
  owner.heartbeat({ role: 'worker', id: 'owner', capture: { tokenAgeMs: 12, restarts: 1 } });
  other.heartbeat({ role: 'worker', id: 'other' });
  odd.heartbeat({ role: 'worker', id: 'odd', capture: { tokenAgeMs: -1, restarts: 0 } });
  await Promise.all([owner.flush(), other.flush(), odd.flush()]);
  const { worker } = (await fleet.read()).fleet.processes;
  expect(new Map(worker.map(({ id, capture }) => [id, capture]))).toEqual(
    new Map([
      ['owner', { tokenAgeMs: 12, restarts: 1 }],
      ['other', null],
      ['odd', null],
    ]),
  );
});

test('the newest heartbeat replaces the previous one and its companies', async () => {
  const fleet = fleets.start();
  const gateway = fleet.process();
  const thousands = Array.from({ length: 2_500 }, (_, i) => `company-${i}`);
  gateway.heartbeat({ role: 'gateway', id: 'one', sockets: 9_999, companies: thousands });
  await gateway.flush();
  const many = (await fleet.read()).fleet.companies;
  expect(Math.abs(many - 2_500) / 2_500).toBeLessThan(0.03);

  gateway.heartbeat({ role: 'gateway', id: 'one', sockets: 1, companies: ['a'] });
  gateway.heartbeat({ role: 'gateway', id: 'one', sockets: 2, companies: ['a', 'b'] });
  await gateway.flush();
  expect((await fleet.read()).fleet).toMatchObject({ sockets: 2, companies: 2 });
});

test('a process without heartbeats is not listed after 15 s, and removed by the next heartbeat', async () => {
  const fleet = fleets.start();
  let nowMs = START_MS;
  const silent = fleet.process({ now: () => nowMs });
  silent.heartbeat({ role: 'gateway', id: 'silent', sockets: 5, companies: ['a'] });
  await silent.flush();
  const at = async (ms: number) => (await fleet.read(() => START_MS + ms)).fleet;
  expect((await at(14_999)).processes.gateway).toMatchObject([{ id: 'silent', sinceHeartbeatMs: 14_999 }]);
  expect(await at(15_000)).toMatchObject({ processes: { gateway: [] }, sockets: 0, companies: 0 });

  nowMs += 15_000;
  const other = fleet.process({ now: () => nowMs });
  other.heartbeat({ role: 'worker', id: 'other' });
  await other.flush();
  expect(await fleet.redis.hkeys(`{${fleet.prefix}}:beats`)).toEqual(['worker:other']);
});

test('a process that shuts down is removed at once', async () => {
  const fleet = fleets.start();
  const gateway = fleet.process();
  gateway.heartbeat({ role: 'gateway', id: 'one', sockets: 5, companies: ['a'] });
  await gateway.flush();
  await gateway.close();
  expect((await fleet.read()).fleet).toMatchObject({ sockets: 0, companies: 0, processes: { gateway: [] } });
});

test('companies over their share are added up over the processes, the largest first, at most ten; nonsense is left out', async () => {
  const fleet = fleets.start();
  const processes = [fleet.process(), fleet.process(), fleet.process()] as const;
  const companyId = (n: number): string => n.toString(16).repeat(24);
  const list = Array.from({ length: 10 }, (_, n) => ({ companyId: companyId(n), emissions: 100 + n }));
  processes[0].heartbeat({ role: 'api', id: 'one', overShare: list });
  const more = [11, 12, 0].map((n) => ({ companyId: companyId(n), emissions: 50 }));
  processes[1].heartbeat({ role: 'api', id: 'two', overShare: more });
  processes[2].heartbeat({ role: 'api', id: 'three', overShare: [{ companyId: 'x', emissions: -1 }] });
  for (const { flush } of processes) await flush();

  const { processes: running, overShare } = (await fleet.read()).fleet;
  expect(running.api).toHaveLength(3);
  expect(overShare.map(({ emissions }) => emissions)).toEqual([
    150, 109, 108, 107, 106, 105, 104, 103, 102, 101,
  ]);
  expect(overShare[0]).toEqual({ companyId: companyId(0), emissions: 150 });
});

test('the busiest companies are added up over the gateways: most delayed reads first, then most dashboards; nonsense is left out', async () => {
  const fleet = fleets.start();
  const [first, second, odd] = [fleet.process(), fleet.process(), fleet.process()];
  const of = (digit: string, sockets: number, delayedReads: number) => ({
    ...{ companyId: digit.repeat(24), sockets, delayedReads },
  });
  first.heartbeat({ role: 'gateway', id: 'one', busiest: [of('a', 3, 5), of('b', 9, 0)] });
  const many = Array.from({ length: 9 }, (_, n) => of(String(n), 1, 0));
  second.heartbeat({ role: 'gateway', id: 'two', busiest: [of('a', 4, 2), ...many] });
  odd.heartbeat({ role: 'gateway', id: 'three', busiest: [{ ...of('c', 1, 1), companyId: 'x' }] });
  for (const { flush } of [first, second, odd]) await flush();
  const { busiest } = (await fleet.read()).fleet;
  expect(busiest).toHaveLength(10);
  expect(busiest.slice(0, 2)).toEqual([of('a', 7, 7), of('b', 9, 0)]);
});
