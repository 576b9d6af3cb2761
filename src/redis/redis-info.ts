/** The fields of `INFO`. */
export type RedisInfo = Readonly<Record<string, string | undefined>>;

export function parseInfo(text: string): RedisInfo {
  return Object.fromEntries(
    text.split(/\r?\n/).flatMap((line) => {
      const at = line.indexOf(':');
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1).trim()]] : [];
    }),
  );
}

/** The reason why this server refuses writes, with advice; `undefined` if it accepts them. */
export function whyNoWrites(info: RedisInfo, isOfCluster: boolean): string | undefined {
  if (!isOfCluster && info['role'] === 'slave')
    return 'it is a read-only replica: REDIS_URL must name the primary';
  if (info['aof_enabled'] === '1' && info['aof_last_write_status'] === 'err')
    return 'it cannot write its append-only file: free space on its disk';
  const [used, most] = [Number(info['used_memory']), Number(info['maxmemory'])];
  if (most > 0 && used >= most) return 'its memory is full: raise maxmemory';
  return undefined;
}
