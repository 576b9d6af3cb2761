import { afterEach, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { loadApiConfig } from '../../src/config.ts';
import { DEFAULT_DESCRIPTION, DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { signToken } from '../../src/cli/sign-token.ts';
import { until } from '../harness/until.ts';
import { createWorld, JWT_SECRET, type World } from '../harness/world.ts';
import { writeModule } from '../model/write-model.ts';
import { runCli } from './run-cli.ts';

const ENV = {
  MONGODB_URI: 'mongodb://localhost/petbuddy',
  REDIS_URL: 'redis://localhost',
  INTERNAL_SERVICE_API_KEY: 'k'.repeat(32),
  SOCKET_JWT_SECRET: JWT_SECRET,
  ADMIN_USER: 'admin',
  ADMIN_PASSWORD: 'p'.repeat(12),
};
const COMPANY = '65F0C0FFEE65F0C0FFEE00C0';
const STAFF = '65f0c0ffee65f0c0ffee00c1';

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

const sign = (options: Parameters<typeof signToken>[2], env: Record<string, string> = {}) =>
  signToken(loadApiConfig({ ...ENV, ...env }), DEFAULT_MODEL, options);

test('a gateway accepts the token that the command prints', async () => {
  world = await createWorld({
    env: { SOCKET_JWT_ISSUER: 'https://id.example.com', SOCKET_JWT_AUDIENCE: 'dashboards' },
  });
  const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
  const { code, out } = await runCli(world.env, 'token', '--company', company.companyId);
  expect(code).toBe(0);
  const dashboard = await world.dashboard(api, company.companyId, { token: out.trim() });
  expect(dashboard.positions).not.toHaveLength(0);
});

test('a command ends although the module of the model keeps a timer, with its whole output', async () => {
  const module = `setInterval(() => undefined, 1_000);\nexport default ${JSON.stringify(DEFAULT_DESCRIPTION)};\n`;
  const env = { ...ENV, EMISSIONS_MODEL: writeModule(module) };
  const { code, out } = await until('the end', runCli(env, 'token', '--company', COMPANY), 30_000);
  expect([code, decodeJwt(out.trim())]).toEqual([
    0,
    expect.objectContaining({ companyId: COMPANY.toLowerCase() }),
  ]);
});

test('a token has the claims of the options', async () => {
  const scope = { staffId: STAFF, hide: ['customerId.email'] };
  const token = await sign({ company: COMPANY, sub: 'ann', scope: JSON.stringify(scope), hours: '12' });
  const claims = decodeJwt(token);
  expect(claims).toMatchObject({ companyId: COMPANY.toLowerCase(), sub: 'ann', scope });
  expect(claims.exp! - claims.iat!).toBeGreaterThanOrEqual(12 * 3_600);
  expect(claims.exp! - claims.iat!).toBeLessThanOrEqual(12 * 3_600 + 2);
});

test.each([
  [{}, 'token needs --company'],
  [{ company: 'acme' }, '--company must be 24 hexadecimal characters'],
  [{ company: COMPANY, hours: '0' }, '--hours must be a number above 0'],
  [{ company: COMPANY, hours: 'soon' }, '--hours must be a number above 0'],
  [{ company: COMPANY, hours: 'Infinity' }, '--hours must be a number above 0'],
  [{ company: COMPANY, scope: 'staff' }, '--scope must be JSON'],
  [{ company: COMPANY, scope: '{}' }, 'it restricts nothing'],
  [{ company: COMPANY, scope: '{"staff": "x"}' }, 'it may contain staffId, locationId and hide only'],
])('%j is refused with a reason', async (options, words) => {
  await expect(sign(options)).rejects.toThrow(words);
});

test('with keys of an identity provider the command signs nothing', async () => {
  await expect(
    sign({ company: COMPANY }, { SOCKET_JWT_SECRET: '', SOCKET_JWKS_URL: 'https://id.example.com/keys' }),
  ).rejects.toThrow('only your identity provider can sign tokens');
});
