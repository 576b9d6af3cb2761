import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { EXAMPLES } from '../../src/http/docs/operation.ts';
import { startTcpProxy, type TcpProxy, throughProxy } from '../harness/tcp-proxy.ts';
import { eventually } from '../harness/until.ts';
import { API_KEY } from '../harness/world.ts';
import { type Call, type DocumentedApi, openDocumentedApi } from './documented-api.ts';

const { companyId } = EXAMPLES;

let documented: DocumentedApi;
beforeAll(async () => {
  documented = await openDocumentedApi();
});
afterAll(() => documented.world.close());

test('each example with curl works as it is written', async () => {
  const { world, api, operations, matches } = documented;
  const variables = {
    API_URL: api.url,
    INTERNAL_SERVICE_API_KEY: API_KEY,
    ADMIN_USER: 'admin',
    ADMIN_PASSWORD: 'admin-password',
    DASHBOARD_TOKEN: await world.token(companyId),
  };
  for (const { operationId, description, responses } of operations) {
    const [, command = ''] = /^```sh\n(curl .*?)^```$/ms.exec(description) ?? [];
    const { stdout, stderr, exitCode } = await execa('sh', ['-c', command], {
      env: variables,
      reject: false,
    });
    expect([operationId, exitCode, exitCode === 0 ? '' : stdout + stderr]).toEqual([operationId, 0, '']);
    const schema = (responses[200] ?? responses[202]).content['application/json']?.schema;
    if (schema) expect([operationId, matches(schema, JSON.parse(stdout))]).toEqual([operationId, []]);
  }
});

test('requests above a limit are answered as documented', async () => {
  const { world, callOperation, internal, ofOperators } = documented;
  const limited = await world.ready(
    world.api(
      { MAX_REQUESTS_PER_SECOND: '1' },
      { MAX_AUTH_FAILURES_PER_MINUTE: 1, MAX_LISTS_PER_VIEWER_PER_SECOND: 0.1 },
    ),
  );
  const exceed = (id: string, call: Call = {}) =>
    eventually(`${id} to be refused`, async () => {
      // Together, since a busy server could take longer than the window of the limit for one after another.
      const send = () => callOperation(id, { to: limited, ...call });
      const replies = await Promise.all([send(), send()]);
      return replies.some(({ status }) => status === 429);
    });
  for (const id of internal) await exceed(id);
  const authorization = `Bearer ${await world.token(companyId, '5m', { sub: 'one' })}`;
  await exceed('listAppointments', { credentials: { authorization } });
  const credentials = { authorization: `Basic ${Buffer.from('admin:wrong').toString('base64')}` };
  for (const id of ofOperators) await exceed(id, { credentials });
});

test('an operator of the role view reads and makes dry runs, and changes are refused as documented', async () => {
  const { world, operations, expectDocumented } = documented;
  const viewing = await world.ready(world.api({ ADMIN_WRITES: 'off' }));
  for (const { operationId: id, security, requestBody } of operations) {
    if (!security.some((scheme) => 'operator' in scheme)) continue;
    const example = requestBody?.content['application/json']!.example as { dryRun?: boolean } | undefined;
    if (example?.dryRun !== undefined || !example) await expectDocumented(id, 200, { to: viewing });
    if (!example) continue;
    const { code } = await expectDocumented(id, 403, { to: viewing, body: { ...example, dryRun: false } });
    expect([id, code]).toEqual([id, 'ADMIN_READ_ONLY']);
  }
});

test('requests that need a server that is down are answered as documented', async () => {
  const { world, idsOf, expectDocumented } = documented;
  const { MONGODB_URI = '', REDIS_URL = '' } = world.env;
  const proxyFor = async (url: string): Promise<TcpProxy> => {
    const proxy = await startTcpProxy(Number(new URL(url).port));
    return world.keep(proxy, proxy.close);
  };
  const [mongo, redis] = await Promise.all([proxyFor(MONGODB_URI), proxyFor(REDIS_URL)]);
  const redisUrl = new URL(REDIS_URL);
  redisUrl.port = String(redis.port);
  const cutOff = await world.ready(
    world.api({ MONGODB_URI: throughProxy(MONGODB_URI, mongo.port), REDIS_URL: redisUrl.href }),
  );
  const has = (status: number) => idsOf(({ responses }) => String(status) in responses);

  mongo.refuse();
  await eventually('the loss of MongoDB', async () => !(await fetch(`${cutOff.url}/readyz`)).ok);
  await Promise.all(has(500).map((id) => expectDocumented(id, 500, { to: cutOff })));
  mongo.mend();
  await world.ready(Promise.resolve(cutOff));

  redis.refuse();
  const retried = has(503).filter((id) => id !== 'isAlive');
  // A dry run reads only MongoDB.
  const body = { companyId, since: '1h' };
  await Promise.all(
    retried.map((id) => expectDocumented(id, 503, { to: cutOff, ...(id === 'reEmit' && { body }) })),
  );
  redis.mend();
  await world.ready(Promise.resolve(cutOff));
});

test('each documented reply of a limit or a server that is down was compared with a real one', () => {
  // 409: two requests must meet, see test/http/idempotency.test.ts. A stuck process: see test/operate/liveness.test.ts.
  expect(documented.notCompared((status) => [429, 500, 503].includes(status))).toEqual(['isAlive 503']);
});
