import { expect } from '@jest/globals';
import type { ApiLimits } from '../../src/settings/limits.ts';
import type { Spawned } from '../harness/processes.ts';
import { createMemoryReader, openFiles } from '../harness/memory.ts';
import { eventually } from '../harness/until.ts';
import { createWorld } from '../harness/world.ts';

/** Garbage that is not collected, of some hundred clients: they would leave far more if each left its buffers. */
const MAX_GROWTH_BYTES = 6_000_000;
const MAX_MORE_FILES = 5;

/** An API in a separate process for random input, with the checks that must pass afterwards. */
export async function startFuzzedApi(limits: Partial<ApiLimits> = {}) {
  const world = await createWorld();
  const memory = createMemoryReader();
  world.keep(memory, memory.close);
  const api: Spawned = await world.ready(world.apiProcess(memory.env, limits));
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  let exited: number | string | undefined;
  void api.exited.then((how) => (exited = how));
  let before: { bytes: number; files: number } | undefined;

  const look = async () => {
    const { heapUsed, external } = await memory.read(api.pid);
    return { bytes: heapUsed + external, files: openFiles(api.pid) };
  };
  return {
    world,
    api,
    company,
    /** After the first throws: by then all code has run that will. */
    async warm(): Promise<void> {
      before = await look();
    },
    /** The same process is up, as small as when it was warm, has enqueued nothing, and serves good clients. */
    async expectUnharmed(): Promise<void> {
      expect(exited).toBeUndefined();
      expect(await world.jobs.count()).toBe(0);
      await eventually('its memory and its connections to be given back', async () => {
        const after = await look();
        const [bytes, files] = [after.bytes - before!.bytes, after.files - before!.files];
        if (bytes > MAX_GROWTH_BYTES || files > MAX_MORE_FILES)
          throw new Error(`its memory has grown by ${bytes} bytes, and ${files} more files are open`);
        return true;
      });
      expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
      world.worker();
      const dashboard = await world.dashboard(api, company.companyId);
      const emissionId = await world.emit(api, 'appointment-updated', appointmentId);
      await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
    },
  };
}

export type FuzzedApi = Awaited<ReturnType<typeof startFuzzedApi>>;
