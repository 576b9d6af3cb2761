import { setImmediate as immediate, setTimeout as pause } from 'node:timers/promises';
import type { AcquireLease, Lease } from '../redis/lease.ts';
import {
  type Change,
  type Changes,
  type EndReason,
  NoChangeStreams,
  type OpenChanges,
  StreamEnded,
} from '../domain/changes.ts';
import { bufferChanges, type ChangeBuffer } from './change-buffer.ts';
import type { Captured, EmitCaptured } from './emit-captured.ts';

export interface CaptureDeps {
  acquireLease: AcquireLease;
  /** Key of the hash with the resume token. */
  tokenKey: string;
  openChanges: OpenChanges;
  emitCaptured: EmitCaptured;
  /** A writer's own call within this time after the change was read makes an emission unnecessary. */
  graceMs: number;
  /** A third of the lease's lifetime or less. */
  renewEveryMs: number;
  /** Number of jobs that wait. */
  backlog: () => Promise<number>;
  on: CaptureEvents;
}

export interface CaptureEvents {
  /** Another process reads the stream. */
  waits: () => void;
  /** This process reads the stream now, or no longer. */
  follows: (isOwner: boolean) => void;
  /** Changes were compared with what was published, and those that were missing were enqueued. */
  captured: (changes: readonly Change[], captured: Captured) => void;
  /** The saved resume token advanced. Called neither for a renewal of the lease nor for the same token. */
  advanced: () => void;
  /** The stream begins now instead of at a saved token. The sweep finds the writes between. */
  restarted: (reason: EndReason) => void;
  /** The saved resume token cannot be parsed. `restarted` follows when the stream is open. */
  damaged: () => void;
  /** @param error  NoChangeStreams, or an error of MongoDB or Redis. The capture continues when they answer. */
  failed: (error: unknown) => void;
}

export interface Capture {
  close: () => Promise<void>;
}

/** Time until the next attempt to become the owner, or to open the stream after an error. */
const RETRY_MS = 1_000;
const RETRY_UNSUPPORTED_MS = 60_000;
/** Changes that are read before the first of them is processed. */
const MAX_BUFFERED = 1_000;
/** Changes that are compared at once. A full batch means that the stream is behind. */
const BATCH = 100;
/** Above this no further change is processed: the queues must not fill up. */
const MAX_BACKLOG = 1_000;

/**
 * Reads the change stream in one process at a time, and emits the writes that were not announced. The resume token is saved
 * under the lease, after the emissions of the changes before it were enqueued: a process that is killed loses no change,
 * and one that was frozen cannot move the token back.
 */
export function startCapture(deps: CaptureDeps): Capture {
  const ending = new AbortController();
  const { signal } = ending;
  const wait = (ms: number) => pause(ms, undefined, { signal }).catch(() => undefined);

  async function run(): Promise<void> {
    while (!signal.aborted) {
      let retryMs = RETRY_MS;
      try {
        const lease = await deps.acquireLease();
        if (lease) await ownAndRelease(deps, lease, signal);
        else deps.on.waits();
      } catch (error) {
        if (!ending.signal.aborted) deps.on.failed(error);
        if (error instanceof NoChangeStreams) retryMs = RETRY_UNSUPPORTED_MS;
      }
      await wait(retryMs);
    }
  }

  const running = run();
  return {
    async close() {
      ending.abort();
      await running;
    },
  };
}

/** An owner that fails lets another worker try: perhaps only this one cannot reach MongoDB. */
async function ownAndRelease(deps: CaptureDeps, lease: Lease, signal: AbortSignal): Promise<void> {
  try {
    await ownStream(deps, lease, signal);
  } catch (error) {
    await lease.release().catch(() => undefined);
    throw error;
  }
}

/** Follows the stream from the saved token until the lease is lost, the process ends, or an error. */
async function ownStream(deps: CaptureDeps, lease: Lease, signal: AbortSignal): Promise<void> {
  const { changes, restart, resumeToken } = openOrRestart(deps, await lease.load(deps.tokenKey));
  const buffer = bufferChanges(changes, MAX_BUFFERED);
  signal.addEventListener('abort', buffer.wake);
  try {
    await follow(deps, { lease, changes, restart, resumeToken, buffer, signal });
    if (signal.aborted) await lease.release();
  } catch (error) {
    if (!(error instanceof StreamEnded)) throw error;
    if (await lease.save(deps.tokenKey, { resumeToken: '' })) deps.on.restarted(error.reason);
  } finally {
    signal.removeEventListener('abort', buffer.wake);
    buffer.close();
    deps.on.follows(false);
    await changes.close().catch(() => undefined);
  }
}

