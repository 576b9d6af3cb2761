import type { TransactionSession } from './options.ts';

/** The driver makes a new object for each transaction of a session, also for each attempt of `withTransaction`. */
type DriverSession = TransactionSession & { transaction?: unknown };

interface Pending {
  transaction: unknown;
  runs: Map<string, () => void>;
}

/**
 * Returns a function that plans `run` for the commit of the session's transaction. Each key runs once for a transaction.
 *
 * `run` is called after `commitTransaction` succeeds (`withTransaction` calls it too). The transaction's state in the driver
 * cannot be used: it is "committed" even after a failed commit. Nothing runs if the transaction is aborted, or if its outcome
 * stays unknown; if it was committed after all, the sweep finds the write.
 */
export function createAfterCommit(): (session: TransactionSession, key: string, run: () => void) => void {
  const bySession = new WeakMap<TransactionSession, Pending>();

  function watch(session: DriverSession, pending: Pending): void {
    const commit = session.commitTransaction.bind(session);
    session.commitTransaction = async (...options) => {
      const result = await commit(...options);
      if (session.transaction !== pending.transaction) return result;
      const runs = [...pending.runs.values()];
      pending.runs.clear();
      for (const run of runs) run();
      return result;
    };
  }

  return (session: DriverSession, key, run) => {
    let pending = bySession.get(session);
    if (!pending) {
      pending = { transaction: session.transaction, runs: new Map() };
      bySession.set(session, pending);
      watch(session, pending);
    }
    if (pending.transaction !== session.transaction) {
      // The transaction before was aborted.
      pending.transaction = session.transaction;
      pending.runs.clear();
    }
    pending.runs.set(key, run);
  };
}
