import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import express, { type RequestHandler } from 'express';
import { createErrorHandler } from '../../src/http/problem.ts';
import { jsonBody } from '../../src/http/middleware/json-body.ts';

const LIMIT = 100;
let server: Server;
afterEach(() => {
  server.close();
});

/** Starts an application that answers with the body as it was parsed. */
async function start(...before: RequestHandler[]): Promise<void> {
  const app = express();
  app.use(...before, ...jsonBody(LIMIT));
  app.use((req, res) => {
    res.json(req.body);
  });
  app.use(createErrorHandler(() => undefined));
  server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

/** Sends the parts one after another, with the length of the body, or chunked. Resolves to the status and the text of the answer. */
async function post(
  parts: readonly (string | Buffer)[],
  how: 'with its length' | 'chunked',
): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const length = Buffer.concat(parts.map((part) => Buffer.from(part))).length;
  const sent = request({
    ...{ port, method: 'POST', agent: false },
    headers: {
      'content-type': 'application/json',
      ...(how === 'chunked' ? { 'transfer-encoding': 'chunked' } : { 'content-length': length }),
    },
  });
  for (const part of parts) await new Promise((resolve) => sent.write(part, resolve));
  sent.end();
  const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
  const answer = await text(response);
  return `${response.statusCode} ${response.statusCode === 200 ? answer : (JSON.parse(answer) as { code: string }).code}`;
}

const full = JSON.stringify({ a: 'x'.repeat(LIMIT - 8) });

test.each<[string, (string | Buffer)[], string]>([
  ['an object', ['{"a":1}'], '200 {"a":1}'],
  ['an object with "__proto__"', ['{"__proto__":{"a":1}}'], '200 {"__proto__":{"a":1}}'],
  [
    'two parts of a character',
    [Buffer.from('{"a":"\xc3', 'latin1'), Buffer.from('\xa9"}', 'latin1')],
    '200 {"a":"é"}',
  ],
  ['a byte order mark', ['\uFEFF{}'], '200 {}'],
  ['bytes that are no UTF-8', [Buffer.from('{"a":"\xff"}', 'latin1')], '200 {"a":"\uFFFD"}'],
  ['white space around an object', [' \n{} '], '200 {}'],
  ['as many bytes as allowed', [full], `200 ${full}`],
  ['one byte more than allowed', [`${full} `], '413 PAYLOAD_TOO_LARGE'],
  ['nothing', [''], '200 {}'],
  ['white space', [' '], '400 MALFORMED_JSON'],
  ['an array', ['[1]'], '400 INVALID_REQUEST'],
  ['null', ['null'], '400 MALFORMED_JSON'],
  ['a string', ['"a"'], '400 MALFORMED_JSON'],
  ['half an object', ['{"a":'], '400 MALFORMED_JSON'],
])('a body with %s gets the same answer with its length and in chunks', async (_what, parts, answer) => {
  await start();
  expect([await post(parts, 'with its length'), await post(parts, 'chunked')]).toEqual([answer, answer]);
});

test('a body that the application has parsed is not read again', async () => {
  await start(express.json());
  expect(await post(['{"a":1}'], 'with its length')).toBe('200 {"a":1}');
});