/**
 * Opens the stream at the saved token, or now if there is none that can be parsed.
 * @param kept  fields of the hash; `undefined` if the key has another type. An empty token was left by a restart.
 */
function openOrRestart(
  { openChanges, on }: CaptureDeps,
  kept: Readonly<Record<string, string>> | undefined,
): Pick<Stream, 'changes' | 'restart' | 'resumeToken'> {
  const resumeToken = kept?.['resumeToken'];
  const openNow = (restart: EndReason | undefined) => ({
    changes: openChanges(undefined),
    restart,
    resumeToken: undefined,
  });
  if (kept && !resumeToken) return openNow(resumeToken === undefined ? 'missing' : undefined);
  try {
    if (resumeToken) return { changes: openChanges(resumeToken), restart: undefined, resumeToken };
  } catch (error) {
    if (!(error instanceof StreamEnded)) throw error;
  }
  on.damaged();
  return openNow('token');
}

interface Stream {
  lease: Lease;
  changes: Changes;
  /** Why the stream begins now, if that was not reported when the stream before it ended. */
  restart: EndReason | undefined;
  /** The saved token that the stream begins at. */
  resumeToken: string | undefined;
  buffer: ChangeBuffer;
  signal: AbortSignal;
}

async function follow(deps: CaptureDeps, stream: Stream): Promise<void> {
  const { lease, changes, restart, buffer, signal } = stream;
  const { tokenKey, graceMs, renewEveryMs, on } = deps;
  let renewedAt = -Infinity;
  const firstSave = { isDue: false };
  let saved = stream.resumeToken;
  const save = async (resumeToken: string | undefined) => {
    const isNew = resumeToken !== undefined && resumeToken !== saved;
    const isKept = await (isNew ? lease.save(tokenKey, { resumeToken }) : lease.renew());
    if (!isKept) return false;
    renewedAt = performance.now();
    if (isNew) {
      saved = resumeToken;
      on.advanced();
    }
    return true;
  };

  void changes.opened.then(() => {
    if (buffer.isClosed()) return;
    on.follows(true);
    if (restart) on.restarted(restart);
    // The first token is saved at once: from then on no change is missed.
    firstSave.isDue = true;
    buffer.wake();
  });
  while (!signal.aborted) {
    const due = buffer.takeDue(graceMs, BATCH);
    const last = due.at(-1);
    if (last) {
      const isBehind = due.length === BATCH;
      const emitting = deps.emitCaptured(due, { isLive: !isBehind, signal });
      on.captured(due, await whileRenewing(lease, renewEveryMs, emitting));
      if (!(await save(last.resumeToken))) return;
      if (isBehind && !(await untilQueueIsShort(deps, lease, signal))) return;
    } else if (firstSave.isDue || performance.now() - renewedAt >= renewEveryMs) {
      firstSave.isDue = false;
      // The driver moves its token before a change reaches the buffer: that takes until the end of this event loop turn.
      await immediate();
      // With changes in the buffer the stream's own token is ahead of what was processed.
      if (!(await save(buffer.isEmpty() ? changes.resumeToken() : undefined))) return;
    } else {
      await buffer.untilDue(graceMs, renewEveryMs);
    }
  }
}

/** Renews the lease until `work` settles. A batch that takes longer than the lease would otherwise begin again for ever. */
async function whileRenewing<T>(lease: Lease, everyMs: number, work: Promise<T>): Promise<T> {
  const timer = setInterval(() => void lease.renew().catch(() => undefined), everyMs);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}

/** Resolves to false if the lease was lost. */
async function untilQueueIsShort(
  { backlog, renewEveryMs }: CaptureDeps,
  lease: Lease,
  signal: AbortSignal,
): Promise<boolean> {
  while (!signal.aborted && (await backlog()) > MAX_BACKLOG) {
    if (!(await lease.renew())) return false;
    await pause(Math.min(RETRY_MS, renewEveryMs));
  }
  return true;
}
