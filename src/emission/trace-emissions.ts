import { emissionAttributes, type OpenSpan, type Tracing } from '@appointment-emissions/contracts';
import { errorCode } from '../errors.ts';
import type { EmissionAttempt } from './emit-appointment.ts';
import type { Published } from './publish.ts';
import type { ReadSnapshots } from './read-snapshots.ts';

/** Reports the publication of an emission. */
export interface PublishTrace {
  /** The context that the message carries; undefined if the trace is not sampled. */
  traceparent: string | undefined;
  /** Ends the span. @param published  undefined if the order token had changed, so that the appointment is read again */
  end: (published: Published | undefined) => void;
  fail: (error: unknown) => void;
}

/**
 * Begins to report a publication.
 * @param read  context of the read that the emission shared with others
 */
export type TracePublish = (attempt: EmissionAttempt, read: string | undefined) => PublishTrace | undefined;

/**
 * Reports each read for emissions that have a trace. The read of a batch is a trace with links to those of its emissions; the
 * publication of each emission has a link back to it.
 */
export function traceReads(readSnapshots: ReadSnapshots, tracing: Tracing): ReadSnapshots {
  return async (requests) => {
    const traced = requests.flatMap(({ traceparent }) => traceparent ?? []);
    if (traced.length === 0) return readSnapshots(requests);
    const isShared = requests.length > 1;
    const span = tracing.start('read', {
      kind: 'internal',
      ...(isShared ? { parent: null, links: traced } : { parent: traced[0] }),
      attributes: { 'emission.count': requests.length },
    });
    try {
      const read = await span.run(() => readSnapshots(requests));
      span.end();
      return isShared ? { ...read, traceparent: span.traceparent } : read;
    } catch (error) {
      span.fail(errorCode(error));
      throw error;
    }
  };
}

export function createTracePublish(tracing: Tracing): TracePublish {
  return (attempt, read) => {
    if (attempt.traceparent === undefined) return undefined;
    const span: OpenSpan = tracing.start('publish', {
      kind: 'producer',
      parent: attempt.traceparent,
      links: [read],
      attributes: { ...emissionAttributes(attempt), 'emission.attempt': attempt.attempt },
    });
    return {
      traceparent: span.isRecording ? span.traceparent : undefined,
      end(published) {
        span.end({
          'emission.lost': published === undefined,
          'emission.offset': published?.offset,
          'emission.gateways': published?.gateways ?? undefined,
        });
      },
      fail(error) {
        span.fail(errorCode(error));
      },
    };
  };
}
