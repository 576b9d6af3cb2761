import type { Readable, Writable } from 'node:stream';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { createServerFactory } from './protocol.ts';
import type { McpTools } from './tools.ts';

/** A longer message ends the connection. */
const MAX_MESSAGE_BYTES = 1_048_576;
/** How long replies to running requests are awaited after the end of standard input. */
const MAX_REPLY_WAIT_MS = 9_000;
/** It has no reply while the subscription lasts. */
const SUBSCRIBE = 'subscriptions/listen';

export interface McpStdioServerOptions {
  tools: McpTools;
  stdin: Readable;
  /** Receives the messages of the protocol, and nothing else. */
  stdout: Writable;
  onError: (error: unknown) => void;
}

export interface McpStdioServer {
  /** Resolves when the client has closed the connection, or `close` was called. */
  ended: Promise<void>;
  close: () => Promise<void>;
}

/** Serves the tools to the process that reads `stdout` and writes to `stdin`. */
export function startStdioServer({ tools, stdin, stdout, onError }: McpStdioServerOptions): McpStdioServer {
  const transport = new ReportingTransport(stdin, stdout, { maxBufferSize: MAX_MESSAGE_BYTES });
  const handle = serveStdio(createServerFactory(tools), { transport, onerror: onError });
  return { ended: transport.ended, close: () => handle.close() };
}

/**
 * Reports the end of a connection, which `serveStdio` does not. If the client ends standard input, replies to running requests are
 * still sent, and then the connection ends. The SDK's transport would drop them.
 */
class ReportingTransport extends StdioServerTransport {
  readonly #running = new Set<RequestId>();
  #isInputEnded = false;
  #timer: NodeJS.Timeout | undefined;
  #reportEnd: () => void = () => undefined;
  readonly ended = new Promise<void>((resolve) => {
    this.#reportEnd = resolve;
  });

  /** The SDK calls it if standard input ends, and again if it closes. */
  override _onstdinclose = (): void => {
    if (this.#isInputEnded) return;
    this.#isInputEnded = true;
    this.#timer = setTimeout(() => void this.close(), MAX_REPLY_WAIT_MS);
    this.#closeIfDone();
  };

  override async start(): Promise<void> {
    const deliver = this.onmessage;
    this.onmessage = (message) => {
      this.#track(message);
      deliver?.(message);
      this.#closeIfDone();
    };
    await super.start();
  }

  override async send(message: JSONRPCMessage): Promise<void> {
    try {
      await super.send(message);
    } finally {
      if (!('method' in message) && message.id !== undefined) this.#running.delete(message.id);
      this.#closeIfDone();
    }
  }

  override async close(): Promise<void> {
    clearTimeout(this.#timer);
    await super.close();
    this.#reportEnd();
  }

  #track(message: JSONRPCMessage): void {
    if (!('method' in message)) return;
    if ('id' in message) {
      if (message.method !== SUBSCRIBE) this.#running.add(message.id);
    } else if (message.method === 'notifications/cancelled') {
      this.#running.delete(message.params?.['requestId'] as RequestId);
    }
  }

  #closeIfDone(): void {
    if (this.#isInputEnded && this.#running.size === 0) void this.close();
  }
}
