import { connect } from 'node:net';

const REPLY_WITHIN_MS = 1_000;

/**
 * Whether the process `pid` serves Redis, or is a Sentinel, on this port of 127.0.0.1 and has loaded its data. Another
 * server on the same port does not count.
 */
export function isRedisReady(port: number, pid: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const end = (isReady: boolean): void => {
      socket.destroy();
      resolve(isReady);
    };
    let reply = '';
    socket.setTimeout(REPLY_WITHIN_MS, () => {
      end(false);
    });
    for (const event of ['error', 'close'])
      socket.once(event, () => {
        end(false);
      });
    socket.once('connect', () => socket.write('INFO server\r\nPING\r\n'));
    socket.on('data', (chunk: Buffer) => {
      reply += chunk.toString('latin1');
      if (reply.includes('-LOADING')) end(false);
      else if (reply.endsWith('+PONG\r\n')) end(reply.includes(`process_id:${pid}\r\n`));
    });
  });
}
