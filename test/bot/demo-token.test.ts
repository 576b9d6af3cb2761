import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import express from 'express';
import { decodeJwt } from 'jose';
import { DEMO_COMPANY } from '../../demo/catalogue.ts';
import { masterData } from '../../demo/demo-data.ts';
import { createDemoRouter, type DemoToken } from '../../demo/demo-routes.ts';

let server: Server;
let url: string;
beforeAll(async () => {
  const router = createDemoRouter({ jwtSecret: 's'.repeat(32), timeZone: 'UTC' });
  server = createServer(express().use('/demo', router));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/demo/token`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const request = (search = '') => fetch(url + search, { method: 'POST' });

test('the demo’s token shows the whole company to a manager', async () => {
  const reply = (await (await request()).json()) as DemoToken;
  expect(decodeJwt(reply.token)).toMatchObject({ companyId: DEMO_COMPANY.id, sub: 'manager' });
  expect(decodeJwt(reply.token)).not.toHaveProperty('scope');
  expect(reply.staff.map(({ id }) => id)).toEqual(masterData().Staff.map(({ _id }) => _id));
});

test('the demo’s token with ?as= shows a groomer only their own appointments, without e-mail and phone of the customers', async () => {
  const { staff } = (await (await request()).json()) as DemoToken;
  const { id } = staff[1]!;
  const { token } = (await (await request(`?as=${id}`)).json()) as DemoToken;
  expect(decodeJwt(token)).toMatchObject({
    sub: id,
    scope: { staffId: id, hide: ['customerId.email', 'customerId.phone'] },
  });
});

test.each(['?as=', '?as=nobody', `?as=${DEMO_COMPANY.id}`, '?as=a&as=b'])(
  'an unknown staff member is refused: %s',
  async (search) => {
    expect((await request(search)).status).toBe(404);
  },
);
