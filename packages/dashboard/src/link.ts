import { createAlarm, createBackoff } from './timers.ts';
import { openSession, type LinkSession, type SessionDeps } from './session.ts';

/** Keeps one session with the server open: reconnects with backoff, and with a new token before the current one expires. */
export function createLink(deps: SessionDeps) {
  const { random, tokens, onChange, onProblem } = deps;
  const { reconnectMs, longestReconnectMs } = deps.timings;
  const backoff = createBackoff({ firstMs: reconnectMs, longestMs: longestReconnectMs, random });
  const retry = createAlarm();
  let session: LinkSession | undefined;
  let isOpened = false;
  let isClosed = false;

  async function open(): Promise<void> {
    try {
      const token = await tokens.current();
      if (!isClosed) session = openSession(deps, token, { onEnd, onLaterToken: replaceSession });
    } catch (error) {
      onProblem(error);
      scheduleRetry();
    }
  }

  function scheduleRetry(): void {
    if (!isClosed) retry.set(backoff.nextMs(), () => void open());
  }

  function endSession(): void {
    const ended = session;
    session = undefined;
    ended?.end();
    onChange();
  }

  function onEnd(reason: Error, wasSteady: boolean): void {
    if (wasSteady) backoff.reset();
    endSession();
    onProblem(reason);
    scheduleRetry();
  }

  function replaceSession(): void {
    endSession();
    void open();
  }

  return {
    /** Opens the first session. Later calls have no effect. */
    open(): void {
      if (isOpened) return;
      isOpened = true;
      void open();
    },
    get connection() {
      return session?.connection;
    },
    close(): void {
      isClosed = true;
      retry.clear();
      endSession();
    },
  };
}
