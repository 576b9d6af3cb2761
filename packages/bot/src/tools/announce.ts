import { isNativeError } from 'node:util/types';
import type { MessageFlow } from '../message-flow.ts';
import type { ToolName } from './definitions.ts';

/** A tool handler may wait 50 ms for an emission. The difference allows for late timers in a busy process. */
const WAIT_MS = 40;

/**
 * Starts emissions and waits for each at most {@link WAIT_MS}. Then the emission continues in the background until its own
 * deadline. The booking is already saved, so a failed emission does not fail the tool: the reason is logged, and printed to the
 * console as a warning.
 */
export function createAnnounce(messageFlow: MessageFlow) {
  const inFlight = new Set<Promise<void>>();

  async function emitAndLog(
    tool: ToolName,
    appointmentId: string,
    emit: () => Promise<boolean>,
  ): Promise<void> {
    const logFailure = (reason: string): void => {
      const message = `[${tool}] Failed to emit socket event: ${reason}`;
      messageFlow.log('warn', message, { tool, appointmentId });
      console.warn(`${message} (appointment ${appointmentId})`);
    };
    try {
      if (!(await emit())) logFailure('the emission was not accepted; the message-flow log has the reason');
    } catch (error) {
      logFailure(isNativeError(error) ? error.message : String(error));
    }
  }

  async function announce(
    tool: ToolName,
    appointmentId: string,
    emit: () => Promise<boolean>,
  ): Promise<void> {
    const emission = emitAndLog(tool, appointmentId, emit).finally(() => inFlight.delete(emission));
    inFlight.add(emission);
    await withinMs(emission, WAIT_MS);
  }

  return {
    announce,
    /** Resolves when no emission is in flight. */
    drain: async (): Promise<void> => {
      await Promise.all(inFlight);
    },
  };
}

async function withinMs(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
