import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export type Direction = 'requests' | 'replies';

/** A network link between one process and one server, as a TCP proxy on a port of its own. */
export interface Link {
  port: number;
  /** Stops the data of one direction for some time. Then it arrives: TCP repeats what was lost. */
  partition: (direction: Direction, ms: number) => Promise<void>;
  /** Delays all data for some time. @param delayMs  returns the next delay */
  slow: (delayMs: () => number, ms: number) => Promise<void>;
  /** Ends the connections at one end only. The other end receives no more data, and nobody tells it. Returns their number. */
  halfOpen: (goneEnd: 'process' | 'server') => number;
  close: () => Promise<void>;
}

interface Line {
  process: Socket;
  server: Socket;
  isHalfOpen: boolean;
}

export async function createLink(serverPort: number): Promise<Link> {
  const open = new Set<Line>();
  /** While one is set, the data of that direction waits for it. */
  const obstacles: Partial<Record<Direction, (() => Promise<unknown>) | undefined>> = {};

  function forward(line: Line, from: Socket, to: Socket, direction: Direction): void {
    from.setNoDelay(true);
    from.on('data', (bytes) => {
      if (line.isHalfOpen) return;
      const obstacle = obstacles[direction];
      if (!obstacle) {
        to.write(bytes);
        return;
      }
      from.pause();
      void obstacle().then(() => {
        if (!line.isHalfOpen) to.write(bytes);
        from.resume();
      });
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      open.delete(line);
      if (!line.isHalfOpen) to.destroy();
    });
  }
  const listener = createServer((process) => {
    const line = { process, server: connect(serverPort, '127.0.0.1'), isHalfOpen: false };
    open.add(line);
    forward(line, process, line.server, 'requests');
    forward(line, line.server, process, 'replies');
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));

  return {
    port: (listener.address() as AddressInfo).port,
    async partition(direction, ms) {
      const over = pause(ms);
      obstacles[direction] = () => over;
      await over;
      obstacles[direction] = undefined;
    },
    async slow(delayMs, ms) {
      const delay = () => pause(delayMs());
      Object.assign(obstacles, { requests: delay, replies: delay });
      await pause(ms);
      Object.assign(obstacles, { requests: undefined, replies: undefined });
    },
    halfOpen(goneEnd) {
      const lines = [...open];
      for (const line of lines) {
        line.isHalfOpen = true;
        line[goneEnd].destroy();
      }
      return lines.length;
    },
    close: () =>
      new Promise((resolve) => {
        listener.close(() => {
          resolve();
        });
        for (const line of open) for (const end of [line.process, line.server]) end.destroy();
      }),
  };
}
