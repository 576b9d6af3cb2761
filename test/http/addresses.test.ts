import { describe, expect, test } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { clientAddress } from '../../src/access/client-address.ts';
import { isOfHost, normalOrigin } from '../../src/access/own-origin.ts';
import { FORWARDED_FOR } from '../security/corpus-addresses.ts';

const from = (remoteAddress: string | undefined, forwarded?: string, proxies = 0) =>
  clientAddress(
    {
      socket: { remoteAddress },
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    } as unknown as IncomingMessage,
    proxies,
  );

describe('every form of an address counts as the same address', () => {
  test.each([
    '192.0.2.7',
    ' 192.0.2.7 ',
    '192.0.2.7:51234',
    '"192.0.2.7:51234"',
    '::ffff:192.0.2.7',
    '::FFFF:192.0.2.7',
    '[::ffff:192.0.2.7]:443',
    '::ffff:c000:207',
    '0:0:0:0:0:ffff:c000:0207',
  ])('%s', (form) => {
    expect(from('10.0.0.1', form, 1)).toBe('192.0.2.7');
  });

  test.each([
    '2001:db8:0:1::7',
    '2001:DB8::1:0:0:0:9',
    '2001:0db8:0000:0001:ffff:ffff:ffff:ffff',
    '[2001:db8:0:1::7]',
    '[2001:db8:0:1::7]:443',
    '"[2001:db8:0:1::7]:443"',
    '2001:db8:0:1::192.0.2.7',
    '2001:db8:0:1::7%eth0',
  ])('%s', (form) => {
    expect(from('10.0.0.1', form, 1)).toBe('2001:db8:0:1::/64');
    expect(from('10.0.0.1', `203.0.113.9, ${form}`, 1)).toBe('2001:db8:0:1::/64');
  });
});

test('the connection’s own address is parsed in the same forms', () => {
  expect(from('::ffff:192.0.2.7')).toBe('192.0.2.7');
  expect(from('fe80::1%eth0')).toBe(from('fe80::2'));
  expect(from('::1')).toBe('0:0:0:0::/64');
  expect(from(undefined)).toBe('unknown');
});

describe('the address that our proxy added counts, whatever precedes it', () => {
  test.each(FORWARDED_FOR)('%s', (_, header) => {
    expect(from('10.0.0.1', header, 1)).toBe('203.0.113.7');
  });
});

describe('entries that a caller can write change nothing', () => {
  test.each([
    ['without a proxy of ours', '192.0.2.7', 0, '10.0.0.1'],
    ['left of our proxies', '1.1.1.1, 2.2.2.2, 192.0.2.7', 1, '192.0.2.7'],
    ['left of two proxies', '1.1.1.1, 192.0.2.7, 10.0.0.2', 2, '192.0.2.7'],
    ['with fewer entries than proxies', '1.1.1.1', 2, '10.0.0.1'],
    ['with no entry', '', 1, '10.0.0.1'],
    ['with spaces in its place', '1.1.1.1, ', 1, '10.0.0.1'],
    ['with unknown', '1.1.1.1, unknown', 1, '10.0.0.1'],
    ['with an obfuscated name', '_hidden', 1, '10.0.0.1'],
    ['with leading zeros', '192.000.002.007', 1, '10.0.0.1'],
    ['with a number', '3232235777', 1, '10.0.0.1'],
    ['with a name', 'localhost', 1, '10.0.0.1'],
    ['with half an address', '[::1', 1, '10.0.0.1'],
    ['with a network', '192.0.2.0/24', 1, '10.0.0.1'],
  ])('%s', (_, forwarded, proxies, expected) => {
    expect(from('10.0.0.1', forwarded, proxies)).toBe(expected);
  });
});

describe('an origin is compared with the host of the request', () => {
  test.each([
    ['http://localhost:3001', 'localhost:3001'],
    ['http://localhost:3001', 'LOCALHOST:3001'],
    ['https://calendar.example.com', 'calendar.example.com'],
    ['https://calendar.example.com', 'calendar.example.com:443'],
    ['http://calendar.example.com', 'calendar.example.com:80'],
    ['https://calendar.example.com', 'calendar.example.com.'],
    ['https://calendar.example.com.', 'Calendar.Example.com:443'],
    ['https://xn--mnchen-3ya.example', 'xn--mnchen-3ya.example'],
    ['http://[::1]:3001', '[::1]:3001'],
    ['http://[::1]:3001', '[0:0::1]:3001'],
  ])('%s and Host %s are equal', (origin, host) => {
    expect(isOfHost(origin, host)).toBe(true);
  });

  test.each([
    ['https://calendar.example.com:444', 'calendar.example.com'],
    ['https://calendar.example.com', 'calendar.example.com:80'],
    ['https://calendar.example.com', 'example.com'],
    ['https://calendar.example.com', undefined],
    ['https://calendar.example.com', ''],
    ['https://calendar.example.com', 'evil.example@calendar.example.com:x'],
    ['null', 'null'],
    ['', ''],
    ['calendar.example.com', 'calendar.example.com'],
    ['file://calendar.example.com', 'calendar.example.com'],
  ])('%s and Host %s differ', (origin, host) => {
    expect(isOfHost(origin, host)).toBe(false);
  });
});

test('origins are compared in one form', () => {
  expect(normalOrigin('HTTPS://Calendar.Example.com:443')).toBe('https://calendar.example.com');
  expect(normalOrigin('http://münchen.example')).toBe('http://xn--mnchen-3ya.example');
  expect(['null', '', '*', 'about:blank', 'file:///x'].map(normalOrigin)).toEqual(Array(5).fill(undefined));
});
