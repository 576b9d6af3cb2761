import { isNativeError } from 'node:util/types';
import type { MessageFlowLogger } from '../message-flow.ts';
import type { ToolName } from './definitions.ts';

/** A customer waits 50 ms at most for a dashboard: this, and what a timer is late by in a busy process. */
const WAIT_MS = 40;

/**
 * Starts an emission and waits for it briefly; then it goes on in the background, until its own deadline. The
 * booking is saved by then: whatever becomes of the emission is only logged.
 */
export function createAnnounce(logger: MessageFlowLogger) {
  const underWay = new Set<Promise<void>>();

  async function watch(tool: ToolName, appointmentId: string, emit: () => Promise<boolean>): Promise<void> {
    const failed = (reason: string): void => {
      logger.messageFlow('warn', `[${tool}] Failed to emit socket event: ${reason}`, { tool, appointmentId });
    };
    try {
      if (!(await emit())) failed('the backend did not accept it');
    } catch (error) {
      failed(isNativeError(error) ? error.message : String(error));
    }
  }

  async function announce(
    tool: ToolName,
    appointmentId: string,
    emit: () => Promise<boolean>,
  ): Promise<void> {
    const emission = watch(tool, appointmentId, emit).finally(() => underWay.delete(emission));
    underWay.add(emission);
    await withinMs(emission, WAIT_MS);
  }

  return {
    announce,
    /** Resolves when no emission is under way any more. */
    drain: async (): Promise<void> => {
      await Promise.all(underWay);
    },
  };
}

async function withinMs(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
