import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { APPOINTMENT_EVENTS, LATENCY_STAGES } from '@appointment-emissions/contracts';
import { OUTCOMES } from '../../src/metrics/names.ts';
import type { MetricsRedis } from '../../src/metrics/fleet/keys.ts';
import { useFleet } from './world.ts';

const fleets = useFleet();
type Fault = 'none' | 'lost' | 'unconfirmed' | 'late';

/** Fails on demand: before Redis has the script, after it has run it, or with the script arriving later. */
function createFaultyRedis(redis: MetricsRedis) {
  let fault: Fault = 'none';
  const late: (() => Promise<unknown>)[] = [];

  async function suffer(send: () => Promise<unknown>): Promise<unknown> {
    const now = fault;
    if (now === 'late') late.push(send);
    if (now === 'lost' || now === 'late') throw new Error(now);
    const reply = await send();
    if (now === 'unconfirmed') throw new Error(now);
    return reply;
  }
  const faulty = new Proxy(redis, {
    get(target, property, receiver) {
      if (property !== 'evalsha') return Reflect.get(target, property, receiver) as unknown;
      return (...args: Parameters<MetricsRedis['evalsha']>) => suffer(() => target.evalsha(...args));
    },
  });
  return {
    redis: faulty,
    setFault: (next: Fault) => {
      fault = next;
    },
    deliverLate: async () => {
      for (const send of late.splice(0)) await send();
    },
  };
}

const step = fc.oneof(
  fc.record({
    kind: fc.constant('count' as const),
    event: fc.constantFrom(...APPOINTMENT_EVENTS),
    outcome: fc.constantFrom(...OUTCOMES),
    n: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({
    kind: fc.constant('observe' as const),
    stage: fc.constantFrom(...LATENCY_STAGES),
    ms: fc.nat(5_000),
  }),
  fc.record({
    kind: fc.constant('flush' as const),
    fault: fc.constantFrom<Fault>('none', 'lost', 'unconfirmed', 'late'),
    // Not awaited: the next steps run during the flush.
    inBackground: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('deliver late' as const) }),
);

test('the sums of the fleet equal the calls, whichever flushes fail', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(1), step), { maxLength: 40 }), async (schedule) => {
      const fleet = fleets.start();
      // The script must be known, lest a fallback to EVAL go round the faults.
      await fleet.process().flush();
      const wires = [createFaultyRedis(fleet.redis), createFaultyRedis(fleet.redis)];
      const processes = wires.map(({ redis }) => fleet.process({ redis }));
      const expected = { accepted: 0, published: 0, retried: 0, failed: 0 };
      let observed = 0;

      for (const [index, what] of schedule) {
        const [wire, metrics] = [wires[index]!, processes[index]!];
        if (what.kind === 'count') {
          metrics.count(what.event, what.outcome, what.n);
          expected[what.outcome] += what.n;
        } else if (what.kind === 'observe') {
          metrics.observe(what.stage, what.ms);
          observed++;
        } else if (what.kind === 'flush') {
          wire.setFault(what.fault);
          const flushed = metrics.flush();
          if (!what.inBackground) await flushed;
        } else await wire.deliverLate();
      }
      for (const [index, wire] of wires.entries()) {
        await processes[index]!.flush();
        wire.setFault('none');
        expect(await processes[index]!.flush()).toBe(true);
        await wire.deliverLate();
      }

      const { overall, latencyMs } = await fleet.read();
      for (const span of ['1m', '5m', '1h', 'total'] as const) expect(overall[span]).toMatchObject(expected);
      const counted = LATENCY_STAGES.reduce((sum, stage) => sum + latencyMs[stage]['5m'].count, 0);
      expect(counted).toBe(observed);
    }),
    { numRuns: 150 },
  );
});
