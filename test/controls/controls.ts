/** A defence that is taken out of the code, and the test that must find it out. */
export interface Control {
  /** What the code does against which fault. */
  defence: string;
  /** In `file` this text, which stands there once, … */
  file: string;
  takeOut: string;
  /** … is replaced by this. */
  putIn: string;
  /** Of a test file, the tests whose name begins so: one of them must fail. */
  test: string;
  name: string;
}

const POSITION = 'src/emission/scripts/position.lua';

export const CONTROLS: readonly Control[] = [
  {
    defence: 'a log that does not reach back says “trimmed”',
    file: 'src/emission/scripts/log-after.lua',
    takeOut: 'if #entries ~= offset - from then',
    putIn: 'if false then',
    test: 'test/recovery/cut-off.test.ts',
    name: 'beyond the reach of the log',
  },
  {
    defence: 'what a dashboard missed is replayed to it',
    file: 'src/realtime/gateway.ts',
    takeOut: 'of events) socket.emit(event, payload, meta);',
    putIn: 'of from ? [] : events) socket.emit(event, payload, meta);',
    test: 'test/recovery/gateway.test.ts',
    name: 'a gateway that is frozen and thawed',
  },
  {
    defence: 'a gateway that ends lets go of its dashboards',
    file: 'src/start-api.ts',
    takeOut: 'closeSockets: () => io.close()',
    putIn: 'closeSockets: () => Promise.resolve()',
    test: 'test/http/shutdown.test.ts',
    name: 'a dashboard whose gateway ends',
  },
  {
    defence: 'a restart of Redis begins an epoch, though its AOF kept all',
    file: POSITION,
    takeOut: 'if kept[1] and kept[3] == history then',
    putIn: 'if kept[1] then',
    test: 'test/recovery/redis-lost.test.ts',
    name: 'Redis is killed and started again with what it had on disk',
  },
  {
    defence: 'a lost position begins an epoch of another name',
    file: POSITION,
    takeOut: "redis.call('DEL', log_key)",
    putIn: "redis.call('DEL', log_key)\n  fresh_epoch = 'aaaaaaaaaaaaaaaa'",
    test: 'test/recovery/redis-lost.test.ts',
    name: 'FLUSHALL while all are connected',
  },
  {
    defence: 'every room is told the head of its log every few seconds',
    file: 'src/realtime/announce-positions.ts',
    takeOut: 'if (socket.data.isPlaced) socket.emit(',
    putIn: 'if (socket.data.isPlaced && closed) socket.emit(',
    test: 'test/recovery/redis-lost.test.ts',
    name: 'FLUSHALL while all are connected',
  },
  {
    defence: 'a promotion begins an epoch',
    file: POSITION,
    takeOut: 'if kept[1] and kept[3] == history then',
    putIn: 'if kept[1] then',
    test: 'test/recovery/redis-lost.test.ts',
    name: 'a replica takes over that has not heard',
  },
  {
    defence: 'a fail-back is another history, though it is the same server',
    file: POSITION,
    takeOut: "string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')",
    putIn: "string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')",
    test: 'test/recovery/failed-over-redis.test.ts',
    name: 'offsets that were lost in a fail-over',
  },
  {
    defence: 'what was claimed in another epoch is not published',
    file: 'src/emission/scripts/publish.lua',
    takeOut: "local token = epoch == ARGV[8] and redis.call('HGET', KEYS[i], 'token')",
    putIn: "local token = redis.call('HGET', KEYS[i], 'token')",
    test: 'test/recovery/failed-over-redis.test.ts',
    name: 'a snapshot that was read before a fail-over',
  },
  {
    defence: 'who waits for a replay is not told the head',
    file: 'src/realtime/announce-positions.ts',
    takeOut: 'if (socket.data.isPlaced) socket.emit(',
    putIn: 'socket.emit(',
    test: 'test/recovery/placing.test.ts',
    name: 'nobody is told the head as their place',
  },
  {
    defence: 'all versions keep a company’s log in one place',
    file: 'src/emission/keys.ts',
    takeOut: '`${tag(companyId)}:log`',
    putIn: '`${tag(companyId)}:log-of-now`',
    test: 'test/recovery/upgrade.test.ts',
    name: 'a fleet that is upgraded process by process',
  },
  {
    defence: 'scripts of all versions compare order tokens',
    file: 'src/emission/scripts/publish.lua',
    takeOut: 'if token and (token == ARGV[arg] or token == read_id) then',
    putIn: 'if token then',
    test: 'test/recovery/upgrade.test.ts',
    name: 'scripts of the first version and of this one',
  },
  {
    defence: 'jobs of a later version are left to newer workers',
    file: 'src/queue/emission-job.ts',
    takeOut: 'z.int().gt(JOB_VERSION)',
    putIn: 'z.int().gt(JOB_VERSION + 99)',
    test: 'test/recovery/upgrade.test.ts',
    name: 'a job of a later version is left',
  },
  {
    defence: 'a worker that was frozen does not publish what it had read',
    file: 'src/emission/scripts/publish.lua',
    takeOut: 'if token and (token == ARGV[arg] or token == read_id) then',
    putIn: 'if token then',
    test: 'test/faults/worker-dies.test.ts',
    name: 'a worker that is frozen past its lock',
  },
  {
    defence: 'live bookings have a lane of their own in a worker',
    file: 'src/emission/emit-appointment.ts',
    takeOut: 'attempt.isLive ? live : others',
    putIn: 'attempt.isLive ? others : others',
    test: 'test/emission/emit-appointment.test.ts',
    name: 'a live booking does not wait for a batch',
  },
  {
    defence: 'frames are judged by their shape before anything is taken from them',
    file: 'src/realtime/gateway.ts',
    takeOut: "if (!place.success || typeof acknowledge !== 'function') return;",
    putIn: "if (!place.success) throw new Error('a bad frame');",
    test: 'test/abuse/fuzz-frames.test.ts',
    name: 'whatever the frames',
  },
  {
    defence: 'items of a batch are objects',
    file: 'src/http/emission-routes.ts',
    takeOut: "if (typeof item !== 'object' || item === null) return 'INVALID_REQUEST';",
    putIn: '',
    test: 'test/abuse/fuzz.test.ts',
    name: 'whatever the body',
  },
  {
    defence: 'bodies have a largest size',
    file: 'src/http/json-body.ts',
    takeOut: 'express.json({ limit, ',
    putIn: "express.json({ limit: '100mb', ",
    test: 'test/abuse/request-limits.test.ts',
    name: 'bodies have the sizes that are set',
  },
  {
    defence: 'socket messages have a largest size',
    file: 'src/realtime/create-io.ts',
    takeOut: 'maxHttpBufferSize: options.largestMessageBytes,',
    putIn: 'maxHttpBufferSize: 100 * options.largestMessageBytes,',
    test: 'test/abuse/request-limits.test.ts',
    name: 'a message larger than is set',
  },
  {
    defence: 'catch-ups are counted',
    file: 'src/realtime/gateway.ts',
    takeOut: 'if (!allowed()) {',
    putIn: 'if (!allowed() && !socket.connected) {',
    test: 'test/abuse/request-limits.test.ts',
    name: 'a dashboard has its share of catch-ups',
  },
  {
    defence: 'a company has its share of sockets',
    file: 'src/realtime/limit-sockets.ts',
    takeOut: 'next(connected < perCompany ? undefined : refused());',
    putIn: 'next(connected < Infinity * perCompany ? undefined : refused());',
    test: 'test/abuse/sockets.test.ts',
    name: 'a company has its share of sockets',
  },
  {
    defence: 'an address has its share of connections',
    file: 'src/realtime/limit-sockets.ts',
    takeOut: 'if (others >= perAddress) {',
    putIn: 'if (others >= Infinity * perAddress) {',
    test: 'test/abuse/sockets.test.ts',
    name: 'an address has its share',
  },
  {
    defence: 'socket messages are counted',
    file: 'src/realtime/limit-sockets.ts',
    takeOut: '!services.has(connection) && !isWithin()',
    putIn: 'services.has(connection) && !isWithin()',
    test: 'test/abuse/sockets.test.ts',
    name: 'a dashboard that sends too much',
  },
  {
    defence: 'who does not read is cut off',
    file: 'src/realtime/limit-sockets.ts',
    takeOut: "else if (behind.has(connection)) cut(connection, 'does not read');",
    putIn: '',
    test: 'test/abuse/sockets.test.ts',
    name: 'a client that does not read',
  },
  {
    defence: 'requests of a key are counted',
    file: 'src/http/limit-rate.ts',
    takeOut: 'if (!isAllowed) throw tooMany(`requests by ${name}`, { resetSeconds });',
    putIn: 'if (!isAllowed) res.setHeader(tooMany(name, { resetSeconds }).code, 1);',
    test: 'test/abuse/limits.test.ts',
    name: 'above the rate of its key',
  },
];
