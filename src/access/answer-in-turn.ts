import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests that may wait on one connection while an earlier one is answered. */
const MAX_WAITING = 100;

type Answer = () => void;

/** The requests of one connection. */
interface RequestQueue {
  isBusy: boolean;
  isCut: boolean;
  /** Each answers one request that has arrived. */
  waiting: Answer[];
}

/**
 * Answers the requests of a connection one by one: the next one starts when the answer before it has left this process.
 * Without this a client that pipelines and does not read makes the server build all its answers: Node parses the 1,800
 * requests that fit into 64 kB before it checks for unsent bytes. While requests wait, nothing more is read from the
 * connection. A client that pipelines more than {@link MAX_WAITING} requests is cut.
 *
 * Call it when all listeners for requests are attached: it takes their place, as Engine.IO does.
 * @param cut ends the connection
 */
export function answerInTurn(server: Server, cut: (socket: Socket) => void): void {
  const listeners = server.listeners('request');
  const lines = new WeakMap<Socket, RequestQueue>();

  function lineOf(socket: Socket): RequestQueue {
    let line = lines.get(socket);
    if (!line) lines.set(socket, (line = { isBusy: false, isCut: false, waiting: [] }));
    return line;
  }

  function end(socket: Socket, line: RequestQueue): void {
    line.isCut = true;
    line.waiting = [];
    cut(socket);
  }

  function enqueue(req: IncomingMessage, res: ServerResponse, answer: Answer): void {
    const { socket } = req;
    const line = lineOf(socket);
    if (line.isCut) return;
    if (!line.isBusy) {
      start(socket, line, res, answer);
      return;
    }
    if (line.waiting.length >= MAX_WAITING) {
      end(socket, line);
      return;
    }
    line.waiting.push(() => {
      start(socket, line, res, answer);
    });
    socket.pause();
  }

  function cutIfBusy({ socket }: IncomingMessage): void {
    const line = lineOf(socket);
    if (line.isBusy) end(socket, line);
  }

  server.removeAllListeners('request');
  server.on('request', (req, res) => {
    enqueue(req, res, () => {
      for (const listener of listeners) listener.call(server, req, res);
    });
  });
  // `Expect` other than 100-continue: Node's own answer, in turn like the others.
  server.on('checkExpectation', (req, res) => {
    enqueue(req, res, () => {
      res.writeHead(417).end();
    });
  });
  // Without a listener Node ignores the header. With one, the connection now carries another protocol: no answer may
  // come in between.
  if (server.listenerCount('upgrade') > 0) server.prependListener('upgrade', cutIfBusy);
}

function start(socket: Socket, line: RequestQueue, res: ServerResponse, answer: Answer): void {
  line.isBusy = true;
  res.once('close', () => {
    line.isBusy = false;
    if (socket.destroyed) line.waiting = [];
    const next = line.waiting.shift();
    if (!next) return;
    // The last one's body may not have arrived yet.
    if (line.waiting.length === 0) socket.resume();
    next();
  });
  answer();
}
