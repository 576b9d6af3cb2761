import { expect, test } from '@jest/globals';
import { appointmentsAround } from '../../demo/demo-data.ts';
import { STATUSES } from '../../demo/models.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const FIRST = Date.parse('2026-11-23T00:17:00Z');

test('the seeded week contains every status, on any day and at any time of it', () => {
  for (let day = 0; day < 60; day += 1) {
    for (const hour of [0, 8, 12, 18, 23]) {
      const now = new Date(FIRST + day * DAY_MS + hour * HOUR_MS);
      const statuses = new Set(appointmentsAround(now, 'Europe/Berlin').map(({ status }) => status));
      expect([now, [...statuses].sort()]).toEqual([now, [...STATUSES].sort()]);
    }
  }
});

test('earlier days are done, later ones are to come, and a groomer has one customer at a time', () => {
  const now = new Date('2026-11-25T12:00:00Z');
  const appointments = appointmentsAround(now, 'UTC');
  const statusesOf = (isWanted: (day: string) => boolean) =>
    new Set(
      appointments
        .filter(({ start }) => isWanted(start.toISOString().slice(0, 10)))
        .map(({ status }) => status),
    );
  const [past, future] = [statusesOf((day) => day < '2026-11-25'), statusesOf((day) => day > '2026-11-25')];
  for (const status of past) expect(['completed', 'canceled', 'no_show']).toContain(status);
  for (const status of future) expect(['scheduled', 'canceled']).toContain(status);
  const inProgress = appointments.filter(({ status }) => status === 'in_progress');
  expect(new Set(inProgress.map(({ staffId }) => staffId)).size).toBe(inProgress.length);
  for (const { start } of inProgress) expect(start.getTime()).toBeLessThanOrEqual(now.getTime());
});
