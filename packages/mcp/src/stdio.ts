import type { Readable, Writable } from 'node:stream';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { createServerFactory } from './protocol.ts';
import type { McpTools } from './tools.ts';

/** A longer message ends the connection. */
const MAX_MESSAGE_BYTES = 1_048_576;

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

/** `serveStdio` does not report the end of a connection. */
class ReportingTransport extends StdioServerTransport {
  #reportEnd: () => void = () => undefined;
  readonly ended = new Promise<void>((resolve) => {
    this.#reportEnd = resolve;
  });

  override async close(): Promise<void> {
    await super.close();
    this.#reportEnd();
  }
}
