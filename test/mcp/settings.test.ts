import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { VERSION } from '../../packages/mcp/src/protocol.ts';
import { readSettings } from '../../packages/mcp/src/settings.ts';

const COMPANY = '65F0000000000000000000C1';
const CUSTOMER = '65f000000000000000000001';
const TOKEN = 't'.repeat(32);
const ENV = {
  MCP_CALENDAR: './calendar.js',
  MCP_COMPANY_ID: COMPANY,
  MCP_CUSTOMER_ID: CUSTOMER,
  INTERNAL_SERVICE_API_KEY: 'key',
};

test('one error names all problems', () => {
  const read = () => readSettings([], { MCP_TIME_ZONE: 'Mars', MCP_CUSTOMER_ID: 'alice', MCP_HTTP: 'x:y' });
  for (const problem of [
    'MCP_TIME_ZONE must be an IANA time zone',
    'MCP_CALENDAR is required',
    'MCP_COMPANY_ID is required',
    'MCP_CUSTOMER_ID must be 24 hexadecimal characters',
    'INTERNAL_SERVICE_API_KEY is required',
    'MCP_HTTP must be a port',
    'MCP_TOKEN is required with MCP_HTTP',
  ])
    expect(read).toThrow(problem);
});

test('an option overrides its variable', () => {
  expect(readSettings(['--customer', COMPANY, '--time-zone', 'Asia/Tokyo'], ENV)).toMatchObject({
    context: { companyId: COMPANY.toLowerCase(), customerId: COMPANY.toLowerCase(), timeZone: 'Asia/Tokyo' },
    http: undefined,
  });
});

test.each([
  ['3002', '127.0.0.1', 3002],
  ['localhost:0', 'localhost', 0],
  ['0.0.0.0:80', '0.0.0.0', 80],
  ['[::1]:3002', '::1', 3002],
])('HTTP at %s', (address, host, port) => {
  const env = { ...ENV, MCP_TOKEN: TOKEN, MCP_ALLOWED_HOSTS: 'a.example, b.example' };
  expect(readSettings(['--http', address], env)).toMatchObject({
    http: { host, port, token: TOKEN, allowedHosts: ['a.example', 'b.example'] },
  });
});

test.each(['70000', ':3002', 'http://localhost:3002', 'a b:1', '::1:3002', '3002x', '-1'])(
  'HTTP at %s is refused',
  (address) => {
    expect(() => readSettings([], { ...ENV, MCP_TOKEN: TOKEN, MCP_HTTP: address })).toThrow(
      'MCP_HTTP must be',
    );
  },
);

test.each([
  ['no token', ''],
  ['a short token', 'secret'],
  ['a token with a space', `${TOKEN} ${TOKEN}`],
])('HTTP with %s is refused', (_, token) => {
  expect(() => readSettings([], { ...ENV, MCP_HTTP: '0', MCP_TOKEN: token })).toThrow(
    'MCP_TOKEN is required',
  );
});

test('unknown options are refused, and a token is not an option', () => {
  expect(() => readSettings(['--token', TOKEN], ENV)).toThrow('--token');
  expect(readSettings(['--help'], {})).toBe('help');
});

test('the server reports the version of the package to its clients', () => {
  const manifest = readFileSync(new URL('../../packages/mcp/package.json', import.meta.url), 'utf8');
  expect((JSON.parse(manifest) as { version: string }).version).toBe(VERSION);
});
