import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createSayNowAndThen } from '../../workers/now-and-then.ts';

test('an outage is told at once, and then every ten seconds, with how many jobs have met it', () => {
  const lines: { level: number; jobs?: number; emissionId: string }[] = [];
  const flow = pino({ level: 'debug' }, { write: (line) => void lines.push(JSON.parse(line)) });
  let now = 0;
  const report = createSayNowAndThen(flow, 'a server is away', () => now);
  for (; now <= 20_000; now += 100) report({ emissionId: `e${now}` }, new Error('connect ECONNREFUSED'));

  const warnings = lines.filter(({ level }) => level === 40);
  expect(warnings.map(({ emissionId, jobs }) => [emissionId, jobs])).toEqual([
    ['e0', 1],
    ['e10000', 100],
    ['e20000', 100],
  ]);
  expect(lines).toHaveLength(201);
});
