import { APPOINTMENT_DELETED, APPOINTMENT_UPDATED, type Id } from '@appointment-emissions/contracts';
import { createIdSource, EMPTY, type Part } from './parts.ts';
import type { Job } from './programs.ts';
import { appointmentName, type Database } from './state.ts';
import {
  add,
  type Changes,
  type Context,
  databaseOf,
  distinctAppointments,
  partAt,
  plain,
  spend,
} from './step.ts';
import * as change from './transitions.ts';

/** Writes, deletions and emissions without a write. A bot emits right after its write. */
export function addWrites(context: Context): void {
  const { layout } = context;
  const [writes, deletion] = [spend(context, 'writes'), spend(context, 'deletion')];
  const [duplicate, wrongCompany] = [spend(context, 'duplicate'), spend(context, 'wrong-company')];
  const database = databaseOf(context);
  for (const appointmentId of distinctAppointments(context)) {
    const document = database[appointmentId] as Database[Id];
    const { companyId, version, isDeleted } = document;
    const job: Job = { event: APPOINTMENT_UPDATED, appointmentId, companyId };
    const name = appointmentName(appointmentId);
    const written = (changes: Partial<Database[Id]>): Changes => [
      [
        layout.database,
        plain({ ...database, [appointmentId]: { ...document, version: version + 1, ...changes } }),
      ],
    ];
    if (!isDeleted && writes) {
      const changes = [...writes, ...written({}), ...withJob(context, job)];
      add(context, 'possible', `a bot writes version ${version + 1} of ${name} and emits it`, changes);
    }
    if (!isDeleted && deletion) {
      const deleted: Job = { ...job, event: APPOINTMENT_DELETED };
      const changes = [...deletion, ...written({ isDeleted: true }), ...withJob(context, deleted)];
      add(context, 'possible', `a bot deletes ${name} and emits it`, changes);
    }
    if (duplicate) {
      add(context, 'possible', `${name} is emitted again`, [...duplicate, ...withJob(context, job)]);
    }
    for (const { id, name: other } of wrongCompany ? layout.companies : []) {
      if (id === companyId) continue;
      const changes = [...(wrongCompany ?? []), ...withJob(context, { ...job, companyId: id })];
      add(context, 'possible', `${name} is emitted for ${other}, which does not own it`, changes);
    }
  }
}

function withJob({ state, layout }: Context, job: Job): Changes {
  const [jobs] = change.addJob(createIdSource(), partAt(state, layout.jobs), plain(job)) as Part[];
  return [[layout.jobs, jobs ?? EMPTY]];
}
