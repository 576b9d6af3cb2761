import { connect } from 'node:net';

const ANSWER_WITHIN_MS = 1_000;

/**
 * Whether the process `pid` serves Redis on this port of 127.0.0.1 and has its data loaded.
 * @param {number} port
 * @param {number} pid  another server on the port must not be taken for ours
 * @returns {Promise<boolean>}
 */
export function isRedisReady(port, pid) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const end = (/** @type {boolean} */ ready) => {
      socket.destroy();
      resolve(ready);
    };
    let reply = '';
    socket.setTimeout(ANSWER_WITHIN_MS, () => end(false));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
    socket.once('connect', () => socket.write('INFO server\r\nPING\r\n'));
    socket.on('data', (chunk) => {
      reply += chunk.toString('latin1');
      if (reply.includes('-LOADING')) end(false);
      else if (reply.endsWith('+PONG\r\n')) end(reply.includes(`process_id:${pid}\r\n`));
    });
  });
}
