import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Proxy {
  port: number;
  /** Address of the proxy, as a URL of the server. */
  url: string;
  /** Holds all requests from the first one that contains `text` until they are released. */
  holdRequestsFrom: (text: string) => void;
  /** Resolves when a request is held. */
  held: Promise<void>;
  releaseRequests: () => void;
  /** Silently drops all data of current connections; new connections work. */
  blackhole: () => void;
  /** Delays every reply. */
  delayReplies: (ms: number) => void;
  close: () => Promise<void>;
}

/** Filter of one connection: maps what a client sends to what is forwarded and what is answered by the proxy. */
export type Intercept = (sent: Buffer) => { pass: Buffer; answer: Buffer };

/** A TCP proxy on 127.0.0.1 that can hold, delay, drop or answer data. */
export async function createProxy(serverUrl: string, intercepts?: () => Intercept): Promise<Proxy> {
  const target = new URL(serverUrl);
  const open = new Set<{ client: Socket; upstream: Socket; swallowing: boolean }>();
  let holdFrom: Buffer | undefined;
  let waiting: (() => void)[] | undefined;
  let delayMs = 0;
  let onHeld: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    onHeld = resolve;
  });

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const pair = { client, upstream, swallowing: false };
    open.add(pair);
    const intercept = intercepts?.();
    client.on('data', (sent) => {
      if (pair.swallowing) return;
      const { pass: bytes, answer } = intercept?.(sent) ?? { pass: sent, answer: Buffer.alloc(0) };
      if (answer.length > 0) client.write(answer);
      if (!waiting && holdFrom && bytes.includes(holdFrom)) {
        waiting = [];
        onHeld();
      }
      const pass = (): void => void upstream.write(bytes);
      if (waiting) waiting.push(pass);
      else pass();
    });
    const late: Buffer[] = [];
    upstream.on('data', (bytes) => {
      if (pair.swallowing) return;
      if (delayMs === 0 && late.length === 0) {
        client.write(bytes);
        return;
      }
      // Keeps the order of the data, whichever timer ends first.
      late.push(bytes);
      setTimeout(() => client.write(late.shift()!), delayMs);
    });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => undefined);
      from.on('close', () => {
        open.delete(pair);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = new URL(serverUrl);
  url.port = String(port);

  return {
    port,
    url: url.href,
    holdRequestsFrom(text) {
      holdFrom = Buffer.from(text);
    },
    held,
    releaseRequests() {
      holdFrom = undefined;
      for (const pass of waiting?.splice(0) ?? []) pass();
      waiting = undefined;
    },
    blackhole() {
      for (const pair of open) pair.swallowing = true;
    },
    delayReplies(ms) {
      delayMs = ms;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const { client, upstream } of open) {
          client.destroy();
          upstream.destroy();
        }
      }),
  };
}
