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
