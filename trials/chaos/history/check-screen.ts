import type { Id } from '@appointment-emissions/contracts';

/** One snapshot that a screen showed. */
export interface ScreenLine {
  /** Company of the screen, and of the appointment. */
  companyId: Id;
  owner: Id;
  appointmentId: Id;
  version: number;
  /** The emission that carried it, or `list`. */
  origin: string;
}

export interface ScreenViolation {
  kind: 'company' | 'back';
  what: string;
}

/** Checks what one screen shows, in the order of time. It keeps one number for each appointment. */
export function createScreenCheck(screen: string) {
  const newest = new Map<Id, number>();
  return {
    /** The version of each appointment that the screen shows now. */
    newest: newest as ReadonlyMap<Id, number>,
    /** The violations of this line. */
    check({ companyId, owner, appointmentId, version, origin }: ScreenLine): ScreenViolation[] {
      const found: ScreenViolation[] = [];
      if (owner !== companyId)
        found.push({ kind: 'company', what: `${screen} showed an appointment of another company` });
      const before = newest.get(appointmentId) ?? 0;
      if (!(version >= before)) {
        const what = `${screen} went back from version ${before} to ${version} of ${appointmentId}, by ${origin}`;
        found.push({ kind: 'back', what });
      }
      newest.set(appointmentId, version);
      return found;
    },
  };
}
