import { expect, test } from '@jest/globals';
import { parseInfo, whyNoWrites } from '../../src/redis/redis-info.ts';
import { warnOfHiddenHistory, warnOfInfo } from '../../src/redis/redis-warnings.ts';

const WELL = 'role:master\r\naof_enabled:1\r\nrdb_last_bgsave_status:ok\r\nused_memory:10\r\nmaxmemory:0\r\n';

test('a healthy Redis gives no warning, nor does one that hides its state', () => {
  for (const text of [WELL, '', '# Memory\r\n']) {
    expect(warnOfInfo(parseInfo(text))).toEqual([]);
    expect(whyNoWrites(parseInfo(text), false)).toBeUndefined();
  }
});

test.each([
  ['aof_enabled:0', /set appendonly yes/],
  ['aof_last_bgrewrite_status:err', /could not rewrite its append-only file/],
  ['rdb_last_bgsave_status:err', /could not save its snapshot/],
  ['used_memory:95\r\nmaxmemory:100', /95 % of its maxmemory/],
  ['connected_clients:9999\r\nmaxclients:10000', /99 % of its maxclients/],
])('%s gives a warning', (text, words) => {
  expect(warnOfInfo(parseInfo(text))).toEqual([expect.stringMatching(words)]);
});

test('a Redis that hides both ids of its history gives a warning', () => {
  for (const text of ['role:master', 'run_id:\r\nmaster_replid:'])
    expect(warnOfHiddenHistory(parseInfo(text))).toEqual([
      expect.stringMatching(/hides master_replid and run_id/),
    ]);
  for (const text of ['master_replid:b2', 'run_id:a1\r\nmaster_replid:'])
    expect(warnOfHiddenHistory(parseInfo(text))).toEqual([]);
});

test.each([
  ['role:slave', false, /read-only replica/],
  ['role:slave', true, undefined],
  ['aof_enabled:1\r\naof_last_write_status:err', false, /free space on its disk/],
  ['aof_enabled:0\r\naof_last_write_status:err', false, undefined],
  ['used_memory:100\r\nmaxmemory:100', false, /raise maxmemory/],
])('%s, in a Cluster %s: the reason why it accepts no writes', (text, isOfCluster, words) => {
  const why = whyNoWrites(parseInfo(text), isOfCluster);
  if (words) expect(why).toMatch(words);
  else expect(why).toBeUndefined();
});
