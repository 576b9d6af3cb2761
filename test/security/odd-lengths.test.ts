import { expect, test } from '@jest/globals';
import { createParseScope } from '../../src/access/read-scope.ts';
import { boundedList, boundedText } from '../../src/domain/bounded.ts';
import { parseCanaryJob } from '../../src/liveness/canary-job.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { parseEmissionJob } from '../../src/queue/emission-job.ts';
import { INVALID_POSITION, parsePosition, seenReport } from '../../src/realtime/handshake.ts';
import { repairRequests } from '../../src/repair/requests.ts';
import { NO_NUMBER } from './corpus.ts';

/** What a client or another program can send as JSON: it has a length that compares with no number. */
const odd = (): unknown => JSON.parse(`{"length":${NO_NUMBER}}`);
const id = 'a'.repeat(24);
const job = {
  v: 1,
  event: 'appointment:created',
  appointmentId: id,
  companyId: id,
  emissionId: odd(),
  acceptedAt: '2026-11-30T00:00:00Z',
};
const scope = createParseScope(DEFAULT_MODEL);

test.each([
  ['a job', () => parseEmissionJob(job, job.event), 'JOB_INVALID'],
  ['a canary', () => parseCanaryJob({ gatewayId: odd(), canaryId: 'a' }), 'JOB_INVALID'],
  ['the ids of a scope', () => scope({ staffId: odd() }), 'SCOPE_INVALID'],
  ['the hidden fields of a scope', () => scope({ hide: odd() }), 'SCOPE_INVALID'],
])('an object with an odd length in %s is refused with a code', (_, parse, code) => {
  expect(parse).toThrow(expect.objectContaining({ code }));
});

test('an object with an odd length is no position, no report and no id to retry', () => {
  expect(parsePosition({ epoch: odd(), offset: 0 })).toBe(INVALID_POSITION);
  expect(seenReport.safeParse({ emissionId: odd(), acceptedAt: job.acceptedAt }).success).toBe(false);
  expect(repairRequests(Date.now).retry.safeParse({ emissionId: odd() }).success).toBe(false);
});

test.each([
  [boundedText(2), ['a', 'ab'], ['', 'abc', 1, null, odd(), ['a']]],
  [boundedText(2, 0), ['', 'ab'], ['abc', odd()]],
  [boundedList(boundedText(1), 2), [[], ['a', 'b']], [['a', 'b', 'c'], [''], 'a', odd()]],
])('%#: bounds include both ends, and other types are refused', (schema, good, bad) => {
  expect(good.map((value) => schema.safeParse(value).success)).toEqual(good.map(() => true));
  expect(bad.map((value) => schema.safeParse(value).success)).toEqual(bad.map(() => false));
});
