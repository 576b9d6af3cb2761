import type {
  AppointmentList,
  AppointmentSnapshot,
  Id,
  StreamPosition,
} from '@appointment-emissions/contracts';
import type { TakeSnapshots } from '../../domain/company-log.ts';
import { isInScope, scopeFieldsOf, type ViewerScope, withoutHidden } from '../../domain/scope.ts';
import { AppError } from '../../errors.ts';
import type { CompanyRange } from './dashboard-routes.ts';

export interface ListDeps {
  head: (companyId: Id) => Promise<StreamPosition>;
  findIds: (request: CompanyRange, limit: number) => Promise<Id[]>;
  takeSnapshots: TakeSnapshots;
}

const MAX_LIST_LENGTH = 5_000;
const TRIES = 3;

/**
 * A list of confirmed snapshots. The snapshots that were read decide what is in the viewer's scope. The list's position is the
 * head before the ids were found: later emissions are replayed or sent live to a dashboard that connects with this position,
 * so none is missed between list and events.
 */
export function createListAppointments({ head, findIds, takeSnapshots }: ListDeps) {
  return async (request: CompanyRange): Promise<AppointmentList> => {
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const place = await head(request.companyId);
      const ids = await findIds(request, MAX_LIST_LENGTH + 1);
      if (ids.length > MAX_LIST_LENGTH) {
        throw new AppError(
          'INVALID_RANGE',
          `more than ${MAX_LIST_LENGTH} appointments: request a shorter range`,
        );
      }
      const taken = await takeSnapshots(request.companyId, ids);
      const rows = [...taken.values()];
      if (rows.some(({ epoch }) => epoch !== place.epoch)) continue;
      // One that was deleted, or moved out of the scope, after its id was found is left out.
      const appointments = rows.flatMap(({ appointment, offset, read }) => {
        const visible = appointment && visibleTo(request.scope, appointment);
        return visible ? [{ appointment: visible, offset, read }] : [];
      });
      return { ...place, appointments };
    }
    throw new AppError('QUEUE_UNAVAILABLE', 'Redis was restarted during the request; retry', {
      retryAfterSeconds: 1,
    });
  };
}

function visibleTo(
  scope: ViewerScope | undefined,
  appointment: AppointmentSnapshot,
): AppointmentSnapshot | undefined {
  if (!scope) return appointment;
  return isInScope(scope, scopeFieldsOf(appointment)) ? withoutHidden(appointment, scope) : undefined;
}
