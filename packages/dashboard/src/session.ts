import { createAlarm } from './timers.ts';
import type { ApiAddress } from './api-address.ts';
import { openConnection, type Connection, type ConnectionEvents } from './connection.ts';
import type { Liveness } from './liveness.ts';
import type { DashboardOptions, Timings } from './options.ts';
import { isTokenAccepted, parseEvent, parsePassed, parsePosition } from './parse.ts';
import type { ReceivedEvent } from './reorder-buffer.ts';
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
  /** Called for each appointment event, before the sequence decides about it. */
  onReceived?: ((event: ReceivedEvent) => void) | undefined;
  /** Called for an appointment event that is malformed or from another publisher. */
  onIgnored: () => void;
  /** Called if the token has another scope than the token before. */
  onOtherScope: (isListCurrent?: boolean) => void;
  onProblem: (error: unknown) => void;
}

export interface SessionEvents {
  /** The connection ended, or could not be opened. `wasSteady`: it had lasted for a while. */
  onEnd: (reason: Error, wasSteady: boolean) => void;
  /** There is a token that expires later, which the server does not take over: the session should be replaced. */
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
 * new token before the current one expires, and sends it to the server.
 */
export function openSession(
  deps: SessionDeps,
  token: string,
  { onEnd, onLaterToken }: SessionEvents,
): LinkSession {
  const { options, address, timings, tokens, sequence, liveness, onChange, onOtherScope } = deps;
  const firstReply = createAlarm();
  let currentToken = token;
  const renewal = createRenewal(deps, {
    connection: () => connection,
    onRenewed(renewed) {
      currentToken = renewed;
    },
    onLaterToken,
  });
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
        if (tokens.accept(token)) onOtherScope();
        sequence.onConnect(position);
        liveness.onConnect();
        firstReply.set(timings.answerMs, () => {
          if (!sequence.joined) sequence.onNoReply();
          onChange();
        });
        renewal.plan();
        onChange();
      },
      onEnd(reason, cause) {
        if (cause !== 'lost') tokens.refuse(currentToken);
        if (cause === 'server') liveness.onServerDisconnect();
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
  onReceived,
  onIgnored,
  onOtherScope,
}: SessionDeps): Pick<ConnectionEvents, 'onEvent' | 'onPosition' | 'onPassed' | 'onAlive'> {
  return {
    onEvent(given) {
      const event = parseEvent(given);
      if (event) {
        onReceived?.(event);
        sequence.onEvent(event);
      } else onIgnored();
      onChange();
    },
    onPosition(given) {
      const update = parsePosition(given);
      if (update) {
        liveness.onPosition();
        if (update.reason === 'scope') onOtherScope();
        else sequence.onPosition(update);
      } else {
        // The reply to a catch-up repeats what this position should have contained.
        sequence.onNoReply();
      }
      onChange();
    },
    onPassed(given) {
      const passed = parsePassed(given);
      if (passed === undefined) return;
      liveness.onPosition();
      sequence.onPassed(passed);
      onChange();
    },
    onAlive(alive) {
      liveness.onAlive(alive);
      onChange();
    },
  };
}

interface RenewalEvents extends Pick<SessionEvents, 'onLaterToken'> {
  connection: () => Connection;
  /** The server uses this token from now on. */
  onRenewed: (token: string) => void;
}

/** Maximum time to wait for the reply to a new token. An older server does not reply. */
const MAX_TOKEN_REPLY_MS = 5_000;
/** The reply is awaited for at most about half of the time that is left when a token is renewed. */
const TOKEN_REPLY_SHARE = 0.05;

/**
 * Requests a new token before the current one expires, since the server disconnects the socket at its expiry, and sends it to the
 * server. If the server does not take it over, `onLaterToken` is called.
 */
function createRenewal(
  { timings, tokens, random, onProblem }: SessionDeps,
  { connection, onRenewed, onLaterToken }: RenewalEvents,
) {
  const alarm = createAlarm();
  let hasEnded = false;
  let replyMs = MAX_TOKEN_REPLY_MS;

  function plan(): void {
    const delayMs = tokens.renewalDelayMs();
    if (delayMs === undefined || hasEnded) return;
    replyMs = Math.min(MAX_TOKEN_REPLY_MS, timings.answerMs, delayMs * TOKEN_REPLY_SHARE);
    alarm.set(delayMs * (0.95 + 0.05 * random()), () => void renew());
  }

  async function renew(): Promise<void> {
    let isLater = false;
    try {
      isLater = await tokens.renew();
    } catch (error) {
      onProblem(error);
    }
    const isTakenOver = !isLater || hasEnded || (await sendToken());
    if (hasEnded) return;
    if (isTakenOver) plan();
    else onLaterToken();
  }

  /** Resolves to true if the server uses the new token from now on. */
  async function sendToken(): Promise<boolean> {
    try {
      const token = await tokens.current();
      if (!isTokenAccepted(await connection().renewToken(token, replyMs))) return false;
      // If its scope is another one, the server sends a position that says so.
      tokens.accept(token);
      onRenewed(token);
      return true;
    } catch {
      return false;
    }
  }

  return {
    plan,
    end(): void {
      hasEnded = true;
      alarm.clear();
    },
  };
}
