import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createAudit } from '../../src/process/audit.ts';

test('the line does not depend on LOG_LEVEL, and a name cannot break it', () => {
  const written: string[] = [];
  const logger = pino({ level: 'error' }, { write: (text) => written.push(text) });
  const entry = { via: 'page', action: 'retry', result: 'done' } as const;
  createAudit(logger)({ ...entry, who: `ann"}\n{"msg":"\u202e\u0000audit${'x'.repeat(200)}` });
  expect(written).toHaveLength(1);
  const { who } = JSON.parse(written[0]!) as { who: string };
  expect(who).toBe(`ann"} {"msg":" audit${'x'.repeat(79)}`);
  createAudit(pino({ level: 'silent' }, { write: (text) => written.push(text) }))({ ...entry, who: 'ann' });
  expect(written).toHaveLength(1);
});

test('refused attempts of an operator above 60 a minute share a line every 30 s; changes and other operators do not', () => {
  const lines: { who: string; result: string; times?: number }[] = [];
  const logger = pino({ level: 'info' }, { write: (text) => void lines.push(JSON.parse(text)) });
  let now = 0;
  const audit = createAudit(logger, () => now);
  const attempt = (who: string, result: 'refused' | 'done') => {
    audit({ who, via: 'page', action: 'retry', result });
  };
  for (; now < 50_000; now += 100) attempt('ann', 'refused');
  const shown = lines.splice(0);
  expect(shown.map(({ times }) => times)).toEqual([...Array<undefined>(60).fill(undefined), 1, 300]);
  attempt('ann', 'done');
  attempt('ben', 'refused');
  now += 60_000;
  attempt('ann', 'refused');
  expect(lines.map(({ who, result, times }) => [who, result, times])).toEqual([
    ['ann', 'done', undefined],
    ['ben', 'refused', undefined],
    ['ann', 'refused', undefined],
  ]);
});
