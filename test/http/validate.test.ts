import { describe, expect, test } from '@jest/globals';
import express, { type RequestHandler } from 'express';
import request from 'supertest';
import { APPOINTMENT_EVENTS, type AppointmentEvent } from '@appointment-emissions/contracts';
import {
  appointmentQuery,
  batchBody,
  MAX_BATCH_ITEMS,
  refuseSingle,
  singleBody,
} from '../../src/http/middleware/validate.ts';

const ID = 'a1'.repeat(12);
const UPDATED = 'appointment:updated';
const DELETED = 'appointment:deleted';

/** Routes with the checks alone: what they let through is answered 200. */
const passed: RequestHandler = (_req, res) => {
  res.json({ isValid: true });
};
const pathOf = (event: AppointmentEvent): string => `/${event.replace(':', '-')}`;
const app = express();
app.use(express.json());
for (const event of APPOINTMENT_EVENTS) app.post(pathOf(event), ...singleBody(event), passed);
app.post('/batch', ...batchBody, passed);
app.get('/query', ...appointmentQuery, passed);

interface Answer {
  status: number;
  body: Record<string, unknown>;
}
const post = async (path: string, body: object): Promise<Answer> => request(app).post(path).send(body);
const emit = (event: AppointmentEvent, body: object) => post(pathOf(event), body);
const query = async (text: string): Promise<Answer> => request(app).get(`/query?${text}`);
const refusal = (code: string, detail: string, errors: unknown) => ({
  status: 400,
  body: expect.objectContaining({ code, detail, success: false, errors }),
});
const ofField = (path: string, msg: string, location = 'body') => ({ type: 'field', path, location, msg });
const expectRefusal = ({ status, body }: Answer, code: string, detail: string, errors: unknown) => {
  expect({ status, body }).toEqual(refusal(code, detail, errors));
};

describe('the body of an emission', () => {
  test.each(APPOINTMENT_EVENTS.filter((event) => event !== DELETED))(
    'of %s is an appointmentId and nothing else',
    async (event) => {
      expect((await emit(event, { appointmentId: ID })).status).toBe(200);
      expect((await emit(event, { appointmentId: ID.toUpperCase() })).status).toBe(200);
      const more = await emit(event, { appointmentId: ID, companyId: ID });
      const detail = 'may have only the fields appointmentId';
      expectRefusal(more, 'INVALID_REQUEST', `the body ${detail}`, [ofField('', detail)]);
    },
  );

  test('of a deletion has a companyId too', async () => {
    expect((await emit(DELETED, { appointmentId: ID, companyId: ID })).status).toBe(200);
    const msg = 'is required: the company that the appointment belonged to';
    const none = await emit(DELETED, { appointmentId: ID });
    expectRefusal(none, 'INVALID_COMPANY_ID', `companyId ${msg}`, [ofField('companyId', msg)]);
    const more = await emit(DELETED, { appointmentId: ID, companyId: ID, x: 1 });
    expectRefusal(more, 'INVALID_REQUEST', 'the body may have only the fields appointmentId, companyId', [
      expect.anything(),
    ]);
  });

  test.each([undefined, null])('without an appointmentId (%p) is refused', async (appointmentId) => {
    const msg = 'is required: the id of the appointment';
    const answer = await emit(UPDATED, { appointmentId });
    expectRefusal(answer, 'INVALID_APPOINTMENT_ID', `appointmentId ${msg}`, [ofField('appointmentId', msg)]);
  });

  test.each(['', 'x', 'g'.repeat(24), `${ID}0`, 7, {}, [ID]])(
    'with the appointmentId %j is refused, without a repetition of what was sent',
    async (appointmentId) => {
      const msg = 'must be a string of 24 hexadecimal characters';
      const answer = await emit(UPDATED, { appointmentId });
      expectRefusal(answer, 'INVALID_APPOINTMENT_ID', `appointmentId ${msg}`, [
        ofField('appointmentId', msg),
      ]);
    },
  );

  test('with several problems names them all; the first decides the code', async () => {
    const { body } = await emit(DELETED, { appointmentId: 'x', companyId: 'x', more: 1 });
    expect(body['code']).toBe('INVALID_APPOINTMENT_ID');
    expect((body['errors'] as { path: string }[]).map(({ path }) => path)).toEqual([
      'appointmentId',
      'companyId',
      '',
    ]);
  });
});

describe('the same check without HTTP', () => {
  const check = (event: AppointmentEvent, body: object) => refuseSingle(event, body);

  test('accepts what the routes accept', async () => {
    expect(await check(UPDATED, { appointmentId: ID })).toBeUndefined();
    expect(await check(DELETED, { appointmentId: ID, companyId: ID })).toBeUndefined();
  });

  test('refuses what the routes refuse', async () => {
    expect(await check(UPDATED, {})).toMatchObject({ code: 'INVALID_APPOINTMENT_ID', status: 400 });
    expect(await check(UPDATED, { appointmentId: ID, x: 1 })).toMatchObject({ code: 'INVALID_REQUEST' });
    expect(await check(DELETED, { appointmentId: ID })).toMatchObject({ code: 'INVALID_COMPANY_ID' });
  });
});

describe('the body of a batch', () => {
  const items = (count: number) => Array.from({ length: count }, () => ({}));
  const words = `must be an array of 1 to ${MAX_BATCH_ITEMS} items like {"event": "appointment:created", "appointmentId": "…"}`;

  test.each([1, MAX_BATCH_ITEMS])('may have %i items', async (count) => {
    expect((await post('/batch', { emissions: items(count) })).status).toBe(200);
  });

  test.each([undefined, null, {}, 'x', 'x'.repeat(3), { length: 1 }, [], items(MAX_BATCH_ITEMS + 1)])(
    'has from one to a thousand items (case %#)',
    async (emissions) => {
      const answer = await post('/batch', { emissions });
      expectRefusal(answer, 'INVALID_REQUEST', `emissions ${words}`, [ofField('emissions', words)]);
    },
  );

  test('has no other field', async () => {
    const answer = await post('/batch', { emissions: items(1), x: 1 });
    expectRefusal(answer, 'INVALID_REQUEST', 'the body may have only the fields emissions', [
      expect.anything(),
    ]);
  });
});

describe('the query of timelines', () => {
  test('names one appointment', async () => {
    expect((await query(`appointmentId=${ID}`)).status).toBe(200);
    const msg = 'must be one id of 24 hexadecimal characters';
    for (const text of ['', 'appointmentId=x', `appointmentId=${ID}&appointmentId=${ID}`]) {
      const answer = await query(text);
      expectRefusal(answer, 'INVALID_APPOINTMENT_ID', `appointmentId ${msg}`, expect.anything());
    }
  });
});
