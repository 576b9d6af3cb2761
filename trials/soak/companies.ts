import { setTimeout as pause } from 'node:timers/promises';
import { loadWorkerConfig } from '../../src/config.ts';
import { runErase } from '../../src/cli/run-erase.ts';
import type { World } from '../../test/harness/world.ts';
import type { Random } from '../chaos/random.ts';
import { type Company, emit, openCompany, openScreen, type Screen } from './company.ts';
import type { Deployment } from './deployment.ts';
import { keysOf } from './sample.ts';

export interface Companies {
  /** Companies that came, were shown to the end and were erased. */
  readonly gone: number;
  /** Emissions of these companies. */
  readonly emissions: number;
  violations: string[];
  /** Lets no other company come. Resolves when the last one has gone. */
  end: () => Promise<void>;
}

export interface CompaniesDeps {
  world: World;
  deployment: Deployment;
  /** The address of the measured API, which runs for the whole soak. */
  measuredUrl: string;
  random: Random;
  /** Companies at the same time. */
  concurrency: number;
}

const APPOINTMENTS = 5;
const WRITES = 40;
const MAX_PAUSE_MS = 2_000;
const SHOWN_WITHIN_MS = 90_000;
const MAX_ERASURES = 3;

/**
 * Companies that come, emit through the deployment, have a screen on it and one on the measured API, and go: their documents are
 * deleted, and `emissions erase` removes their keys from Redis.
 */
export function startCompanies({
  world,
  deployment,
  measuredUrl,
  random,
  concurrency,
}: CompaniesDeps): Companies {
  const violations: string[] = [];
  let [gone, emissions] = [0, 0];
  let ended = false;
  const isOpen = () => !ended;

  async function emitAndCompare(company: Company, screens: readonly Screen[]): Promise<void> {
    const newest = new Map<string, string>();
    for (let write = 0; write < WRITES && isOpen(); write += 1) {
      const id = random.pick(company.appointmentIds);
      newest.set(id, await company.write(id));
      await emit(deployment.url, deployment.key, id);
      emissions += 1;
      await pause(random.between(0, MAX_PAUSE_MS));
    }
    for (const [id, notes] of newest)
      await Promise.all(screens.map((screen) => screen.shows(id, notes, SHOWN_WITHIN_MS)));
  }

  async function visit(): Promise<void> {
    const company = await openCompany(world, APPOINTMENTS);
    const { companyId } = company;
    const screens = [
      openScreen(deployment.url, companyId, () => deployment.token(companyId)),
      openScreen(measuredUrl, companyId, () => world.token(companyId)),
    ];
    try {
      await emitAndCompare(company, screens);
    } finally {
      for (const screen of screens) screen.close();
      violations.push(...screens.flatMap((screen) => screen.violations));
    }
    await company.remove();
    await erase(world, companyId);
    gone += 1;
  }

  async function visitAgainAndAgain(): Promise<void> {
    while (isOpen()) {
      await visit().catch((error: unknown) => {
        violations.push(`at ${new Date().toISOString()} a company failed: ${(error as Error).message}`);
      });
    }
  }
  const all = Promise.all(Array.from({ length: concurrency }, visitAgainAndAgain));
  return {
    get gone() {
      return gone;
    },
    get emissions() {
      return emissions;
    },
    violations,
    async end() {
      ended = true;
      await all;
    },
  };
}

/** Erases a company from Redis, again if Redis was frozen meanwhile, as an operator does. @throws if keys of it are left */
async function erase(world: World, companyId: string): Promise<void> {
  const config = loadWorkerConfig(world.env);
  let problem: unknown;
  for (let run = 0; run < MAX_ERASURES; run += 1) {
    try {
      const { complete } = await runErase(config, { companyId });
      const left = await keysOf(world.redis, `*${companyId}*`);
      if (complete && left.length === 0) return;
      problem = `keys are left: ${left.join(', ')}`;
    } catch (error) {
      problem = error;
    }
  }
  throw new Error(`${companyId} was not erased in ${MAX_ERASURES} runs: ${String(problem)}`);
}
