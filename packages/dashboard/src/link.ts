import { createAlarm } from './alarm.ts';
import type { ApiAddress } from './api-address.ts';
import { createBackoff } from './backoff.ts';
import { openConnection, type Connection } from './connection.ts';
import type { Liveness } from './liveness.ts';
import type { DashboardOptions, Timings } from './options.ts';
import { parseEvent, parsePosition } from './parse.ts';
import type { Sequence } from './sequence.ts';
import type { Tokens } from './tokens.ts';

export interface LinkDeps {
  options: DashboardOptions;
  address: ApiAddress;
  timings: Timings;
  random: () => number;
  tokens: Tokens;
  sequence: Sequence;
  liveness: Liveness;
  /** Called after each step that may have changed the sequence. */
  onChange: () => void;
  /** An appointment event could not be understood, or is another publisher's. */
  onIgnored: () => void;
  onProblem: (error: unknown) => void;
}

/**
 * Keeps one connection to the server open. It reconnects with backoff, and before the token expires. Each handshake sends
 * a valid token and the stream position reached so far.
 */
export function createLink(deps: LinkDeps) {
  const { options, address, timings, random, tokens, sequence, liveness, onChange, onIgnored, onProblem } =
    deps;
  const backoff = createBackoff({
    firstMs: timings.reconnectMs,
    longestMs: timings.longestReconnectMs,
    random,
  });
  const again = createAlarm();
  const renewal = createAlarm();
  const answer = createAlarm();
  let connection: Connection | undefined;
  let closed = false;

  async function open(): Promise<void> {
    try {
      const token = await tokens.current();
      if (!closed) connect(token);
    } catch (error) {
      onProblem(error);
      retry();
    }
  }

  function retry(): void {
    if (!closed) again.set(backoff.nextMs(), () => void open());
  }

  function connect(token: string): void {
    const position = sequence.position && { ...sequence.position };
    let connectedAt: number | undefined;
    connection = openConnection(
      { ...address, socketOptions: options.socketOptions },
      { token, ...(position && { position }) },
      timings.handshakeMs,
      {
        onConnect() {
          connectedAt = performance.now();
          tokens.accept(token);
          sequence.onConnect(position);
          liveness.onConnect();
          answer.set(timings.answerMs, () => {
            if (!sequence.joined) sequence.onNoReply();
            onChange();
          });
          planRenewal();
          onChange();
        },
        onEvent(given) {
          const event = parseEvent(given);
          if (event) sequence.onEvent(event);
          else onIgnored();
          onChange();
        },
        onPosition(given) {
          const update = parsePosition(given);
          if (update) {
            liveness.onPosition();
            sequence.onPosition(update);
          } else {
            // The reply to a catch-up repeats what this position should have contained.
            sequence.onNoReply();
          }
          onChange();
        },
        onAlive(alive) {
          liveness.onAlive(alive);
          onChange();
        },
        onEnd(reason, refused) {
          if (refused) tokens.refuse(token);
          if (connectedAt !== undefined && performance.now() - connectedAt >= timings.steadyMs)
            backoff.reset();
          onEnded();
          onProblem(reason);
          retry();
        },
      },
    );
  }

  function onEnded(): void {
    connection = undefined;
    renewal.clear();
    answer.clear();
    sequence.onDisconnect();
    liveness.onDisconnect();
    onChange();
  }

  /** Replaces the token before it expires, since the server disconnects the socket at its expiry. */
  function planRenewal(): void {
    const delayMs = tokens.renewalDelayMs();
    if (delayMs === undefined) return;
    renewal.set(delayMs * (0.95 + 0.05 * random()), () => {
      const used = connection;
      tokens.renew().then(
        (later) => {
          if (closed || used === undefined || used !== connection) return;
          if (later) reopen();
          else planRenewal();
        },
        (error: unknown) => {
          onProblem(error);
          if (used === connection && !closed) planRenewal();
        },
      );
    });
  }

  function reopen(): void {
    connection?.drop();
    onEnded();
    void open();
  }

  return {
    open: () => void open(),
    get connection() {
      return connection;
    },
    close(): void {
      closed = true;
      again.clear();
      connection?.drop();
      onEnded();
    },
  };
}
