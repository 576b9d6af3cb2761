import { expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { companyTag } from '../../src/domain/company-log.ts';
import { createShardPlan, MAX_SHARDS } from '../../src/queue/shard-plan.ts';
import { keySlot, SLOTS } from '../../src/redis/key-slot.ts';

const PREFIXES = ['{emissions}', '{staging}', '{a}', '{t0123456789ab}', '{x.y:z-1}'];
const COMPANIES = Array.from({ length: 3_000 }, (_, index) =>
  createHash('sha1').update(String(index)).digest('hex').slice(0, 24),
);
/** The master of a slot, if each has an equal range. */
const masterOf = (slot: number, masters: number): number => Math.floor((slot * masters) / SLOTS);

test.each([
  ['foo', 12_182],
  ['{user1000}.following', 3_443],
  ['123456789', 12_739],
  ['foo{}{bar}', 8_363],
  ['foo{{bar}}zap', 4_015],
])('the slot of %s is the one that Redis computes', (key, slot) => {
  expect(keySlot(key)).toBe(slot);
});

test('a single shard has the prefix of the fleet, and all companies', () => {
  const plan = createShardPlan('{emissions}');
  expect(plan.prefixOf(0)).toBe('{emissions}');
  expect(new Set(COMPANIES.map((companyId) => plan.shardOf(companyId, 1)))).toEqual(new Set([0]));
});

test.each(PREFIXES)(
  '%s: 3, 6, 12, 24 and 48 shards lie on as many masters, with the keys of their companies',
  (prefix) => {
    const plan = createShardPlan(prefix);
    for (const count of [3, 6, 12, 24, 48]) {
      const masters = Array.from({ length: count }, (_, shard) =>
        masterOf(keySlot(plan.prefixOf(shard)), count),
      );
      expect(new Set(masters).size).toBe(count);
      for (const companyId of COMPANIES) {
        const master = masterOf(keySlot(companyTag(prefix, companyId)), count);
        expect(masters[plan.shardOf(companyId, count)]).toBe(master);
      }
    }
  },
);

test.each(PREFIXES)('%s: if shards are added, companies move to the new ones only', (prefix) => {
  const plan = createShardPlan(prefix);
  for (let count = 2; count <= MAX_SHARDS; count += 1) {
    const moved = COMPANIES.filter(
      (companyId) => plan.shardOf(companyId, count) !== plan.shardOf(companyId, count - 1),
    );
    expect(new Set(moved.map((companyId) => plan.shardOf(companyId, count)))).toEqual(new Set([count - 1]));
  }
});

test('no shard has more than about twice the companies of another one', () => {
  const plan = createShardPlan('{emissions}');
  for (const count of [2, 3, 4, 5, 6, 7, 12]) {
    const sizes = Array.from({ length: count }, () => 0);
    for (const companyId of COMPANIES) sizes[plan.shardOf(companyId, count)]! += 1;
    expect(Math.max(...sizes)).toBeLessThan(2.5 * Math.min(...sizes));
  }
});
