import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openDashboards } from '../harness/audience.ts';
import { readProfiles, type ProfileTable } from '../harness/cpu-profile.ts';
import { createEmitter } from '../harness/emitter.ts';
import { loadWith, nextBody, warmUp } from '../harness/load.ts';
import { fillQueue, queueAtMost } from '../harness/queue.ts';
import type { RunningContender } from '../harness/contenders.ts';
import { openEnvironment, type BenchEnvironment } from '../harness/environment.ts';
import type { Scenario } from '../scenario.ts';
import { SINGLE } from './post.ts';

/** Where the raw profiles are kept, for flame graphs. Ignored by git. */
const KEPT = fileURLToPath(new URL('../../.runtime/bench/profiles', import.meta.url));
const SECONDS = 8;
const JOBS = 60_000;
const SOCKETS = 1_000;
const EVENTS = 150;

/** CPU profiles of each process under the load of the other scenarios. */
export const profile: Scenario = {
  title: 'CPU profiles',
  thresholds: [],
  async run() {
    rmSync(KEPT, { recursive: true, force: true });
    return {
      figures: [],
      profiles: {
        'API, POST at 50 connections': await profiled('contenders/our-api.ts', loadApi),
        'worker, draining a full queue': await profiled('contenders/our-worker.ts', drainQueue),
        'gateway, events to 1,000 dashboards': await profiled('contenders/our-api.ts', fanOutEvents),
      },
    };
  },
};

type Work = (
  environment: BenchEnvironment,
  contender: RunningContender,
  begin: () => Promise<unknown>,
) => Promise<void>;

/** Profiles one process in a new environment. `work` loads it and calls `begin` when the profile should start. */
async function profiled(file: string, work: Work): Promise<ProfileTable> {
  const environment = await openEnvironment();
  try {
    const contender = await environment.start(file);
    await work(environment, contender, () => contender.measure('start-profile'));
    await contender.measure('stop-profile');
    const dir = environment.env['PROFILE_DIR']!;
    cpSync(dir, KEPT, { recursive: true });
    return readProfiles(dir);
  } finally {
    await environment.close();
  }
}

async function loadApi(
  environment: BenchEnvironment,
  contender: RunningContender,
  begin: () => Promise<unknown>,
): Promise<void> {
  const load = { contender, path: SINGLE, connections: 50, body: nextBody(environment) };
  await warmUp(load);
  await begin();
  await loadWith({ ...load, seconds: SECONDS });
}

async function drainQueue(
  environment: BenchEnvironment,
  _side: RunningContender,
  begin: () => Promise<unknown>,
): Promise<void> {
  await fillQueue(environment, JOBS);
  await queueAtMost(environment, JOBS * 0.8);
  await begin();
  await queueAtMost(environment, JOBS * 0.05);
}

async function fanOutEvents(
  environment: BenchEnvironment,
  contender: RunningContender,
  begin: () => Promise<unknown>,
): Promise<void> {
  const emit = createEmitter(environment);
  const { companyId } = environment.ids[0]!;
  const audience = await openDashboards({ url: contender.url, count: SOCKETS, companyId });
  await begin();
  for (let i = 0; i < EVENTS; i += 1) {
    const received = audience.nextReceivedByAll();
    void emit(environment.ids[i % environment.ids.length]!);
    await received;
  }
  audience.close();
}
