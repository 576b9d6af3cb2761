import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiLimits } from '../../src/settings/limits.ts';
import type { Company } from '../../test/harness/documents.ts';
import { createMemoryReader, openFiles } from '../../test/harness/memory.ts';
import { freshDir } from '../../test/harness/own-services.ts';
import type { Spawned } from '../../test/harness/processes.ts';
import { eventually } from '../../test/harness/until.ts';
import { createWorld, type WorldOptions } from '../../test/harness/world.ts';
import { createLogReader } from './log-reader.ts';
import { createWatchers, OTHER_COMPANY_MARK, type Watchers } from './watchers.ts';

export type Target = Awaited<ReturnType<typeof openTarget>>;

/** Limits that would hide the code behind them: most inputs would get 429. */
const LIMITS: Partial<ApiLimits> = {
  MAX_AUTH_FAILURES_PER_MINUTE: 1e9,
  MAX_LISTS_PER_VIEWER_PER_SECOND: 1e6,
  MAX_CATCH_UPS_PER_SECOND: 1_000,
  MAX_MESSAGES_PER_SECOND: 1_000,
};

/** Growth of a process that garbage and caches with a bound explain. */
const MAX_GROWTH_BYTES = 25_000_000;
/** Files, sockets, timers and listeners of the process. */
const MAX_MORE_HANDLES = 60;

/**
 * An API with gateway and a worker, as separate processes, and two companies. Input is sent to the processes in the name of
 * `company`. `check` then requires that `other`, a second company, is served as before.
 */
export async function openTarget({ env, ...options }: Pick<WorldOptions, 'env' | 'isExpectedDenial'> = {}) {
  const warningsFile = join(freshDir('fuzz'), 'warnings.txt');
  const world = await createWorld({ ...options, env: { ADMIN_WRITES: 'on', ...env }, limits: LIMITS });
  const memory = createMemoryReader();
  world.keep(memory, memory.close);
  const log = createLogReader(world.env['LOG_DIR']!);
  const processEnv = {
    ...memory.env,
    NODE_OPTIONS: `${memory.env.NODE_OPTIONS} --redirect-warnings=${warningsFile}`,
  };
  const company = await world.documents.company();
  const other = await otherCompany(world.documents);
  const otherAppointment = await other.appointment({ notes: OTHER_COMPANY_MARK });
  const target = { company, appointments: [await company.appointment(), await company.appointment()] };

  let [api, worker] = [] as unknown as [Spawned, Spawned];
  let watchers = undefined as unknown as Watchers;
  let exits: string[] = [];
  const watchExit = (name: string, { exited, output }: Spawned): void => {
    const seen = exits;
    void exited.then((how) => seen.push(`the ${name} exited (${how}):\n${output()}`));
  };
  async function start(): Promise<void> {
    exits = [];
    [api, worker] = await Promise.all([
      world.ready(world.apiProcess(processEnv)),
      world.workerProcess(processEnv),
    ]);
    watchExit('API', api);
    watchExit('worker', worker);
    watchers = await createWatchers(world, api, { company, other, otherAppointment });
  }
  /** For an execution after a violation. */
  async function restart(): Promise<void> {
    watchers.close();
    exits = [];
    await Promise.all([api.stop(), worker.stop()]);
    // On a busy machine the first start can exceed its deadline.
    await start().catch(start);
    log.skip();
  }
  await start();

  const measure = async () => {
    const both = await Promise.all(
      [api, worker].map(async ({ pid }) => {
        const { heapUsed, external, handles } = await memory.read(pid);
        return { bytes: heapUsed + external, handles: handles + openFiles(pid) };
      }),
    );
    return { api: both[0]!, worker: both[1]! };
  };
  let warm: Awaited<ReturnType<typeof measure>> | undefined;
  const outcomes: Record<string, number> = {};

  return {
    ...target,
    world,
    other,
    log,
    outcomes,
    restart,
    get api() {
      return api;
    },
    get watchers() {
      return watchers;
    },
    /** Counts an outcome, for the report. */
    count: (outcome: string): void => {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    },
    /** Called when most code has run once: later growth counts. */
    async warmUp(): Promise<void> {
      warm = await measure();
    },
    /** @throws if a process ended or logged an internal error, or if the other company got too much or too little */
    async check(): Promise<void> {
      await watchers.serveOther().catch((error: unknown) => {
        throw new Error([...exits, ...log.problems(), String(error)].join('\n'));
      });
      const problems = [...exits, ...log.problems(), ...watchers.problems(), ...warningsIn(warningsFile)];
      if (problems.length > 0) throw new Error(problems.join('\n'));
    },
    /** @throws if a process keeps more memory or handles than when it was warm */
    async checkGrowth(): Promise<string> {
      const before = warm;
      if (!before) return 'not measured';
      return eventually('memory and handles to be given back', async () => {
        const after = await measure();
        return (['api', 'worker'] as const)
          .map((name) => {
            const bytes = after[name].bytes - before[name].bytes;
            const handles = after[name].handles - before[name].handles;
            if (bytes > MAX_GROWTH_BYTES || handles > MAX_MORE_HANDLES)
              throw new Error(`the ${name} has ${bytes} more bytes and ${handles} more handles`);
            return `${name} ${(bytes / 1e6).toFixed(1)} MB, ${handles} handles`;
          })
          .join('; ');
      });
    },
    close: () => world.close(),
  };
}

/** Its documents have a mark that must never reach the fuzzed company. */
async function otherCompany(
  documents: Awaited<ReturnType<typeof createWorld>>['documents'],
): Promise<Company> {
  const other = await documents.company();
  const { Customer, Pet, Staff } = documents.models;
  await Customer.collection.updateOne(
    { _id: other.customer._id },
    { $set: { fullName: OTHER_COMPANY_MARK } },
  );
  await Pet.collection.updateOne({ _id: other.pet._id }, { $set: { name: OTHER_COMPANY_MARK } });
  await Staff.collection.updateOne({ _id: other.staff._id }, { $set: { fullName: OTHER_COMPANY_MARK } });
  return other;
}

/** Node's warnings, such as a leak of listeners. */
function warningsIn(file: string): string[] {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text
    .split('\n')
    .filter((line) => /^\(node:\d+\)/.test(line) && !line.includes('ExperimentalWarning'));
}
