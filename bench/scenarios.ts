import type { Scenario } from './scenario.ts';
import { backlog } from './scenarios/backlog.ts';
import { batch } from './scenarios/batch.ts';
import { capacity } from './scenarios/capacity.ts';
import { catchUp } from './scenarios/catch-up.ts';
import { crowd } from './scenarios/crowd.ts';
import { fairness } from './scenarios/fairness.ts';
import { fanOut } from './scenarios/fan-out.ts';
import { flood } from './scenarios/flood.ts';
import { latency } from './scenarios/latency.ts';
import { memory } from './scenarios/memory.ts';
import { post } from './scenarios/post.ts';
import { posting } from './scenarios/posting.ts';
import { profile } from './scenarios/profile.ts';
import { scopes } from './scenarios/scopes.ts';
import { worker } from './scenarios/worker.ts';

/** All scenarios, in the order in which an emission passes through the system. The page uses the same order. */
export const SCENARIOS: Record<string, Scenario> = {
  post,
  batch,
  worker,
  'latency-1': latency(1),
  'latency-20': latency(20),
  'latency-100': latency(100),
  'latency-300': latency(300),
  'latency-600': latency(600),
  fanout: fanOut,
  scopes,
  fairness,
  flood,
  crowd,
  posting,
  backlog,
  'catch-up': catchUp,
  memory,
  capacity,
  profile,
};
