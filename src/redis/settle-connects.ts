import type { Cluster } from 'ioredis';

/**
 * Makes the promises of `connect` settle, also those of duplicates: they resolve when the client is ready, and reject when it emits
 * `end`. Those of ioredis stay pending for ever if the Cluster is incomplete when the client connects: it closes that connection and
 * opens another one, and nothing ends the first promise (ioredis issue 709). BullMQ replaces a silent connection and waits for that promise, so that
 * its worker would not fetch another job until the process is started again.
 */
export function settleConnects(cluster: Cluster): Cluster {
  const connect = cluster.connect.bind(cluster);
  const duplicate = cluster.duplicate.bind(cluster);
  /** One for all attempts: during an outage there is an attempt each second. */
  let settled: Promise<void> | undefined;

  function whenSettled(): Promise<void> {
    settled ??= new Promise<void>((resolve, reject) => {
      const settle = (end: () => void) => () => {
        settled = undefined;
        cluster.off('ready', onReady).off('end', onEnd);
        end();
      };
      const onReady = settle(resolve);
      const onEnd = settle(() => {
        reject(new Error('Connection is closed.'));
      });
      cluster.on('ready', onReady).on('end', onEnd);
    });
    return settled;
  }

  cluster.connect = () => Promise.race([connect(), whenSettled()]);
  cluster.duplicate = (...args) => settleConnects(duplicate(...args));
  return cluster;
}
