import { createIdSource, EMPTY, type Part } from './parts.ts';
import { appointmentName, type CompanySlots, valueOf } from './state.ts';
import {
  add,
  type Changes,
  type Context,
  distinctAppointments,
  isEmpty,
  partAt,
  plain,
  spend,
} from './step.ts';
import * as change from './transitions.ts';

/** Losses of Redis. The queue's jobs stay: the sweep emits again what they would have emitted. */
export function addServerFaults(context: Context): void {
  const { state, layout } = context;
  const { companies } = layout;
  const flush = spend(context, 'flush');
  if (flush) {
    add(context, 'possible', 'Redis loses all keys', [
      ...flush,
      ...companies.map(({ redis }) => [redis, plain('{}')] as const),
    ]);
  }
  const failOver = spend(context, 'fail-over');
  const isLagging = companies.some(({ replica }) => !isEmpty(state[replica]));
  if (failOver && !isLagging) {
    const copies = companies.map(({ redis, replica }) => [replica, partAt(state, redis)] as const);
    add(context, 'possible', 'the replica of Redis stops to follow', copies);
  }
  if (failOver && isLagging) {
    add(
      context,
      'possible',
      'the replica is promoted: Redis is as it was when the replica stopped to follow',
      [
        ...failOver,
        ...companies.map(({ redis, replica }) => [redis, partAt(state, replica)] as const),
        ...companies.map(({ replica }) => [replica, EMPTY] as const),
        [layout.history, { ...partAt(state, layout.history), ids: [createIdSource().next()] }],
      ],
    );
  }
}

export function addKeyFaults(context: Context, { id, name, redis }: CompanySlots): void {
  const { state } = context;
  const keyspace = partAt(state, redis);
  const without = (key: string): Changes => {
    const [left = EMPTY] = change.removeKey(createIdSource(), keyspace, plain(key)) as Part[];
    return [[redis, left]];
  };
  const has = (key: string): boolean => key in (valueOf(keyspace) as object);
  const [expiry, trimming] = [spend(context, 'expiry'), spend(context, 'trimming')];
  for (const appointmentId of expiry ? distinctAppointments(context) : []) {
    const key = change.orderKey(id, appointmentId);
    const label = `the order token of ${appointmentName(appointmentId)} expires`;
    if (has(key)) add(context, 'possible', label, [...(expiry ?? []), ...without(key)]);
  }
  const log = change.logKey(id);
  if (trimming && has(log))
    add(context, 'possible', `the log of ${name} expires`, [...trimming, ...without(log)]);
}
