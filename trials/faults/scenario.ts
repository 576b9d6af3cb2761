import type { Testbed, TestbedDeps } from '../chaos/testbed.ts';
import type { CallResult } from '../chaos/workload.ts';

/** What `inject` receives. */
export interface InjectContext {
  testbed: Testbed;
  /** For calls that the scenario makes itself, in addition to the bots. */
  onCallResult: (result: CallResult) => void;
  burstSeconds: number;
}

/** One row of the fault table: how the fault is injected and repaired, and which effects are allowed. */
export interface Scenario {
  /** The row's name. */
  fault: string;
  /** Outcomes of the bots' calls that are allowed besides `202`: status and code. */
  allowedOutcomes: readonly string[];
  /** An outcome that must occur before the repair, as proof that the fault took effect. */
  requiredOutcome?: string;
  /** What dashboards and operators see during the fault; text of the table. */
  effect: string;
  /** How long the fault lasts at least. */
  minDurationMs?: number;
  /** A longer recovery fails the scenario. */
  maxRecoveryMs?: number;
  /** Number of APIs and number of workers. */
  processes?: number;
  appointments?: number;
  testbed?: () => Promise<Pick<TestbedDeps, 'env' | 'proxies' | 'gatewaysOf'>>;
  /** Injects the fault. Resolves to a function that repairs it. */
  inject: (context: InjectContext) => Promise<() => Promise<void> | void>;
  /**
   * Resolves when the work that the fault delayed is done. If given, the recovery time is counted from the injection until
   * then, instead of from the repair until every screen is current.
   */
  untilRecovered?: (testbed: Testbed) => Promise<unknown>;
  /** Removes what `testbed` created. */
  cleanUp?: () => Promise<void> | void;
}

export const REDIS_UNAVAILABLE = '503 QUEUE_UNAVAILABLE';
export const MONGO_UNAVAILABLE = '500 DATABASE_ERROR';

/** The warnings of `/health`, as one text. */
export async function warningsOf({ fleet }: Testbed): Promise<string> {
  const response = await fetch(`${fleet.gateways[0]!.balancer!.url}/health`);
  return JSON.stringify(((await response.json()) as { warnings: string[] }).warnings);
}

/** Kills all APIs and workers at once. Resolves when all have been restarted. */
export async function restartAll({ fleet }: Testbed): Promise<void> {
  await Promise.all(
    [...fleet.gateways, ...fleet.workers].map(async (slot) => {
      const { process } = slot;
      process?.kill('SIGKILL');
      await process?.exited;
      await slot.ready();
    }),
  );
}
