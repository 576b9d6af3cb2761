import type { Id } from '@appointment-emissions/contracts';
import type { ReadLink } from '../../domain/read-link.ts';
import type { ScopeFields } from '../../domain/scope.ts';

export interface FormerFields {
  /**
   * Returns the fields of the confirmed snapshot before this one, and keeps this one's. Undefined if that snapshot is unknown:
   * for example if a list or a replay has shown the appointment since the last message.
   */
  replace: (appointmentId: Id, next: PublishedFields) => ScopeFields | null | undefined;
}

export interface PublishedFields {
  epoch: string;
  /** Undefined if the worker has sent none. */
  link: ReadLink | undefined;
  /** Null if the appointment was deleted. */
  fields: ScopeFields | null;
}

/**
 * Keeps by which fields an appointment was last in a scope or out of it. Order tokens show whether a message of this gateway
 * carried the last confirmed snapshot: an order token of another epoch may have been restored by Redis, so it shows nothing.
 */
export function createFormerFields(max: number): FormerFields {
  /** The longest unchanged first. */
  const kept = new Map<Id, { epoch: string; readId: string; fields: ScopeFields | null }>();
  return {
    replace(appointmentId, { epoch, link, fields }) {
      const former = kept.get(appointmentId);
      kept.delete(appointmentId);
      if (!link) return undefined;
      kept.set(appointmentId, { epoch, readId: link.readId, fields });
      if (kept.size > max) kept.delete(kept.keys().next().value ?? '');
      const isLast = former?.readId === link.claimedToken || former?.readId === link.readId;
      return former && isLast && former.epoch === epoch ? former.fields : undefined;
    },
  };
}
