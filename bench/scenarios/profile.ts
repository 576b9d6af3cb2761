import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openDashboards } from '../harness/audience.ts';
import { readProfiles, type ProfileTable } from '../harness/cpu-profile.ts';
import { createEmitter } from '../harness/emitter.ts';
import { loadWith, nextBody, warmUp } from '../harness/load.ts';
import { fillQueue, queueAtMost } from '../harness/queue.ts';
import type { RunningSide } from '../harness/sides.ts';
import { openStage, type Stage } from '../harness/stage.ts';
import type { Scenario } from '../scenario.ts';
import { SINGLE } from './post.ts';

/** For a flame graph; git ignores it. */
const KEPT = fileURLToPath(new URL('../../.runtime/bench/profiles', import.meta.url));
const SECONDS = 8;
const JOBS = 60_000;
const SOCKETS = 1_000;
const EVENTS = 150;

/** Where the time of each process goes while it does nothing but what is measured elsewhere. */
export const profile: Scenario = {
  title: 'Where the time goes',
  musts: [],
  async run() {
    rmSync(KEPT, { recursive: true, force: true });
    return {
      figures: [],
      profiles: {
        'API, POST at 50 connections': await profiled('sides/our-api.ts', loadApi),
        'worker, a full queue': await profiled('sides/our-worker.ts', drainQueue),
        'gateway, events to 1,000 dashboards': await profiled('sides/our-api.ts', fanOutEvents),
      },
    };
  },
};

type Work = (stage: Stage, side: RunningSide, begin: () => Promise<unknown>) => Promise<void>;

/** Runs one process under work on a stage of its own; its profile begins when the work says so. */
async function profiled(file: string, work: Work): Promise<ProfileTable> {
  const stage = await openStage();
  try {
    const side = await stage.start(file);
    await work(stage, side, () => side.ask('profile'));
    await side.ask('profiled');
    const dir = stage.env['PROFILE_DIR']!;
    cpSync(dir, KEPT, { recursive: true });
    return readProfiles(dir);
  } finally {
    await stage.close();
  }
}

async function loadApi(stage: Stage, side: RunningSide, begin: () => Promise<unknown>): Promise<void> {
  const load = { side, path: SINGLE, connections: 50, body: nextBody(stage) };
  await warmUp(load);
  await begin();
  await loadWith({ ...load, seconds: SECONDS });
}

async function drainQueue(stage: Stage, _side: RunningSide, begin: () => Promise<unknown>): Promise<void> {
  await fillQueue(stage, JOBS);
  await queueAtMost(stage, JOBS * 0.8);
  await begin();
  await queueAtMost(stage, JOBS * 0.05);
}

async function fanOutEvents(stage: Stage, side: RunningSide, begin: () => Promise<unknown>): Promise<void> {
  const emit = createEmitter(stage);
  const { companyId } = stage.ids[0]!;
  const audience = await openDashboards({ url: side.url, count: SOCKETS, companyId });
  await begin();
  for (let i = 0; i < EVENTS; i += 1) {
    const heard = audience.nextHeardByAll();
    void emit(stage.ids[i % stage.ids.length]!);
    await heard;
  }
  audience.close();
}
