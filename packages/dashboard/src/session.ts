import { createAlarm } from './timers.ts';
import type { ApiAddress } from './api-address.ts';
import { openConnection, type Connection, type ConnectionEvents } from './connection.ts';
import type { Liveness } from './liveness.ts';
import type { DashboardOptions, Timings } from './options.ts';
import { parseEvent, parsePosition } from './parse.ts';
import type { Sequence } from './sequence.ts';
import type { Tokens } from './tokens.ts';

export interface SessionDeps {
  options: DashboardOptions;
  address: ApiAddress;
  timings: Timings;
  random: () => number;
  tokens: Tokens;
  sequence: Sequence;
  liveness: Liveness;
  /** Called after each step that may have changed the sequence. */
  onChange: () => void;
  /** Called for an appointment event that is malformed or from another publisher. */
  onIgnored: () => void;
  onProblem: (error: unknown) => void;
}

export interface SessionEvents {
  /** The connection ended, or could not be opened. `wasSteady`: it had lasted for a while. */
  onEnd: (reason: Error, wasSteady: boolean) => void;
  /** There is a token that expires later, so the session should be replaced by one with that token. */
  onLaterToken: () => void;
}

/** One connection from its handshake to its end. */
export interface LinkSession {
  readonly connection: Connection;
  /** Closes the connection and stops all timers. No event is called after it. */
  end: () => void;
}

/**
 * Opens a connection with a token and the stream position reached so far, and passes what arrives to the sequence. It requests a
 * new token before the current one expires.
 */
export function openSession(
  deps: SessionDeps,
  token: string,
  { onEnd, onLaterToken }: SessionEvents,
): LinkSession {
  const { options, address, timings, tokens, sequence, liveness, onChange } = deps;
  const firstReply = createAlarm();
  const renewal = createRenewal(deps, onLaterToken);
  const position = sequence.position && { ...sequence.position };
  let connectedAt: number | undefined;

  const connection = openConnection(
    { ...address, socketOptions: options.socketOptions },
    { token, positions: true, ...(position && { position }) },
    timings.handshakeMs,
    {
      ...messageEvents(deps),
      onConnect() {
        connectedAt = performance.now();
        tokens.accept(token);
        sequence.onConnect(position);
        liveness.onConnect();
        firstReply.set(timings.answerMs, () => {
          if (!sequence.joined) sequence.onNoReply();
          onChange();
        });
        renewal.plan();
        onChange();
      },
      onEnd(reason, refused) {
        if (refused) tokens.refuse(token);
        onEnd(reason, connectedAt !== undefined && performance.now() - connectedAt >= timings.steadyMs);
      },
    },
  );

  return {
    connection,
    end() {
      connection.drop();
      firstReply.clear();
      renewal.end();
      sequence.onDisconnect();
      liveness.onDisconnect();
    },
  };
}

/** Checks the server's messages and passes them to the sequence. */
function messageEvents({
  sequence,
  liveness,
  onChange,
  onIgnored,
}: SessionDeps): Pick<ConnectionEvents, 'onEvent' | 'onPosition' | 'onAlive'> {
  return {
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
  };
}

/** Requests a new token before the current one expires, since the server disconnects the socket at its expiry. */
function createRenewal({ tokens, random, onProblem }: SessionDeps, onLaterToken: () => void) {
  const alarm = createAlarm();
  let hasEnded = false;

  function plan(): void {
    const delayMs = tokens.renewalDelayMs();
    if (delayMs === undefined || hasEnded) return;
    alarm.set(delayMs * (0.95 + 0.05 * random()), () => void renew());
  }

  async function renew(): Promise<void> {
    let isLater = false;
    try {
      isLater = await tokens.renew();
    } catch (error) {
      onProblem(error);
    }
    if (hasEnded) return;
    if (isLater) onLaterToken();
    else plan();
  }

  return {
    plan,
    end(): void {
      hasEnded = true;
      alarm.clear();
    },
  };
}
